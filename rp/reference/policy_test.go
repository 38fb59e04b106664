package reference_test

import (
	"testing"

	"fido-emu/ctap"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

func TestPolicyRefuses(t *testing.T) {
	aaguid, err := ctap.ParseAAGUID(bitwarden)
	if err != nil {
		t.Fatal(err)
	}
	const other = "ee882879-721c-4913-9775-3dfcce97072a"
	tests := []struct {
		name   string
		policy rp.Policy
		flags  ctap.Flags
		code   string // empty when allowed
	}{
		{"nothing asked", rp.Policy{}, atHome, ""},
		{"synced, device-bound asked", rp.Policy{Types: []string{rp.DeviceBound}}, atHome | ctap.FlagBE, reference.TypeNotAllowed},
		{"device-bound, synced asked", rp.Policy{Types: []string{rp.Synced}}, atHome, reference.TypeNotAllowed},
		{"both types named", rp.Policy{Types: []string{rp.Synced, rp.DeviceBound}}, atHome, ""},
		{"on the list", rp.Policy{AllowedAAGUIDs: []string{other, bitwarden}}, atHome, ""},
		{"not on the list", rp.Policy{AllowedAAGUIDs: []string{other}}, atHome, reference.AAGUIDNotAllowed},
		{"blocked", rp.Policy{BlockedAAGUIDs: []string{bitwarden}}, atHome, reference.AAGUIDBlocked},
		{"another blocked", rp.Policy{BlockedAAGUIDs: []string{other}}, atHome, ""},
		{"allowed and blocked", rp.Policy{AllowedAAGUIDs: []string{bitwarden}, BlockedAAGUIDs: []string{bitwarden}}, atHome, reference.AAGUIDBlocked},
		{"verification asked", rp.Policy{UserVerification: "required"}, ctap.FlagUP, reference.UserVerificationRequired},
		{"verification discouraged", rp.Policy{UserVerification: "discouraged"}, ctap.FlagUP, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(s site) {
				refuses := func(err error) {
					s.t.Helper()
					if test.code == "" {
						s.ok(err)
						return
					}
					s.refused(err, test.code)
				}
				key := newToy(t)
				key.flags, key.aaguid = test.flags, aaguid
				s.register(ada, key)
				s.ok(s.SetPolicy(s.ctx, "", test.policy))
				_, err := s.SignIn(s.ctx, ada, key) // also of passkeys that were there before
				refuses(err)
				_, err = s.SignIn(s.ctx, rp.Person{}, key)
				refuses(err)
				_, err = s.Register(s.ctx, rp.Person{Name: "bob"}, key)
				refuses(err)
				s.ok(s.SetPolicy(s.ctx, "", rp.Policy{}))
				s.signIn(ada, key) // nothing was deleted
			})
		})
	}
}

func TestOnePolicyOfSeveralSuffices(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.SetPolicy(s.ctx, "", rp.Policy{Types: []string{rp.Synced}}))
		s.ok(s.SetPolicy(s.ctx, "admins", rp.Policy{RequireAttestation: true, UserVerification: "required"}))
		s.ok(s.SetPolicy(s.ctx, "kiosk", rp.Policy{UserVerification: "discouraged"}))
		both := rp.Person{Name: "both", Groups: []string{"admins", "kiosk"}}
		key := newToy(t)
		s.register(both, key)
		if uv := key.creation.AuthenticatorSelection.UserVerification; uv != "preferred" {
			t.Errorf("asked for user verification %q, want preferred: the policies differ", uv)
		}
		if key.creation.Attestation != "direct" {
			t.Errorf("asked for attestation %q, want direct", key.creation.Attestation)
		}
		_, err := s.Register(s.ctx, rp.Person{Name: "admin", Groups: []string{"admins"}}, key)
		s.refused(err, reference.AttestationRequired)
		_, err = s.Register(s.ctx, rp.Person{Name: "guest", Groups: []string{"visitors"}}, key) // a group without policy
		s.refused(err, reference.TypeNotAllowed)
	})
}

// Attestation is asked for at registration alone: who joins a strict group keeps
// what they have.
func TestAttestationCountsAtRegistration(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		s.register(ada, key)
		s.ok(s.core.SetGroups(ada.Name, []string{"admins"}))
		s.ok(s.SetPolicy(s.ctx, "admins", rp.Policy{RequireAttestation: true}))
		s.signIn(ada, key)
		_, err := s.Register(s.ctx, ada, newToy(t))
		s.refused(err, reference.AttestationRequired)
	})
}

func TestGroupsAreNotForPeopleToChoose(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.SetPolicy(s.ctx, "", rp.Policy{Types: []string{rp.Synced}}))
		s.ok(s.SetPolicy(s.ctx, "open", rp.Policy{}))
		s.ok(s.AddPerson(s.ctx, ada))
		eve := ada
		eve.Groups = []string{"open"}
		_, err := s.Register(s.ctx, eve, newToy(t))
		s.refused(err, reference.SignInRequired)
		if p, _ := s.core.People(0, 1); len(p[0].Groups) != 0 {
			t.Errorf("groups %v after a stranger's try, want none", p[0].Groups)
		}
	})
}

func TestBadPolicy(t *testing.T) {
	each(t, func(s site) {
		for _, p := range []rp.Policy{
			{Types: []string{"hardware"}}, {UserVerification: "always"},
			{AllowedAAGUIDs: []string{"yubikey"}}, {BlockedAAGUIDs: []string{""}},
		} {
			s.refused(s.SetPolicy(s.ctx, "g", p), reference.BadPolicy)
		}
		if n := len(s.core.Policies()); n != 1 {
			t.Errorf("%d policies after refusals, want the default alone", n)
		}
	})
}
