package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// decide takes a case from a presentation to its end: steps 8 to 12.
func (d *Desk) decide(ctx context.Context, r *record, c Callback) {
	verified, err := d.verify(ctx, r, c)
	if err != nil {
		d.deny(r, StepVerify, err)
		return
	}
	d.note(Event{Case: r.id, Account: r.account, Step: StepVerify, Done: true, Detail: "Verified ID of " + verified.Issuer})
	if err := d.belongs(r, verified); err != nil {
		d.deny(r, StepMatch, err)
		return
	}
	d.note(Event{Case: r.id, Account: r.account, Step: StepMatch, Done: true, Detail: r.profile.Match})
	if r.profile.Mode == Evaluation {
		d.evaluate(r)
		return
	}
	d.issue(r)
}

// verify looks at the presentation itself: steps 8 and 9.
func (d *Desk) verify(ctx context.Context, r *record, c Callback) (Verified, error) {
	// 8. What the request service says of it is not enough.
	verified, err := d.env.Verify.Verify(ctx, c.Request, d.accepted(r))
	if err != nil {
		return Verified{}, err
	}
	if err := d.fresh(verified); err != nil {
		return Verified{}, err
	}
	// 9. Face Check.
	switch {
	case c.Face == nil:
		return Verified{}, refuse(FaceCheckMissing, "the callback tells of no Face Check")
	case c.Face.Quality == "LOW":
		return Verified{}, refuse(PhotoQualityLow, "the photo in the Verified ID is too poor to compare a face with")
	case !(c.Face.Score >= float64(r.profile.FaceThreshold) && c.Face.Score <= 100):
		return Verified{}, refuse(FaceScoreLow, "Face Check gave %.1f, want %d to 100", c.Face.Score, r.profile.FaceThreshold)
	}
	return verified, nil
}

// accepted lists the providers whose Verified IDs do for a case.
func (d *Desk) accepted(r *record) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return accepted(d.policy, r.profile)
}

// fresh refuses a presentation that was shown before, and remembers this one.
func (d *Desk) fresh(v Verified) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, again := d.shown[v.ID]; again {
		return refuse(PresentationReplayed, "this presentation was shown before")
	}
	until := latest(v.Expires, d.env.Now().Add(CaseLifetime))
	if until.Year() > 9999 { // JSON has no place for it
		until = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	d.shown[v.ID] = until
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// belongs compares the Verified ID with the account: steps 10 and 11.
func (d *Desk) belongs(r *record, v Verified) error {
	// 10. The names, and what else the profile compares.
	account, ok := d.env.Accounts.Account(r.account)
	switch {
	case !ok:
		return refuse(AccountGone, "there is no account %s any more", r.account)
	case account.names().empty():
		return refuse(NamesMissing, "the directory has no first and last name of %s", r.account)
	case !Match(r.profile.Match, account.names(), v.Names):
		return refuse(NameMismatch, "the names of the Verified ID are not those of %s (%s match)", r.account, r.profile.Match)
	case r.profile.BirthDate && (account.BirthDate == "" || account.BirthDate != v.BirthDate):
		return refuse(ClaimMismatch, "the date of birth of the Verified ID is not that of %s", r.account)
	}
	// 11. Nobody else's.
	opens := func(a Account) bool {
		return fold(a.Name) != fold(r.account) && Match(r.profile.Match, a.names(), v.Names) &&
			(!r.profile.BirthDate || a.BirthDate == v.BirthDate)
	}
	if slices.ContainsFunc(d.env.Accounts.All(), opens) {
		return refuse(AmbiguousName, "another account has the names of %s, too: the helpdesk has to tell them apart", r.account)
	}
	return nil
}

func (a Account) names() Names { return Names{a.Given, a.Family} }

// deny ends a case after somebody proved to be somebody, and tells the owner.
func (d *Desk) deny(r *record, step string, err error) {
	d.close(r, step, err)
	d.notify(r, NoticeRefused, "Somebody tried to recover your account and was refused. If it was not you, tell the helpdesk.")
}

// evaluate reports: step 12 in evaluation.
func (d *Desk) evaluate(r *record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stillOpen(r) {
		return
	}
	r.state, r.url, r.finished = Evaluated, "", d.env.Now()
	r.detail = "everything was verified; in production there would be a Temporary Access Pass"
	d.note(Event{Case: r.id, Account: r.account, Step: StepEvaluate, Done: true, Detail: r.detail})
}

// issue gives a pass and ends every other case of the account: step 12 in
// production. The lock is held throughout, so that of two cases one wins, and so that a
// snapshot has all of it or nothing.
func (d *Desk) issue(r *record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stillOpen(r) {
		return
	}
	pass, err := d.env.Issue(r.account, passLifetime(r.profile))
	if err != nil {
		r.end(d.env.Now(), err)
		d.note(Event{Case: r.id, Account: r.account, Step: StepIssue, Reason: codeOf(err), Detail: r.detail})
		return
	}
	r.state, r.pass, r.url, r.finished = Issued, pass, "", d.env.Now()
	d.granted[fold(r.account)] = r
	d.note(Event{Case: r.id, Account: r.account, Step: StepIssue, Done: true, Detail: fmt.Sprintf("good for %d minutes", r.profile.PassLifetimeMinutes)})
	d.supersede(r)
	d.notify(r, NoticeIssued, "Your account was recovered, and a Temporary Access Pass was issued. If it was not you, tell the helpdesk at once.")
}

// stillOpen looks again at a case whose decision took a while; the caller holds the
// lock.
func (d *Desk) stillOpen(r *record) bool {
	d.expire(r)
	return Open(r.state)
}

// supersede ends the other open cases of an account; the caller holds the lock.
func (d *Desk) supersede(by *record) {
	for _, r := range d.cases {
		if r == by || fold(r.account) != fold(by.account) || !Open(r.state) {
			continue
		}
		r.end(d.env.Now(), refuse(CaseSuperseded, "another recovery of this account was completed"))
		d.note(Event{Case: r.id, Account: r.account, Step: StepEnd, Reason: CaseSuperseded, Detail: fmt.Sprintf("by case %s", by.id)})
	}
}

// Registered tells the desk that somebody registered a passkey with a pass: step
// 13. It says whether the older passkeys and methods of the account have to go.
// The pass is shown no more.
func (d *Desk) Registered(account string) (revoke bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.granted[fold(account)]
	delete(d.granted, fold(account))
	if r == nil {
		return false
	}
	r.pass = ""
	d.note(Event{Case: r.id, Account: r.account, Step: StepRegister, Done: true})
	if r.revoke {
		d.note(Event{Case: r.id, Account: r.account, Step: StepRevoke, Done: true, Detail: "what was registered before"})
	}
	d.notify(r, NoticeRegistered, "A new passkey was registered after your account was recovered. If it was not you, tell the helpdesk at once.")
	return r.revoke
}

// Replaced tells the desk that an administrator issued a pass, which took the place
// of the one that a case had led to.
func (d *Desk) Replaced(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.granted[fold(account)]; r != nil {
		delete(d.granted, fold(account))
		r.pass = ""
	}
}
