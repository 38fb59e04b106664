package audit

import (
	"context"
	"errors"
	"strings"
	"time"

	"fido-emu/rp"
)

// passLifetime is that of the passes that attacks have issued.
const passLifetime = time.Hour

// issue has a recovery pass issued for an account.
func (b *bench) issue(a *account, once bool) (string, rp.Recovery, error) {
	admin, issues := b.site.(rp.Administration)
	recovery, redeems := b.site.(rp.Recovery)
	if !issues || !redeems {
		return "", nil, errors.New("the adapter cannot issue and redeem recovery passes")
	}
	var pass string
	err := b.call(func(ctx context.Context) (err error) {
		pass, err = admin.IssuePass(ctx, a.person, passLifetime, once)
		return err
	})
	return pass, recovery, err
}

// redeem tries a pass at an account that has no session, and judges.
func (b *bench) redeem(r rp.Recovery, a *account, pass string) finding {
	if f, ok := b.leave(a); !ok {
		return f
	}
	var s rp.Session
	err := b.call(func(ctx context.Context) (err error) {
		s, err = r.RedeemPass(ctx, a.person, pass)
		return err
	})
	f := b.judgeSignIn(a, err)
	if f.verdict == Broken && err == nil && s.Person != "" && !strings.EqualFold(s.Person, a.person.Name) {
		f = found(NotApplicable, "passes say themselves whose they are: this one opened the account of %s, to whom it was issued", s.Person)
	}
	if f.verdict == Accepted {
		return f
	}
	return b.afterwards(a, f, b.honestSignIn)
}

// recovered is an account of its own, so that nobody else's passes are replaced.
func (b *bench) recovered() (*account, string, rp.Recovery, finding) {
	a, err := b.account("recovering")
	if err != nil {
		return nil, "", nil, found(NotApplicable, "%v", err)
	}
	pass, r, err := b.issue(a, true)
	if err != nil {
		return nil, "", nil, found(NotApplicable, "no recovery pass to attack with: %v", err)
	}
	return a, pass, r, finding{}
}

func passReused(b *bench) finding {
	a, pass, r, f := b.recovered()
	if f.verdict != "" {
		return f
	}
	if f := b.redeem(r, a, pass); f.verdict != Accepted {
		return found(NotApplicable, "the pass is not good the first time: %s", f.why)
	}
	return b.redeem(r, a, pass)
}

func passOfAnother(b *bench) finding {
	_, pass, r, f := b.recovered()
	if f.verdict != "" {
		return f
	}
	victim, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	if _, _, err := b.issue(victim, true); err != nil {
		return found(NotApplicable, "%v", err)
	}
	return b.redeem(r, victim, pass)
}

func passWrong(b *bench) finding {
	a, _, r, f := b.recovered()
	if f.verdict != "" {
		return f
	}
	return b.redeem(r, a, "ABCD-EFGH-JKLM")
}

func passReplaced(b *bench) finding {
	a, old, r, f := b.recovered()
	if f.verdict != "" {
		return f
	}
	if _, _, err := b.issue(a, true); err != nil {
		return found(NotApplicable, "no second pass: %v", err)
	}
	return b.redeem(r, a, old)
}

func passExpired(b *bench) finding {
	clock, ok := b.site.(Clock)
	if !ok {
		return found(NotApplicable, "the relying party's clock is its own, and the audit does not wait for %s", passLifetime)
	}
	a, pass, r, f := b.recovered()
	if f.verdict != "" {
		return f
	}
	clock.Pass(passLifetime + time.Minute)
	return b.redeem(r, a, pass)
}
