package reference_test

import (
	"strings"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

func TestRecovery(t *testing.T) {
	each(t, func(s site) {
		lost, found := newToy(t), newToy(t)
		s.register(ada, lost)
		s.ok(s.SignOut(s.ctx, ada))
		pass, err := s.IssuePass(s.ctx, ada, time.Hour, true)
		s.ok(err)
		session, err := s.RedeemPass(s.ctx, ada, pass)
		s.ok(err)
		if session.Method != reference.MethodPass || session.Person != ada.Name || session.Credential != nil {
			t.Errorf("session %+v", session)
		}
		_, err = s.Credentials(s.ctx, ada) // it may register and nothing else
		s.refused(err, reference.SessionLimited)
		s.refused(s.DeleteCredential(s.ctx, ada, []byte("x")), reference.SessionLimited)
		s.refused(s.RenameCredential(s.ctx, ada, []byte("x"), "x"), reference.SessionLimited)
		cr := s.register(ada, found)
		list, err := s.Credentials(s.ctx, ada) // the new passkey opened a full session
		s.ok(err)
		if len(list) != 2 || string(list[1].ID) != string(cr.ID) {
			t.Errorf("listed %+v", list)
		}
		s.signIn(ada, found)
	})
}

func TestPassReasons(t *testing.T) {
	tests := []struct {
		name        string
		start, wait time.Duration
		life        time.Duration
		once        bool
		uses        int // before the one that counts
		code        string
	}{
		{"good", 0, 0, time.Hour, true, 0, ""},
		{"many times", 0, 0, time.Hour, false, 3, ""},
		{"once, twice", 0, 0, time.Hour, true, 1, reference.PassUsed},
		{"used, and out of date too", 0, 2 * time.Hour, time.Hour, true, 1, reference.PassUsed},
		{"before its start", time.Hour, 59 * time.Minute, time.Hour, true, 0, reference.PassNotYetValid},
		{"at its start", time.Hour, time.Hour, time.Hour, true, 0, ""},
		{"just before its end", 0, time.Hour - 1, time.Hour, true, 0, ""},
		{"at its end", 0, time.Hour, time.Hour, true, 0, reference.PassExpired},
		{"after the longest life", 0, 43200 * time.Minute, 43200 * time.Minute, false, 1, reference.PassExpired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(s site) {
				s.ok(s.AddPerson(s.ctx, ada))
				pass, err := s.IssuePassFrom(s.ctx, ada, s.clock.now().Add(test.start), test.life, test.once)
				s.ok(err)
				for range test.uses {
					_, err := s.RedeemPass(s.ctx, ada, pass)
					s.ok(err)
				}
				s.clock.pass(test.wait)
				_, err = s.RedeemPass(s.ctx, ada, pass)
				if test.code == "" {
					s.ok(err)
					return
				}
				s.refused(err, test.code)
				s.signedIn(ada, test.uses > 0 && test.wait == 0)
			})
		})
	}
}

func TestPassLifetimes(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.AddPerson(s.ctx, ada))
		for _, life := range []time.Duration{0, -time.Hour, 9 * time.Minute, 10*time.Minute + time.Second, 43201 * time.Minute} {
			_, err := s.IssuePass(s.ctx, ada, life, true)
			s.refused(err, reference.BadLifetime)
		}
		_, err := s.IssuePass(s.ctx, rp.Person{Name: "nobody"}, time.Hour, true)
		s.refused(err, reference.UnknownPerson)
	})
}

func TestWrongPasses(t *testing.T) {
	each(t, func(s site) {
		bob := rp.Person{Name: "bob"}
		s.ok(s.AddPerson(s.ctx, ada))
		s.ok(s.AddPerson(s.ctx, bob))
		old, err := s.IssuePass(s.ctx, ada, time.Hour, false)
		s.ok(err)
		pass, err := s.IssuePass(s.ctx, ada, time.Hour, false)
		s.ok(err)
		his, err := s.IssuePass(s.ctx, bob, time.Hour, false)
		s.ok(err)
		try := func(p rp.Person, text, code string) {
			s.t.Helper()
			_, err := s.RedeemPass(s.ctx, p, text)
			if code == "" {
				s.ok(err)
				return
			}
			s.refused(err, code)
		}
		try(ada, strings.ToLower(strings.ReplaceAll(pass, "-", " ")), "")
		for _, wrong := range []string{old, his, "", pass[:13], pass + "A"} { // five tries
			try(ada, wrong, reference.PassWrong)
		}
		try(ada, pass, reference.TooManyTries)
		try(bob, his, "") // others are not concerned
		s.clock.pass(15 * time.Minute)
		try(ada, pass, "")
		for range 5 { // nobody of that name looks the same as somebody
			try(rp.Person{Name: "nobody"}, "AAAA-AAAA-AAAA", reference.PassWrong)
		}
		try(rp.Person{Name: "nobody"}, "AAAA-AAAA-AAAA", reference.TooManyTries)
	})
}

func TestPassIsNowhere(t *testing.T) {
	core, clk := newCore(t)
	s := site{Adapter: reference.InProcess(core, ""), t: t, ctx: t.Context(), core: core, clock: clk}
	s.ok(s.AddPerson(s.ctx, ada))
	pass, err := s.IssuePass(s.ctx, ada, time.Hour, true)
	s.ok(err)
	people, _ := core.People(0, 1)
	seen := string(mustJSON([]any{people, core.Audit(0, 10)}))
	if strings.Contains(seen, pass) || !strings.Contains(seen, "EnabledByPolicy") {
		t.Errorf("an administrator sees %s", seen)
	}
}
