package reference_test

import (
	"bytes"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// bitwarden is an AAGUID that the built-in list knows.
const bitwarden = "d548826e-79b4-db40-a3d8-11116f7e8349"

func TestLife(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		cr := s.register(ada, key)
		if cr.Type != rp.DeviceBound || cr.Attestation != "none" || cr.Trusted || cr.Name != "Passkey" {
			t.Errorf("registered %+v", cr)
		}
		s.signedIn(ada, true) // signing up signs in
		s.ok(s.SignOut(s.ctx, ada))
		s.signedIn(ada, false)

		s.clock.pass(time.Minute)
		session := s.signIn(ada, key)
		if session.Person != ada.Name || session.Method != reference.MethodPasskey || !bytes.Equal(session.Credential, cr.ID) || session.Warnings != nil {
			t.Errorf("session %+v", session)
		}
		if n := len(key.request.AllowCredentials); n != 1 {
			t.Errorf("asked for %d passkeys by name, want 1", n)
		}
		if session = s.signIn(rp.Person{}, key); session.Person != ada.Name || len(key.request.AllowCredentials) != 0 {
			t.Errorf("without a name: session %+v, asked for %v", session, key.request.AllowCredentials)
		}
		list, err := s.Credentials(s.ctx, ada)
		s.ok(err)
		if len(list) != 1 || list[0].SignCount != 2 || !list[0].LastUsedAt.Equal(s.clock.now()) {
			t.Errorf("listed %+v", list)
		}
	})
}

func TestManagingPasskeys(t *testing.T) {
	each(t, func(s site) {
		key, manager := newToy(t), newToy(t)
		first := s.register(ada, key)
		manager.flags |= ctap.FlagBE
		manager.aaguid, _ = ctap.ParseAAGUID(bitwarden)
		second := s.register(ada, manager)
		if second.Name != "Bitwarden" || second.Type != rp.Synced || second.BackedUp {
			t.Errorf("second passkey %+v", second)
		}
		if x := manager.creation.ExcludeCredentials; len(x) != 1 || x[0].ID != b64(first.ID) {
			t.Errorf("excluded %v, want the first passkey", x)
		}
		manager.flags |= ctap.FlagBS
		s.signIn(ada, manager)
		s.ok(s.RenameCredential(s.ctx, ada, first.ID, "On my keyring"))
		s.refused(s.RenameCredential(s.ctx, ada, first.ID, " "), reference.BadName)
		s.refused(s.RenameCredential(s.ctx, ada, []byte("none"), "x"), reference.UnknownCredential)
		list, err := s.Credentials(s.ctx, ada)
		s.ok(err)
		if len(list) != 2 || list[0].Name != "On my keyring" || !list[1].BackedUp {
			t.Errorf("listed %+v", list)
		}
		s.ok(s.DeleteCredential(s.ctx, ada, first.ID))
		s.signedIn(ada, true)
		_, err = s.SignIn(s.ctx, rp.Person{}, key)
		s.refused(err, reference.UnknownCredential)
		s.ok(s.DeleteCredential(s.ctx, ada, second.ID)) // the one that the session came from
		s.signedIn(ada, false)
		_, err = s.SignIn(s.ctx, ada, manager)
		s.notAllowed(err)
	})
}

func TestForeignPasskeysStayAlone(t *testing.T) {
	each(t, func(s site) {
		bob := rp.Person{Name: "bob@example.com"}
		mine := s.register(ada, newToy(t))
		s.register(bob, newToy(t))
		s.refused(s.DeleteCredential(s.ctx, bob, mine.ID), reference.UnknownCredential)
		s.refused(s.RenameCredential(s.ctx, bob, mine.ID, "x"), reference.UnknownCredential)
		s.refused(s.RevokeCredentials(s.ctx, bob, mine.ID), reference.UnknownCredential)
	})
}

func TestAccounts(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.AddPerson(s.ctx, ada))
		s.refused(s.AddPerson(s.ctx, rp.Person{Name: "ADA@example.com"}), reference.PersonExists)
		s.refused(s.AddPerson(s.ctx, rp.Person{Name: "a\nb"}), reference.BadName)
		s.refused(s.AddPerson(s.ctx, rp.Person{Name: ".."}), reference.BadName)
		_, err := s.Register(s.ctx, ada, newToy(t))
		s.refused(err, reference.SignInRequired)
		_, err = s.SignIn(s.ctx, ada, newToy(t))
		s.notAllowed(err)
		_, err = s.Credentials(s.ctx, ada)
		s.refused(err, reference.SignInRequired)
	})
}

func TestAdministratorsSeePasskeys(t *testing.T) {
	each(t, func(s site) {
		odd := rp.Person{Name: "ada/lovelace? 100%+é"}
		cr := s.register(odd, newToy(t))
		s.ok(s.SignOut(s.ctx, odd))
		list, err := s.PersonCredentials(s.ctx, odd)
		s.ok(err)
		if len(list) != 1 || !bytes.Equal(list[0].ID, cr.ID) {
			t.Errorf("listed %+v", list)
		}
		s.ok(s.RevokeCredentials(s.ctx, odd))
		_, err = s.PersonCredentials(s.ctx, ada)
		s.refused(err, reference.UnknownPerson)
	})
}

func TestClosedSignUp(t *testing.T) {
	each(t, func(s site) {
		_, err := s.Register(s.ctx, ada, newToy(t))
		s.refused(err, reference.SignUpClosed)
		s.ok(s.AddPerson(s.ctx, ada))
		pass, err := s.IssuePass(s.ctx, ada, time.Hour, true)
		s.ok(err)
		_, err = s.RedeemPass(s.ctx, ada, pass)
		s.ok(err)
		s.register(ada, newToy(t))
	}, func(c *reference.Config) { c.ClosedSignUp = true })
}

func TestOptionsOfRegistration(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		s.register(ada, key)
		o := key.creation
		var algs []int
		for _, p := range o.PubKeyCredParams {
			algs = append(algs, p.Alg)
		}
		if want := []int{-7, -8, -35, -257}; !equal(algs, want) {
			t.Errorf("algorithms %v, want %v", algs, want)
		}
		if o.Attestation != "none" || o.AuthenticatorSelection.ResidentKey != "preferred" || o.AuthenticatorSelection.UserVerification != "preferred" || o.Extensions["credProps"] != true {
			t.Errorf("options %+v", o)
		}
		strict := rp.Policy{RequireAttestation: true, UserVerification: "required"}
		s.ok(s.SetPolicy(s.ctx, "admins", strict))
		_, err := s.Register(s.ctx, rp.Person{Name: "bob", Groups: []string{"admins"}}, key)
		s.refused(err, reference.AttestationRequired)
		if o := key.creation; o.Attestation != "direct" || o.AuthenticatorSelection.UserVerification != "required" {
			t.Errorf("options for administrators %+v", o)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	ends := map[string]func(s site, cr rp.Credential){
		"sessions revoked":    func(s site, _ rp.Credential) { s.ok(s.RevokeSessions(s.ctx, ada)) },
		"passkey revoked":     func(s site, cr rp.Credential) { s.ok(s.RevokeCredentials(s.ctx, ada, cr.ID)) },
		"all passkeys gone":   func(s site, _ rp.Credential) { s.ok(s.RevokeCredentials(s.ctx, ada)) },
		"session has expired": func(s site, _ rp.Credential) { s.clock.pass(12 * time.Hour) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			each(t, func(s site) {
				s.t = t
				cr := s.register(ada, newToy(t))
				s.clock.pass(11 * time.Hour)
				s.signedIn(ada, true)
				end(s, cr)
				s.signedIn(ada, false)
				_, err := s.Register(s.ctx, ada, newToy(t))
				s.refused(err, reference.SignInRequired)
			})
		})
	}
}

func TestAudit(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		cr := s.register(ada, key)
		s.signIn(ada, key)
		s.ok(s.RevokeCredentials(s.ctx, ada))
		_, err := s.SignIn(s.ctx, rp.Person{}, key)
		s.refused(err, reference.UnknownCredential)
		want := []reference.Event{
			{Seq: 1, Action: "register", Person: ada.Name, Outcome: reference.Done},
			{Seq: 2, Action: "sign-in", Person: ada.Name, Outcome: reference.Done},
			{Seq: 3, Action: "revoke-credential", Person: ada.Name, Outcome: reference.Done},
			{Seq: 4, Action: "sign-in", Outcome: reference.Refused, Reason: reference.UnknownCredential},
		}
		got := s.core.Audit(0, 10)
		if len(got) != len(want) {
			t.Fatalf("%d events, want %d: %+v", len(got), len(want), got)
		}
		for i, e := range got {
			if !bytes.Equal(e.Credential, cr.ID) || e.Time.IsZero() {
				t.Errorf("event %+v", e)
			}
			e = reference.Event{Seq: e.Seq, Action: e.Action, Person: e.Person, Outcome: e.Outcome, Reason: e.Reason}
			if e.Seq != want[i].Seq || e.Action != want[i].Action || e.Person != want[i].Person || e.Outcome != want[i].Outcome || e.Reason != want[i].Reason {
				t.Errorf("event %+v, want %+v", e, want[i])
			}
		}
		if last := s.core.Latest(2); len(last) != 2 || last[1].Seq != 4 {
			t.Errorf("latest %+v", last)
		}
	})
}

func TestAuditForgets(t *testing.T) {
	core, _ := newCore(t, func(c *reference.Config) { c.AuditCapacity = 3 })
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		if err := core.AddPerson(rp.Person{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	got := core.Audit(0, 10)
	if len(got) != 3 || got[0].Person != "c" || got[2].Seq != 5 {
		t.Errorf("kept %+v, want those of c, d and e", got)
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
