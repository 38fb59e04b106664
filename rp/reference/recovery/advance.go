package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"time"
)

// Status tells whoever has the secret how a case stands, and takes it further where
// another service has news: steps 5 and 6.
func (d *Desk) Status(ctx context.Context, id, secret string) (Status, error) {
	d.mu.Lock()
	r, err := d.bySecret(id, secret)
	d.mu.Unlock()
	if err != nil {
		return Status{}, err
	}
	d.advance(ctx, r)
	d.mu.Lock()
	defer d.mu.Unlock()
	return r.status(), nil
}

// Continue returns where a person goes on who came by the link of a case, on
// whatever device. It shows neither the pass nor why a case ended.
func (d *Desk) Continue(ctx context.Context, link string) (url string, state string, err error) {
	hash := sha256.Sum256([]byte(link))
	d.mu.Lock()
	r := d.find(func(r *record) bool { return hmac.Equal(r.link[:], hash[:]) })
	d.mu.Unlock()
	if r == nil {
		return "", "", refuse(CaseUnknown, "there is no such recovery")
	}
	d.advance(ctx, r)
	d.mu.Lock()
	defer d.mu.Unlock()
	return r.url, r.state, nil
}

// advance asks other services for what a case waits for. Only one goroutine at a
// time does so for a case; others see it as it was.
func (d *Desk) advance(ctx context.Context, r *record) {
	d.mu.Lock()
	d.expire(r)
	stale := r.proofed && Open(r.state) && !d.env.Now().Before(r.request.expires)
	if r.busy || !Open(r.state) || r.proofed && !stale {
		d.mu.Unlock()
		return
	}
	r.busy = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		r.busy = false
		d.mu.Unlock()
	}()
	if !r.proofed && !d.proof(ctx, r) { // proofed changes only while busy
		return
	}
	_ = d.ask(ctx, r) // noted; the next poll tries again
}

// expire ends a case that took too long; the caller holds the lock.
func (d *Desk) expire(r *record) {
	if now := d.env.Now(); Open(r.state) && !now.Before(r.expires()) {
		r.end(now, refuse(CaseExpired, "this recovery was open until %s: start again", stamp(r.expires())))
		d.note(Event{Case: r.id, Account: r.account, Step: StepEnd, Reason: CaseExpired})
	}
}

// proof asks the provider: step 5. It tells whether identity is proved.
func (d *Desk) proof(ctx context.Context, r *record) bool {
	result, err := d.env.Providers.Result(ctx, r.provider, r.session)
	switch {
	case err != nil && codeOf(err) == "broken":
		d.trouble(r, StepProof, unavailable(r.provider, err))
		return false
	case err != nil:
		d.close(r, StepProof, err)
		return false
	case !result.Done:
		d.mu.Lock()
		r.detail = ""
		d.mu.Unlock()
		return false
	case !result.Verified:
		d.close(r, StepProof, refuse(reasonOf(result.Reasons), "%s did not verify the person: %s", r.provider, strings.Join(result.Reasons, ", ")))
		return false
	}
	d.mu.Lock()
	r.proofed, r.detail = true, ""
	d.mu.Unlock()
	d.note(Event{Case: r.id, Account: r.account, Step: StepProof, Done: true, Detail: r.provider})
	return true
}

// reasonOf is the code for what a provider rejected: its first reason.
func reasonOf(reasons []string) string {
	if len(reasons) == 0 {
		return "rejected"
	}
	return reasons[0]
}

// ask asks for a presentation: step 6. Every request has a state and a key of its
// own, so that the callbacks of an older one count for nothing.
func (d *Desk) ask(ctx context.Context, r *record) error {
	state, err := d.token(24)
	if err != nil {
		return err
	}
	key, err := d.token(24)
	if err != nil {
		return err
	}
	asked, err := d.env.Requests.Create(ctx, Wanted{State: state, Key: key, Threshold: r.profile.FaceThreshold, Providers: d.accepted(r)})
	if err != nil {
		err = refuse(RequestFailed, "the presentation cannot be asked for now: %v", err)
		d.trouble(r, StepRequest, err)
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !Open(r.state) { // it ended meanwhile
		return nil
	}
	r.state, r.url, r.detail = Presenting, asked.URL, ""
	r.request = request{id: asked.Request, state: state, key: sha256.Sum256([]byte(key)), expires: asked.Expires}
	if r.request.expires.IsZero() {
		r.request.expires = d.env.Now().Add(5 * time.Minute)
	}
	d.note(Event{Case: r.id, Account: r.account, Step: StepRequest, Done: true})
	return nil
}

// trouble tells of what may pass: the case stays open.
func (d *Desk) trouble(r *record, step string, err error) {
	d.mu.Lock()
	again := r.detail == detailOf(err)
	r.detail = detailOf(err)
	d.mu.Unlock()
	if !again { // polls would fill the log
		d.note(Event{Case: r.id, Account: r.account, Step: step, Reason: codeOf(err), Detail: detailOf(err)})
	}
}

// close ends a case with a refusal.
func (d *Desk) close(r *record, step string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !Open(r.state) {
		return
	}
	r.end(d.env.Now(), err)
	d.note(Event{Case: r.id, Account: r.account, Step: step, Reason: codeOf(err), Detail: r.detail})
}
