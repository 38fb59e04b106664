package double

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/verifier"
)

// ceremony is one that was begun.
type ceremony struct {
	double    *Double
	kind      string // registration or authentication
	challenge []byte
	person    rp.Person // named; zero for none
	newcomer  *person   // registration: the account to be made
	asked     rp.Policy
	allow     [][]byte
	expires   time.Time
	used      bool
	options   json.RawMessage
	headers   map[string]string // of the request that hands the response in
}

// Options returns what the page is given.
func (c *ceremony) Options() (page string, optionsJSON []byte) { return origin, c.options }

// Finish hands in a response and looks for what came of it.
func (c *ceremony) Finish(_ context.Context, responseJSON []byte) (done bool, err error) {
	if c.kind == "registration" {
		r, err := c.double.finishRegistration(c, responseJSON)
		if err != nil {
			return false, err
		}
		c.double.mu.Lock()
		defer c.double.mu.Unlock()
		return c.double.records[string(r.ID)] == r, nil
	}
	s, err := c.double.finishSignIn(c, responseJSON)
	if err != nil {
		return false, err
	}
	return c.double.SignedIn(context.Background(), rp.Person{Name: s.Person})
}

// BeginRegistration begins a registration.
func (d *Double) BeginRegistration(_ context.Context, p rp.Person) (rp.Ceremony, error) {
	return d.beginRegistration(p)
}

// BeginSignIn begins a sign-in.
func (d *Double) BeginSignIn(_ context.Context, p rp.Person) (rp.Ceremony, error) {
	return d.beginSignIn(p, nil)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// enter begins a ceremony with a challenge of its own.
func (d *Double) enter(c *ceremony) error {
	var err error
	c.double, c.expires = d, d.now().Add(challengeLifetime)
	if c.challenge, err = d.draw(32); err != nil {
		return &rp.Broken{Doing: "drawing a challenge", Err: err}
	}
	d.ceremonies = append(d.ceremonies, c)
	return nil
}

// beginRegistration begins the registration of a passkey, of somebody new or signed in.
func (d *Double) beginRegistration(p rp.Person) (*ceremony, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &ceremony{kind: "registration", person: p}
	who := d.people[p.Name]
	switch {
	case who == nil:
		handle, err := d.draw(32)
		if err != nil {
			return nil, &rp.Broken{Doing: "drawing a user handle", Err: err}
		}
		who = &person{Person: p, handle: handle}
		c.newcomer = who
	case d.sessions[p.Name] != p.Name && !d.lacks("registration.session"):
		return nil, refuse("sign-in-required", "there is an account of that name")
	}
	c.asked = d.policy(who.Person)
	if err := d.enter(c); err != nil {
		return nil, err
	}
	var params []any
	for _, alg := range offered() {
		params = append(params, map[string]any{"type": "public-key", "alg": int(alg)})
	}
	attestation := "none"
	if c.asked.RequireAttestation {
		attestation = "direct"
	}
	var err error
	c.options, err = mustJSON(map[string]any{
		"rp": map[string]any{"id": rpID, "name": "Double"}, "user": map[string]any{"id": b64(who.handle), "name": p.Name, "displayName": p.DisplayName},
		"challenge": b64(c.challenge), "pubKeyCredParams": params, "attestation": attestation,
		"authenticatorSelection": map[string]any{"userVerification": verification(c.asked)},
	})
	return c, err
}

func verification(p rp.Policy) string {
	if p.UserVerification == "" {
		return "preferred"
	}
	return p.UserVerification
}

// beginSignIn begins a sign-in by name, or without one. wishes are the client's for the
// options.
func (d *Double) beginSignIn(p rp.Person, wishes map[string]string) (*ceremony, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &ceremony{kind: "authentication", person: p}
	who := d.people[p.Name]
	if who == nil && p.Name != "" && d.lacks("enumeration.sign-in") {
		return nil, refuse("unknown-person", "there is nobody of that name")
	}
	if who != nil {
		c.asked = d.policy(who.Person)
	}
	if wish := wishes["userVerification"]; wish != "" && d.lacks("authentication.user-verified.wish") {
		c.asked.UserVerification = wish
	}
	if err := d.enter(c); err != nil {
		return nil, err
	}
	if p.Name != "" {
		c.allow = d.allowed(p.Name, c)
	}
	allow := []any{}
	for _, id := range c.allow {
		allow = append(allow, map[string]any{"type": "public-key", "id": b64(id)})
	}
	var err error
	c.options, err = mustJSON(map[string]any{
		"challenge": b64(c.challenge), "rpId": rpID, "allowCredentials": allow, "userVerification": verification(c.asked),
	})
	return c, err
}

// allowed returns allowCredentials: of nobody, passkeys that are made up.
func (d *Double) allowed(name string, c *ceremony) (ids [][]byte) {
	for _, r := range d.records {
		if r.owner.Name == name {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) > 0 || d.lacks("enumeration.empty") {
		return sorted(ids)
	}
	if d.lacks("enumeration.changing") {
		name += string(c.challenge)
	}
	return [][]byte{d.madeUp(name)}
}

// current looks at the state of a ceremony that is to be finished, and returns the
// challenge that counts.
func (d *Double) current(c *ceremony, response []byte) ([]byte, error) {
	switch {
	case c.used && !d.lacks(c.kind+".challenge.once"):
		return nil, refuse("challenge-used", "this ceremony is over")
	case !d.now().Before(c.expires) && !d.lacks(c.kind+".challenge.expires"):
		return nil, refuse("challenge-expired", "this ceremony took longer than %s", challengeLifetime)
	}
	c.used = true
	given := challengeOf(response)
	for _, other := range d.ceremonies {
		if b64(other.challenge) != given {
			continue
		}
		if other.kind == c.kind && (d.lacks(c.kind+".challenge.session") && !other.used || d.lacks(c.kind+".challenge.replay")) ||
			other.kind != c.kind && d.lacks(c.kind+".challenge.kind") {
			return other.challenge, nil
		}
	}
	return c.challenge, nil
}

// verifies returns what verifies the response to a ceremony. One that lacks a step
// expects the origin that a header names.
func (d *Double) verifies(c *ceremony) *verifier.Verifier {
	rules := d.rules
	for _, from := range [][2]string{{"Origin", "request-origin"}, {"Host", "request-host"}, {"X-Forwarded-Host", "request-forwarded"}} {
		if named := c.headers[from[0]]; named != "" && d.lacks(c.kind+".origin."+from[1]) {
			rules.Origins = []string{"https://" + strings.TrimPrefix(named, "https://")}
		}
	}
	v, err := verifier.New(rules)
	if err != nil {
		return d.verifier
	}
	return v
}

// challengeOf reads the challenge of a response; it is empty where there is none.
func challengeOf(response []byte) string {
	var r struct {
		Response struct {
			ClientDataJSON string `json:"clientDataJSON"`
		} `json:"response"`
	}
	var data struct {
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(response, &r) != nil {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(r.Response.ClientDataJSON)
	if err != nil || json.Unmarshal(b, &data) != nil {
		return ""
	}
	return data.Challenge
}

// find returns what is remembered of a passkey, nil when there is none of that id.
func (d *Double) find(id []byte) *verifier.Record {
	r := d.records[string(id)]
	if r == nil && d.lacks("authentication.deleted") {
		r = d.deleted[string(id)]
	}
	if r == nil {
		return nil
	}
	return &r.Record
}

// finishRegistration verifies a response and enters the passkey.
func (d *Double) finishRegistration(c *ceremony, response []byte) (*record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	challenge, err := d.current(c, response)
	if err != nil {
		return nil, err
	}
	who := d.people[c.person.Name]
	if who == nil {
		who = c.newcomer
	}
	made, err := d.verifies(c).Register(verifier.Request{
		Challenge: challenge, UserVerification: c.asked.UserVerification == "required", UserHandle: who.handle,
		Find: d.find, Algorithms: offered(), Attestation: c.asked.RequireAttestation,
	}, response)
	if err != nil {
		return nil, refuse("registration-failed", "%v", err)
	}
	d.people[who.Name] = who
	r := &record{Record: *made, owner: who, name: fmt.Sprintf("passkey %d", len(d.records)+1), made: d.now()}
	d.records[string(r.ID)] = r
	d.sessions[who.Name] = who.Name
	return r, nil
}

// finishSignIn verifies a response and begins a session.
func (d *Double) finishSignIn(c *ceremony, response []byte) (rp.Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	challenge, err := d.current(c, response)
	if err != nil {
		return rp.Session{}, err
	}
	q := verifier.Request{
		Challenge: challenge, UserVerification: c.asked.UserVerification == "required", Find: d.find,
		Allow: c.allow, RejectCounterRewind: c.asked.RejectCounterRewind,
	}
	who := d.people[c.person.Name]
	if who != nil {
		q.UserHandle = who.handle
	}
	if d.lacks("authentication.state.first") {
		d.remember(response)
	}
	next, err := d.verifies(c).Authenticate(q, response)
	switch {
	case err != nil && who == nil && c.person.Name != "" && d.lacks("enumeration.answers"):
		return rp.Session{}, refuse("unknown-person", "%v", err)
	case err != nil:
		return rp.Session{}, refuse("sign-in-failed", "%v", err)
	}
	r := d.records[string(next.ID)]
	if r == nil {
		r = d.deleted[string(next.ID)]
	}
	if d.lacks("authentication.state.kept") {
		next.SignCount = r.SignCount
	}
	r.Record = *next
	if who == nil {
		who = r.owner
	}
	d.sessions[who.Name] = who.Name
	return rp.Session{Person: who.Name, Method: "passkey", Credential: next.ID}, nil
}

// remember takes the counter of a response over before it is verified.
func (d *Double) remember(response []byte) {
	var r struct {
		ID       string `json:"id"`
		Response struct {
			AuthenticatorData string `json:"authenticatorData"`
		} `json:"response"`
	}
	if json.Unmarshal(response, &r) != nil {
		return
	}
	id, err := base64.RawURLEncoding.DecodeString(r.ID)
	data, err2 := base64.RawURLEncoding.DecodeString(r.Response.AuthenticatorData)
	if known := d.records[string(id)]; err == nil && err2 == nil && known != nil && len(data) >= 37 {
		known.SignCount = max(known.SignCount, uint32(data[33])<<24|uint32(data[34])<<16|uint32(data[35])<<8|uint32(data[36]))
	}
}
