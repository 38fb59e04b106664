package authenticator_test

import (
	"bytes"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// getAssertion asks for an assertion with anything.
func (w *world) getAssertion() {
	c := &ceremony{rp: pick(w, rps, "rp"), hash: w.clientData(), up: !w.silent && !w.chance(4, "silent")}
	q := &ctap.GetAssertionRequest{RPID: c.rp, ClientDataHash: c.hash, Options: map[string]bool{}}
	if w.chance(2, "allowList") {
		c.listed = w.someIDs()
		q.AllowList = w.descriptors(c.listed)
	}
	inputs := map[string]any{"credBlob": true}
	if slices.Contains(w.p.Extensions, "largeBlobKey") {
		inputs["largeBlobKey"] = true
	}
	secret := w.hmacInput(inputs)
	q.Extensions = w.inputs(inputs)
	x, uv := w.authenticate(ga, c)
	if uv {
		q.Options["uv"] = true
	}
	if !c.up {
		q.Options["up"] = false
	}
	q.PinUvAuthParam, q.PinUvAuthProtocol = x.mac, x.protocol
	if w.insist == nil && w.chance(10, "flaw") {
		w.refuses(c, q)
		return
	}
	worth := w.worth(x, ga, c.rp)
	status, body := w.exchange(ctap.GetAssertion, q, w.eligible(c, x, worth))
	w.settle(c, x, worth, status)
	w.judge(x, worth, status, "getAssertion")
	if status == ctap.OK {
		w.asserted(q, c, body, secret)
	} else {
		w.notAsserted(c, status)
	}
}

// refuses spoils a getAssertion, which then must fail.
func (w *world) refuses(c *ceremony, q *ctap.GetAssertionRequest) {
	switch pick(w, []string{"hash", "rp", "rk", "mac"}, "spoilt") {
	case "hash":
		q.ClientDataHash = q.ClientDataHash[:31]
	case "rp":
		q.RPID = ""
	case "rk":
		q.Options["rk"] = true
	case "mac":
		q.PinUvAuthParam, q.PinUvAuthProtocol = []byte{1, 2, 3}, w.p.PINProtocols[0]
	}
	if status, _ := w.exchange(ctap.GetAssertion, q, nil); status == ctap.OK {
		w.object("a getAssertion without what it needs succeeds: %+v", q)
	}
	w.settle(c, proof{}, no, ctap.ErrOther)
}

// eligible are the credentials of which an assertion may tell: with names only where
// there are several to choose from, and to a user who was verified.
func (w *world) eligible(c *ceremony, x proof, worth verdict) func(*credential) disclosure {
	return func(one *credential) disclosure {
		verified := x.k != nil && worth != no || x.k == nil && w.recognised()
		if !one.usable(c.rp, verified, c.lists(one)) || c.listed == nil && !one.rk {
			return nothing
		}
		if verified && c.listed == nil {
			return all
		}
		return anonymous
	}
}

func (c *ceremony) lists(one *credential) bool {
	return slices.ContainsFunc(c.listed, func(id []byte) bool { return bytes.Equal(id, one.id) })
}

// candidates are the credentials that a getAssertion may use, in its order.
func (w *world) candidates(c *ceremony) (found []*credential) {
	if c.listed == nil {
		for _, one := range w.there(c.rp) {
			if one.usable(c.rp, c.verified == yes, false) {
				found = append(found, one)
			}
		}
		return found
	}
	for _, id := range c.listed {
		for _, one := range w.credentials {
			if bytes.Equal(one.id, id) && one.usable(c.rp, c.verified == yes, true) {
				found = append(found, one)
			}
		}
	}
	return found
}

func (w *world) notAsserted(c *ceremony, status ctap.Status) {
	found := w.candidates(c)
	switch {
	case status == ctap.ErrNoCredentials && len(found) > 0 && c.verified != perhaps:
		w.object("no credentials, of %d", len(found))
	case status != ctap.ErrNoCredentials && c.verified == yes && c.up && w.willing() && len(found) > 0:
		w.object("getAssertion: %v, with nothing wrong", status)
	}
}

func (w *world) asserted(q *ctap.GetAssertionRequest, c *ceremony, body []byte, secret []byte) {
	switch {
	case c.up && !c.present:
		w.object("an assertion without a touch")
	case q.PinUvAuthParam != nil && c.verified == no:
		w.object("an assertion for a token that is worth nothing")
	case c.up && w.alwaysUV && c.verified == no:
		w.object("an assertion without user verification, which is always required")
	}
	response, data := w.signed(c, body)
	found := w.candidates(c)
	n := 1
	if c.listed == nil {
		n = len(found)
	}
	if len(found) == 0 {
		w.object("an assertion where there is no credential")
	}
	if told := max(1, response.NumberOfCredentials); int(told) != n {
		w.object("%d credentials are announced, there are %d", told, n)
	}
	w.describes(c, found[0], response, data, n > 1)
	w.hmacOutput(c, found[0], data, secret)
	if n > 1 {
		w.happened("several")
		w.listing = listing{rest: found[1:], ceremony: c, channel: w.channel, lastAnswer: w.clock}
	}
}

// signed reads an assertion and objects to false flags.
func (w *world) signed(c *ceremony, body []byte) (*ctap.GetAssertionResponse, *ctap.AuthenticatorData) {
	response := &ctap.GetAssertionResponse{}
	w.decode(body, response)
	data, err := ctap.ParseAuthenticatorData(response.AuthData)
	w.must(err)
	w.hears(c, data)
	return response, data
}

// describes objects to an assertion that is not of the credential that it must be of.
func (w *world) describes(c *ceremony, one *credential, response *ctap.GetAssertionResponse, data *ctap.AuthenticatorData, several bool) {
	if response.Credential == nil || !bytes.Equal(response.Credential.ID, one.id) {
		w.object("an assertion of another credential than %s's at %s", one.name, one.rp)
	}
	if err := cose.Verify(one.key, slices.Concat(response.AuthData, c.hash), response.Signature); err != nil {
		w.object("an assertion that does not verify: %v", err)
	}
	if u := response.User; one.rk != (u != nil) || u != nil && (string(u.ID) != one.handle || u.Name != "" && (!several || c.verified != yes)) {
		w.object("an assertion for user %+v of %+v", u, one)
	}
	if !bytes.Equal(response.LargeBlobKey, one.blobKey) {
		w.object("another large blob key than the credential's")
	}
	var told struct {
		Blob ctap.Bytes `cbor:"credBlob"`
	}
	w.must(decodeOutputs(data.Extensions, &told))
	if !bytes.Equal(told.Blob, one.blob) {
		w.object("credBlob %q, want %q", told.Blob, one.blob)
	}
	if one.level == 3 {
		w.happened("protected and verified")
	}
}

// assertAll goes on with getNextAssertion to the end and a little longer, if nothing
// comes between.
func (w *world) assertAll() {
	w.getAssertion()
	for range len(w.listing.rest) + 1 {
		w.interrupt()
		w.getNextAssertion()
	}
}

// interrupt is what sometimes happens between two commands of an enumeration.
func (w *world) interrupt() {
	if w.chance(4, "interruption") {
		pick(w, []func(){w.wait, w.look, w.powerCycle, w.selection, w.u2f, func() { w.channel++ }}, "interruption")()
	}
}

// getNextAssertion goes on with what a getAssertion began, or with nothing.
func (w *world) getNextAssertion() {
	l := w.listing
	if len(l.rest) > 0 && w.chance(8, "other channel") {
		w.channel++
	}
	right := l.next == 0 && len(l.rest) > 0 && l.channel == w.channel && w.clock.Sub(l.lastAnswer) <= firstUse
	w.goesOn = true
	status, body := w.exchange(ctap.GetNextAssertion, nil, func(one *credential) disclosure {
		if !right || one != l.rest[0] {
			return nothing
		}
		if l.ceremony.verified == yes {
			return all
		}
		return anonymous
	})
	switch {
	case !right && status != ctap.ErrNotAllowed:
		w.object("getNextAssertion without more to come: %v", status)
	case right && status != ctap.OK:
		w.object("getNextAssertion: %v, with %d to come", status, len(l.rest))
	case !right:
		w.listing = listing{}
		return
	}
	response, data := w.signed(l.ceremony, body)
	w.describes(l.ceremony, l.rest[0], response, data, true)
	w.happened("next")
	w.listing.rest, w.listing.lastAnswer = l.rest[1:], w.clock
}
