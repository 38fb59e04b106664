package reference_test

import (
	"context"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/webauthn"
)

// verified asks for user verification of everybody.
func verified(c *reference.Config) { c.DefaultPolicy.UserVerification = "required" }

func TestRegistrationRefused(t *testing.T) {
	tests := []struct {
		name, code string
		spoil      func(c *toy)
	}{
		{"other challenge", reference.ChallengeMismatch, claim(func(cl *claims) { cl.client["challenge"] = b64(make([]byte, 32)) })},
		{"other ceremony", reference.CeremonyMismatch, claim(func(cl *claims) { cl.client["type"] = "webauthn.get" })},
		{"foreign origin", reference.OriginMismatch, claim(func(cl *claims) { cl.client["origin"] = "https://login.examp1e.com" })},
		{"other port", reference.OriginMismatch, claim(func(cl *claims) { cl.client["origin"] = origin + ":444" })},
		{"in a frame", reference.CrossOrigin, claim(func(cl *claims) { cl.client["crossOrigin"] = true })},
		{"other relying party", reference.RPIDMismatch, claim(func(cl *claims) { cl.auth.RPIDHash[0] ^= 1 })},
		{"nobody there", reference.UserPresenceRequired, claim(func(cl *claims) { cl.auth.Flags &^= ctap.FlagUP })},
		{"not verified", reference.UserVerificationRequired, claim(func(cl *claims) { cl.auth.Flags &^= ctap.FlagUV })},
		{"BS without BE", reference.BackupStateInvalid, claim(func(cl *claims) { cl.auth.Flags |= ctap.FlagBS })},
		{"algorithm not offered", reference.AlgorithmNotAllowed, claim(func(cl *claims) { cl.alg = cose.ES512 })},
		{"key on another curve", reference.BadRequest, claim(func(cl *claims) { cl.alg = cose.ES384 })},
		{"not attested data", reference.BadRequest, claim(func(cl *claims) { cl.auth.Attested = nil })},
		{"none with a statement", reference.AttestationInvalid, attest("none", map[string]any{"x": 1})},
		{"format nobody knows", reference.AttestationInvalid, attest("packed2", struct{}{})},
		{"packed without signature", reference.AttestationInvalid, attest("packed", map[string]any{"alg": -7})},
		{"packed self with a wrong signature", reference.AttestationInvalid, attest("packed", map[string]any{"alg": -7, "sig": make([]byte, 70)})},
		{"id of another passkey", reference.VerificationFailed, tamper(func(r *response) { r.ID, r.RawID = "AAAA", "AAAA" })},
		{"no client data", reference.BadRequest, tamper(func(r *response) { r.Response["clientDataJSON"] = "" })},
		{"no response", reference.BadRequest, tamper(func(r *response) { r.Response = nil })},
		{"other type", reference.BadRequest, tamper(func(r *response) { r.Type = "password" })},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(s site) {
				key := newToy(t)
				test.spoil(key)
				_, err := s.Register(s.ctx, ada, key)
				s.refused(err, test.code)
				if _, n := s.core.People(0, 0); n != 0 {
					t.Errorf("%d accounts after a refusal", n)
				}
				key.claim, key.tamper, key.attest = nil, nil, nil
				s.register(ada, key) // and nothing is left over
			}, verified)
		})
	}
}

func TestSignInRefused(t *testing.T) {
	tests := []struct {
		name, code string
		spoil      func(c *toy)
	}{
		{"other challenge", reference.ChallengeMismatch, claim(func(cl *claims) { cl.client["challenge"] = b64(make([]byte, 32)) })},
		{"other ceremony", reference.CeremonyMismatch, claim(func(cl *claims) { cl.client["type"] = "webauthn.create" })},
		{"foreign origin", reference.OriginMismatch, claim(func(cl *claims) { cl.client["origin"] = "https://example.com.evil.example" })},
		{"other case of the origin", reference.OriginMismatch, claim(func(cl *claims) { cl.client["origin"] = "https://LOGIN.example.com" })},
		{"in a frame", reference.CrossOrigin, claim(func(cl *claims) { cl.client["topOrigin"] = "https://evil.example" })},
		{"other relying party", reference.RPIDMismatch, claim(func(cl *claims) { cl.auth.RPIDHash[31] ^= 1 })},
		{"nobody there", reference.UserPresenceRequired, claim(func(cl *claims) { cl.auth.Flags &^= ctap.FlagUP })},
		{"not verified", reference.UserVerificationRequired, claim(func(cl *claims) { cl.auth.Flags &^= ctap.FlagUV })},
		{"BS without BE", reference.BackupStateInvalid, claim(func(cl *claims) { cl.auth.Flags |= ctap.FlagBS })},
		{"BE came", reference.BackupEligibilityChanged, claim(func(cl *claims) { cl.auth.Flags |= ctap.FlagBE })},
		{"somebody else's handle", reference.UserHandleMismatch, claim(func(cl *claims) { cl.user = []byte("eve") })},
		{"wrong signature", reference.SignatureInvalid, tamper(func(r *response) { r.Response["signature"] = b64([]byte{0x30, 6, 2, 1, 1, 2, 1, 1}) })},
		{"client data changed", reference.SignatureInvalid, tamper(addSpace)},
		{"no signature", reference.SignatureInvalid, tamper(func(r *response) { delete(r.Response, "signature") })},
		{"authenticator data cut short", reference.BadRequest, tamper(func(r *response) { r.Response["authenticatorData"] = "AAAA" })},
		{"unknown passkey", "", tamper(func(r *response) { r.ID, r.RawID = "AAAA", "AAAA" })},
	}
	for _, test := range tests {
		for person, who := range map[string]rp.Person{"by name": ada, "without a name": {}} {
			t.Run(test.name+" "+person, func(t *testing.T) {
				code := test.code
				if code == "" {
					code = map[string]string{"by name": reference.CredentialNotAllowed, "without a name": reference.UnknownCredential}[person]
				}
				each(t, func(s site) {
					key := newToy(t)
					s.register(ada, key)
					s.ok(s.SignOut(s.ctx, ada))
					test.spoil(key)
					_, err := s.SignIn(s.ctx, who, key)
					s.refused(err, code)
					s.signedIn(ada, false)
					key.claim, key.tamper = nil, nil
					s.signIn(who, key)
				}, verified)
			})
		}
	}
}

func claim(f func(*claims)) func(*toy)    { return func(c *toy) { c.claim = f } }
func tamper(f func(*response)) func(*toy) { return func(c *toy) { c.tamper = f } }

func attest(format string, statement any) func(*toy) {
	return func(c *toy) { c.attest = always(format, statement) }
}

func addSpace(r *response) {
	r.Response["clientDataJSON"] = b64(append(fromB64(r.Response["clientDataJSON"].(string)), ' '))
}

func TestBackupEligibilityGone(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		key.flags |= ctap.FlagBE | ctap.FlagBS
		s.register(ada, key)
		key.flags &^= ctap.FlagBE | ctap.FlagBS
		_, err := s.SignIn(s.ctx, ada, key)
		s.refused(err, reference.BackupEligibilityChanged)
	})
}

func TestUserHandle(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		s.register(ada, key)
		key.claim = func(cl *claims) { cl.user = nil }
		_, err := s.SignIn(s.ctx, rp.Person{}, key)
		s.refused(err, reference.UserHandleMissing)
		s.signIn(ada, key) // with a name it may be left out
	})
}

func TestPasskeyOfSomebodyElse(t *testing.T) {
	each(t, func(s site) {
		bob := rp.Person{Name: "bob@example.com"}
		mine, his := newToy(t), newToy(t)
		s.register(ada, mine)
		s.register(bob, his)
		stranger := clientFunc(func(ctx context.Context, origin string, options []byte) ([]byte, error) {
			his.claim = func(cl *claims) { cl.client["challenge"] = challengeOf(options) }
			return his.Get(ctx, origin, mustJSON(map[string]any{"challenge": "", "rpId": "example.com"}))
		})
		_, err := s.SignIn(s.ctx, ada, stranger)
		s.refused(err, reference.CredentialNotAllowed)
	})
}

func TestCredentialIDIsUnique(t *testing.T) {
	each(t, func(s site) {
		key, copycat := newToy(t), newToy(t)
		s.register(ada, key)
		copycat.claim = func(cl *claims) {
			copycat.keys[len(copycat.keys)-1].id = key.keys[0].id
			cl.auth.Attested.ID = key.keys[0].id
		}
		_, err := s.Register(s.ctx, rp.Person{Name: "eve"}, copycat)
		s.refused(err, reference.CredentialExists)
		s.signIn(ada, key)
	})
}

// recorder lets a test see and send again what a client answered.
type recorder struct {
	webauthn.Client
	last   []byte
	replay bool
}

func (r *recorder) Get(ctx context.Context, origin string, options []byte) ([]byte, error) {
	if r.replay {
		return r.last, nil
	}
	var err error
	r.last, err = r.Client.Get(ctx, origin, options)
	return r.last, err
}

func TestReplay(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		s.register(ada, key)
		tape := &recorder{Client: key}
		s.signIn(ada, tape)
		tape.replay = true
		_, err := s.SignIn(s.ctx, ada, tape)
		s.refused(err, reference.ChallengeMismatch)
	})
}

func TestCeremonyCountsOnce(t *testing.T) {
	core, _ := newCore(t)
	s := site{Adapter: reference.InProcess(core, ""), t: t, ctx: t.Context(), core: core}
	key := newToy(t)
	s.register(ada, key)
	begun, err := core.BeginSignIn(ada.Name)
	s.ok(err)
	answer, err := key.Get(s.ctx, origin, begun.Options)
	s.ok(err)
	_, err = core.FinishRegistration("", begun.Ceremony, answer) // as the other kind
	s.refused(err, reference.ChallengeUnknown)
	begun, err = core.BeginSignIn(ada.Name)
	s.ok(err)
	answer, err = key.Get(s.ctx, origin, begun.Options)
	s.ok(err)
	_, err = core.FinishSignIn(begun.Ceremony, answer)
	s.ok(err)
	_, err = core.FinishSignIn(begun.Ceremony, answer)
	s.refused(err, reference.ChallengeUnknown)
}

func TestChallengeExpires(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		s.register(ada, key)
		slow := clientFunc(func(ctx context.Context, origin string, options []byte) ([]byte, error) {
			s.clock.pass(5 * time.Minute)
			return key.Get(ctx, origin, options)
		})
		_, err := s.SignIn(s.ctx, ada, slow)
		s.refused(err, reference.ChallengeExpired)
		s.clock.pass(-time.Nanosecond)
		almost := clientFunc(func(ctx context.Context, origin string, options []byte) ([]byte, error) {
			s.clock.pass(5*time.Minute - time.Nanosecond)
			return key.Get(ctx, origin, options)
		})
		s.signIn(ada, almost)
	})
}

func TestRegistrationIsBoundToItsSession(t *testing.T) {
	core, _ := newCore(t)
	s := site{Adapter: reference.InProcess(core, ""), t: t, ctx: t.Context(), core: core}
	s.register(ada, newToy(t))
	mallory := registerAt(t, core, "mallory")
	begun, err := core.BeginRegistration(mallory, rp.Person{})
	s.ok(err)
	answer, err := newToy(t).Create(s.ctx, origin, begun.Options)
	s.ok(err)
	_, err = core.FinishRegistration(registerAt(t, core, "victim"), begun.Ceremony, answer)
	s.refused(err, reference.SignInRequired)
}

func TestSignUpWithASession(t *testing.T) {
	core, clk := newCore(t)
	s := site{t: t, core: core}
	token := registerAt(t, core, ada.Name)
	_, err := core.BeginRegistration(token, rp.Person{Name: "bob"})
	s.refused(err, reference.BadRequest)
	_, err = core.BeginRegistration("", rp.Person{})
	s.refused(err, reference.SignInRequired)
	clk.pass(24 * time.Hour)
	_, err = core.BeginRegistration(token, rp.Person{Name: "bob"}) // a session that has ended is none
	s.ok(err)
}

func TestNameTakenMeanwhile(t *testing.T) {
	core, _ := newCore(t)
	s := site{Adapter: reference.InProcess(core, ""), t: t, ctx: t.Context(), core: core}
	begun, err := core.BeginRegistration("", ada)
	s.ok(err)
	s.register(ada, newToy(t))
	answer, err := newToy(t).Create(s.ctx, origin, begun.Options)
	s.ok(err)
	_, err = core.FinishRegistration("", begun.Ceremony, answer)
	s.refused(err, reference.PersonExists)
}

func TestCounter(t *testing.T) {
	tests := []struct {
		name     string
		policy   rp.Policy
		from, to uint32
		rewound  bool
		refused  bool
	}{
		{"goes up", rp.Policy{RejectCounterRewind: true}, 5, 6, false, false},
		{"stays at nought", rp.Policy{RejectCounterRewind: true}, 0, 0, false, false},
		{"stays", rp.Policy{}, 5, 5, true, false},
		{"goes back", rp.Policy{}, 5, 4, true, false},
		{"goes back to nought", rp.Policy{RejectCounterRewind: true}, 5, 0, true, true},
		{"stays, and that is refused", rp.Policy{RejectCounterRewind: true}, 5, 5, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(s site) {
				key := newToy(t)
				key.count, key.step = test.from, 0
				s.register(ada, key)
				key.count = test.to
				session, err := s.SignIn(s.ctx, ada, key)
				if test.refused {
					s.refused(err, reference.CounterRewind)
					return
				}
				s.ok(err)
				if got := len(session.Warnings) > 0; got != test.rewound {
					t.Errorf("warnings %q, want some: %t", session.Warnings, test.rewound)
				}
				list, err := s.Credentials(s.ctx, ada)
				s.ok(err)
				if want := max(test.from, test.to); list[0].SignCount != want {
					t.Errorf("counter kept at %d, want %d", list[0].SignCount, want)
				}
			}, func(c *reference.Config) { c.DefaultPolicy = test.policy })
		})
	}
}
