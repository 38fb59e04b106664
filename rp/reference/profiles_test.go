package reference_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

const other = "ee882879-721c-4913-9775-3dfcce97072a"

func profile(n int, change ...func(*rp.PasskeyProfile)) rp.PasskeyProfile {
	p := rp.PasskeyProfile{
		ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", n), Name: fmt.Sprint("profile ", n), Types: []string{rp.DeviceBound, rp.Synced},
		Attestation: rp.AttestationDisabled, KeyRestrictions: rp.KeyRestrictions{Kind: rp.AllowModels},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func only(types ...string) func(*rp.PasskeyProfile) {
	return func(p *rp.PasskeyProfile) { p.Types = types }
}

func models(kind string, list ...string) func(*rp.PasskeyProfile) {
	return func(p *rp.PasskeyProfile) {
		p.KeyRestrictions = rp.KeyRestrictions{Enforced: true, Kind: kind, AAGUIDs: list}
	}
}

func attested(p *rp.PasskeyProfile) { p.Attestation = rp.AttestationAtRegistration }

// forAll makes the profiles those of everybody in the group all.
func forAll(list ...rp.PasskeyProfile) rp.PasskeyProfiles {
	all := rp.PasskeyProfiles{Profiles: list, Targets: []rp.ProfileTarget{{Group: "all"}}}
	for _, p := range list {
		all.Targets[0].Profiles = append(all.Targets[0].Profiles, p.ID)
	}
	return all
}

func TestProfilesRefuse(t *testing.T) {
	aaguid, err := ctap.ParseAAGUID(bitwarden)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name               string
		profiles           rp.PasskeyProfiles
		flags              ctap.Flags
		register, existing string // codes of refusals; empty when allowed
	}{
		{"nothing asked", forAll(profile(1)), atHome, "", ""},
		{"synced off", forAll(profile(1, only(rp.DeviceBound))), atHome | ctap.FlagBE, reference.TypeNotAllowed, reference.TypeNotAllowed},
		{"model not listed", forAll(profile(1, models(rp.AllowModels, other))), atHome, reference.AAGUIDNotAllowed, reference.AAGUIDNotAllowed},
		{"no model listed", forAll(profile(1, models(rp.AllowModels))), atHome, reference.AAGUIDNotAllowed, reference.AAGUIDNotAllowed},
		{"model blocked", forAll(profile(1, models(rp.BlockModels, bitwarden))), atHome, reference.AAGUIDBlocked, reference.AAGUIDBlocked},
		{"another blocked", forAll(profile(1, models(rp.BlockModels, other))), atHome, "", ""},
		{"attestation counts at registration", forAll(profile(1, attested)), atHome, reference.AttestationRequired, ""},
		{"any of several suffices", forAll(profile(1, attested), profile(2, only(rp.Synced)), profile(3)), atHome, "", ""},
		{"none of several is met", forAll(profile(1, models(rp.BlockModels, bitwarden)), profile(2, only(rp.Synced))), atHome, reference.AAGUIDBlocked, reference.AAGUIDBlocked},
		{"default profile", rp.PasskeyProfiles{Profiles: []rp.PasskeyProfile{profile(1, only(rp.Synced))}, Default: profile(1).ID}, atHome, reference.TypeNotAllowed, reference.TypeNotAllowed},
		{"everybody", rp.PasskeyProfiles{Profiles: []rp.PasskeyProfile{profile(1, only(rp.Synced))}, Targets: []rp.ProfileTarget{{Group: rp.Everybody, Profiles: []string{profile(1).ID}}}}, atHome, reference.TypeNotAllowed, reference.TypeNotAllowed},
		{"target without profiles has the default", rp.PasskeyProfiles{Profiles: []rp.PasskeyProfile{profile(1, only(rp.Synced))}, Default: profile(1).ID, Targets: []rp.ProfileTarget{{Group: "all"}}}, atHome, reference.TypeNotAllowed, reference.TypeNotAllowed},
		{"switched off", rp.PasskeyProfiles{Disabled: true}, atHome, reference.MethodDisabled, reference.MethodDisabled},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(s site) {
				says := func(err error, code string) {
					s.t.Helper()
					if code == "" {
						s.ok(err)
						return
					}
					s.refused(err, code)
				}
				one, two := rp.Person{Name: "one", Groups: []string{"all"}}, rp.Person{Name: "two", Groups: []string{"all"}}
				key := newToy(t)
				key.flags, key.aaguid = test.flags, aaguid
				s.register(one, key)
				s.ok(s.SetPasskeyProfiles(s.ctx, test.profiles))
				_, err := s.SignIn(s.ctx, one, key)
				says(err, test.existing)
				_, err = s.Register(s.ctx, two, key)
				says(err, test.register)
				s.ok(s.SetPasskeyProfiles(s.ctx, rp.PasskeyProfiles{}))
				s.signIn(one, key) // nothing was deleted
			})
		})
	}
}

func TestBadProfiles(t *testing.T) {
	long := make([]string, 700)
	for i := range long {
		long[i] = other
	}
	each(t, func(s site) {
		for name, test := range map[string]struct {
			all  rp.PasskeyProfiles
			code string
		}{
			"a fourth":        {forAll(profile(1), profile(2), profile(3), profile(4)), reference.TooManyProfiles},
			"too long":        {forAll(profile(1, models(rp.AllowModels, long...))), reference.PolicyTooLarge},
			"no type":         {forAll(profile(1, only())), reference.BadPolicy},
			"another type":    {forAll(profile(1, only("hardware"))), reference.BadPolicy},
			"no AAGUID":       {forAll(profile(1, models(rp.BlockModels, "yubikey"))), reference.BadPolicy},
			"no such kind":    {forAll(profile(1, models("deny"))), reference.BadPolicy},
			"id":              {forAll(profile(1, func(p *rp.PasskeyProfile) { p.ID = "1" })), reference.BadPolicy},
			"attestation":     {forAll(profile(1, func(p *rp.PasskeyProfile) { p.Attestation = "" })), reference.BadPolicy},
			"name":            {forAll(profile(1, func(p *rp.PasskeyProfile) { p.Name = "" })), reference.BadName},
			"same id":         {forAll(profile(1), profile(1)), reference.BadPolicy},
			"unknown profile": {rp.PasskeyProfiles{Targets: []rp.ProfileTarget{{Group: "all", Profiles: []string{profile(1).ID}}}}, reference.BadPolicy},
			"unknown default": {rp.PasskeyProfiles{Default: profile(1).ID}, reference.BadPolicy},
			"group twice":     {rp.PasskeyProfiles{Targets: []rp.ProfileTarget{{Group: "all"}, {Group: "all"}}}, reference.BadPolicy},
			"group no name":   {rp.PasskeyProfiles{Targets: []rp.ProfileTarget{{}}}, reference.BadName},
		} {
			s.ok(s.SetPasskeyProfiles(s.ctx, forAll(profile(9))))
			err := s.SetPasskeyProfiles(s.ctx, test.all)
			if !strings.Contains(fmt.Sprint(err), test.code) {
				t.Errorf("%s: %v, want %s", name, err, test.code)
			}
			if now, err := s.PasskeyProfiles(s.ctx); err != nil || len(now.Profiles) != 1 || now.Profiles[0].Name != "profile 9" {
				t.Errorf("%s left %+v, %v", name, now, err)
			}
		}
	})
}

// A group is ruled by a policy of its own or by profiles, whichever was set last.
func TestOnePolicyOrProfiles(t *testing.T) {
	each(t, func(s site) {
		key, who := newToy(t), rp.Person{Name: "one", Groups: []string{"all"}}
		s.register(who, key)
		s.ok(s.SetPolicy(s.ctx, "all", rp.Policy{Types: []string{rp.Synced}}))
		_, err := s.SignIn(s.ctx, who, key)
		s.refused(err, reference.TypeNotAllowed)
		s.ok(s.SetPasskeyProfiles(s.ctx, forAll(profile(1))))
		s.signIn(who, key)
		if n := len(s.core.Policies()); n != 1 {
			t.Errorf("%d policies, want the default alone", n)
		}
		s.ok(s.SetPolicy(s.ctx, "all", rp.Policy{Types: []string{rp.Synced}}))
		_, err = s.SignIn(s.ctx, who, key)
		s.refused(err, reference.TypeNotAllowed)
		now, err := s.PasskeyProfiles(s.ctx)
		s.ok(err)
		if len(now.Profiles) != 1 || len(now.Targets) != 0 {
			t.Errorf("after a policy of its own %+v", now)
		}
	})
}

func TestOnlyAdministratorsRegister(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.AddPerson(s.ctx, ada))
		s.ok(s.SetPasskeyProfiles(s.ctx, rp.PasskeyProfiles{NoSelfService: true}))
		_, err := s.Register(s.ctx, rp.Person{Name: "bob"}, newToy(t))
		s.refused(err, reference.SelfServiceOff)
		pass, err := s.IssuePass(s.ctx, ada, time.Hour, true)
		s.ok(err)
		_, err = s.RedeemPass(s.ctx, ada, pass)
		s.ok(err)
		_, err = s.Register(s.ctx, ada, newToy(t))
		s.refused(err, reference.SelfServiceOff)
		key := newToy(t)
		made, err := s.Provision(s.ctx, ada, "Issued key", 0, key)
		s.ok(err)
		if made.Name != "Issued key" {
			t.Errorf("it is called %q", made.Name)
		}
		s.signIn(ada, key)
	})
}

func TestFreshSignInToRegister(t *testing.T) {
	each(t, func(s site) {
		s.register(ada, newToy(t))
		s.clock.pass(5 * time.Minute)
		s.register(ada, newToy(t))
		s.clock.pass(time.Second)
		_, err := s.Register(s.ctx, ada, newToy(t))
		s.refused(err, reference.SignInTooOld)
	}, func(c *reference.Config) { c.RegisterWithin = 5 * time.Minute })
}

func TestProvision(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		_, err := s.Provision(s.ctx, ada, "", 0, key)
		s.refused(err, reference.UnknownPerson)
		s.ok(s.AddPerson(s.ctx, ada))
		for _, lifetime := range []time.Duration{time.Minute, 5*time.Minute + time.Second, 43201 * time.Minute} {
			_, err = s.Provision(s.ctx, ada, "", lifetime, key)
			s.refused(err, reference.BadLifetime)
		}
		s.ok(s.SetPasskeyProfiles(s.ctx, rp.PasskeyProfiles{Profiles: []rp.PasskeyProfile{profile(1, attested)}, Default: profile(1).ID}))
		_, err = s.Provision(s.ctx, ada, "", 0, key)
		s.refused(err, reference.AttestationRequired) // policy is for administrators too
		s.ok(s.SetPasskeyProfiles(s.ctx, rp.PasskeyProfiles{}))
		_, err = s.Provision(s.ctx, ada, "", 0, key)
		s.ok(err)
		if o := key.creation; o.Attestation != "direct" || o.AuthenticatorSelection.ResidentKey != "required" || o.AuthenticatorSelection.UserVerification != "required" {
			t.Errorf("asked for %+v", o)
		}
		s.signIn(ada, key)
	})
}

// What was begun for one person is nobody else's, is good once and for its time, and
// cannot be finished as a registration of one's own.
func TestProvisioningChallenge(t *testing.T) {
	core, clk := newCore(t)
	eve := rp.Person{Name: "eve"}
	s := site{reference.InProcess(core, ""), t, t.Context(), core, clk}
	for _, p := range []rp.Person{ada, eve} {
		s.ok(core.AddPerson(p))
	}
	answer := func() []byte {
		begun, err := core.BeginProvisioning(ada.Name, 0)
		s.ok(err)
		response, err := newToy(t).Create(s.ctx, origin, begun.Options)
		s.ok(err)
		return response
	}
	_, err := core.FinishProvisioning(eve.Name, "", answer())
	s.refused(err, reference.ChallengeUnknown)
	late := answer()
	clk.pass(5 * time.Minute)
	_, err = core.FinishProvisioning(ada.Name, "", late)
	s.refused(err, reference.ChallengeExpired)
	good := answer()
	_, err = core.FinishProvisioning(ada.Name, "", good)
	s.ok(err)
	_, err = core.FinishProvisioning(ada.Name, "", good)
	s.refused(err, reference.ChallengeUnknown)
	for _, bad := range []string{"", "{}", `{"response":{"clientDataJSON":"e30"}}`} {
		_, err := core.FinishProvisioning(ada.Name, "", []byte(bad))
		if err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
