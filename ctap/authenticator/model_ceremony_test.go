package authenticator_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

func rapidInt(w *world, most int, what string) int { return rapid.IntRange(0, most).Draw(w.T, what) }

// dice is 0 where nothing unusual is to be chosen.
func (w *world) dice(most int, what string) int {
	if w.kind {
		return 0
	}
	return rapidInt(w, most, what)
}

var rps = []string{"a.example", "b.example"}

// ceremony is what is known of a makeCredential or getAssertion.
type ceremony struct {
	rp       string
	hash     []byte
	up       bool
	verified verdict
	present  bool
	listed   [][]byte
}

// hears tells whether the person was verified, and objects to flags that say what did
// not happen.
func (w *world) hears(c *ceremony, data *ctap.AuthenticatorData) {
	if hash := hashOf(c.rp); data.RPIDHash != hash {
		w.object("authenticator data for %x in a ceremony of %s", data.RPIDHash, c.rp)
	}
	if up := data.Flags&ctap.FlagUP != 0; up != c.up || up && !c.present {
		w.object("flag UP is %v; asked for %v, there %v", up, c.up, c.present)
	}
	uv := data.Flags&ctap.FlagUV != 0
	if uv && c.verified == no || !uv && c.verified == yes {
		w.object("flag UV is %v; verified: %v", uv, c.verified)
	}
	if uv {
		c.verified = yes
		w.happened("UV")
	} else {
		c.verified = no
	}
	if be := data.Flags&ctap.FlagBE != 0; be != w.p.BackupEligible {
		w.object("flag BE is %v", be)
	}
	w.count(data.SignCount)
}

// authenticate chooses how the user is to be verified: by a token, by built-in means,
// or not.
func (w *world) authenticate(permission ctap.Permissions, c *ceremony) (x proof, uv bool) {
	switch way := w.dice(3, "verification"); {
	case w.kind && w.protected(), way == 1, w.insist != nil:
		x = w.prove(permission, c.rp, c.hash)
	case way >= 2 && w.builtIn():
		uv = true
	}
	c.verified = w.worth(x, permission, c.rp)
	return x, uv
}

// settle works out what happened in a ceremony, and what it did to the tokens.
func (w *world) settle(c *ceremony, x proof, worth verdict, status ctap.Status) {
	if x.k == nil && w.recognised() {
		c.verified = yes
	}
	k := x.k
	c.present = w.touched() || k != nil && k.byUV && !k.spent && w.clock.Sub(k.born) <= firstUse
	if k != nil && !k.persistent && status == ctap.OK {
		k.rp = c.rp
	} else if k != nil && k.rp == "" && worth != no {
		k.surely = 0
	}
	for _, k := range w.tokens {
		if c.up && !k.persistent {
			k.surely &= lbw
			if status == ctap.OK {
				k.permissions, k.spent = k.permissions&lbw, true
			}
		}
	}
}

func (w *world) descriptors(ids [][]byte) (list []ctap.Descriptor) {
	for _, id := range ids {
		list = append(list, ctap.Descriptor{ID: id, Type: ctap.PublicKeyCredential})
	}
	return list
}

// someIDs are ids of credentials of any relying party, of such as were, and of none.
func (w *world) someIDs() (ids [][]byte) {
	for range 1 + rapidInt(w, 2, "ids") {
		if len(w.credentials) == 0 || w.chance(8, "unknown id") {
			ids = append(ids, bytes.Repeat([]byte{1}, 64))
			continue
		}
		ids = append(ids, pick(w, w.credentials, "credential").id)
	}
	return ids
}

func (w *world) clientData() []byte {
	hash := hashOf(fmt.Sprint("client data ", w.rand.Uint64()))
	return hash[:]
}

// makeCredential makes a credential with anything.
func (w *world) makeCredential() {
	c := &ceremony{rp: pick(w, rps, "rp"), hash: w.clientData(), up: true}
	user := pick(w, []string{"ada", "bob", "cyd"}, "user")
	if w.kind {
		user, c.rp = w.user, rps[len(w.user)%2]
	}
	made := &credential{
		rp: c.rp, handle: fmt.Sprintf("handle of %s, %s", user, c.rp[:1]), name: fmt.Sprintf("%s number %03d", user, len(w.credentials)),
		level: uint(pick(w, []int{0, 3, 2, 1}, "credProtect")), rk: !w.chance(3, "not discoverable"),
	}
	q := &ctap.MakeCredentialRequest{
		ClientDataHash: c.hash, RP: &ctap.RelyingParty{ID: c.rp, Name: "Site"}, User: &ctap.User{ID: []byte(made.handle), Name: made.name},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: int(cose.ES256), Type: ctap.PublicKeyCredential}},
		Options:          map[string]bool{"rk": made.rk},
	}
	w.makeInputs(q, made)
	if w.chance(4, "excludeList") {
		c.listed = w.someIDs()
		q.ExcludeList = w.descriptors(c.listed)
	}
	if w.p.Enterprise.Capable && w.chance(5, "enterprise") {
		kind := uint(2)
		q.EnterpriseAttestation = &kind
	}
	x, uv := w.authenticate(mc, c)
	if uv {
		q.Options["uv"] = true
	}
	q.PinUvAuthParam, q.PinUvAuthProtocol = x.mac, x.protocol
	flawed := w.insist == nil && w.chance(10, "flaw") && w.spoilMake(q)
	worth := w.worth(x, mc, c.rp)
	status, body := w.exchange(ctap.MakeCredential, q, nil)
	w.settle(c, x, worth, status)
	if !flawed {
		w.judge(x, worth, status, "makeCredential")
	}
	w.judgeMake(q, c, made, status, flawed)
	if status == ctap.OK {
		w.made(q, c, made, body)
	}
}

// makeInputs gives a request extensions, and the credential what they make of it.
func (w *world) makeInputs(q *ctap.MakeCredentialRequest, made *credential) {
	inputs := map[string]any{}
	if made.level > 0 {
		inputs["credProtect"] = made.level
	}
	if !w.chance(2, "no hmac-secret") {
		inputs["hmac-secret"] = true
		made.hmac = slices.Contains(w.p.Extensions, "hmac-secret")
	}
	if !w.chance(2, "no credBlob") {
		blob := []byte(fmt.Sprintf("blob %03d of a credential", len(w.credentials)))
		inputs["credBlob"] = blob
		if slices.Contains(w.p.Extensions, "credBlob") && (made.rk || w.p.AlwaysDiscover) {
			made.blob = blob
		}
	}
	if made.rk && w.chance(3, "largeBlobKey") {
		inputs["largeBlobKey"] = true
	}
	if !slices.Contains(w.p.Extensions, "credProtect") {
		made.level = 0
	}
	made.level = max(made.level, uint(w.p.DefaultCredProtect), 1)
	made.rk = made.rk || w.p.AlwaysDiscover
	q.Extensions = w.inputs(inputs)
}

func (w *world) inputs(inputs map[string]any) map[string]cbor.RawMessage {
	encoded := map[string]cbor.RawMessage{}
	for id, input := range inputs {
		raw, err := ctap.Encode(input)
		w.must(err)
		encoded[id] = raw
	}
	return encoded
}

// spoilMake takes away or spoils what a makeCredential must have.
func (w *world) spoilMake(q *ctap.MakeCredentialRequest) bool {
	switch pick(w, []string{"hash", "rp", "user", "handle", "algorithm", "up", "mac"}, "spoilt") {
	case "hash":
		q.ClientDataHash = q.ClientDataHash[:31]
	case "rp":
		q.RP = nil
	case "user":
		q.User = nil
	case "handle":
		q.User.ID = nil
	case "algorithm":
		q.PubKeyCredParams[0].Algorithm = -9999
	case "up":
		q.Options["up"] = false
	case "mac":
		q.PinUvAuthParam, q.PinUvAuthProtocol = []byte{1, 2, 3}, w.p.PINProtocols[0]
	}
	return true
}

// judgeMake says when a makeCredential may and must succeed (section 6.1.2).
func (w *world) judgeMake(q *ctap.MakeCredentialRequest, c *ceremony, made *credential, status ctap.Status, flawed bool) {
	excluded, perhapsExcluded := false, false
	for _, old := range w.credentials {
		listed := slices.ContainsFunc(c.listed, func(id []byte) bool { return bytes.Equal(id, old.id) })
		excluded = excluded || listed && old.usable(c.rp, c.verified == yes, true)
		perhapsExcluded = perhapsExcluded || listed && old.usable(c.rp, c.verified != no, true)
	}
	replaces := slices.ContainsFunc(w.there(c.rp), func(old *credential) bool { return old.handle == made.handle })
	full := made.rk && !replaces && len(w.there("")) >= w.p.CredentialLimit()
	switch status {
	case ctap.OK:
		w.mayMake(q, c, made, flawed || excluded || full)
	case ctap.ErrCredentialExcluded:
		w.happened("excluded")
		if !perhapsExcluded {
			w.object("%x are excluded of which nothing may be told", c.listed)
		}
	case ctap.ErrKeyStoreFull:
		w.happened("full")
		if !full {
			w.object("the store is full with %d", len(w.there("")))
		}
	default:
		right := c.verified == yes && w.willing() && !flawed && (q.EnterpriseAttestation == nil || w.enterprise)
		if right {
			w.object("makeCredential: %v, with nothing wrong", status)
		}
	}
}

func (w *world) mayMake(q *ctap.MakeCredentialRequest, c *ceremony, made *credential, wrong bool) {
	asksRK := q.Options["rk"]
	switch {
	case wrong:
		w.object("makeCredential succeeds although it must not: %+v", q)
	case !c.present:
		w.object("makeCredential without a touch")
	case q.PinUvAuthParam != nil && c.verified == no:
		w.object("makeCredential with a token that is worth nothing")
	case c.verified == no && w.alwaysUV:
		w.object("makeCredential without user verification, which is always required")
	case c.verified == no && w.protected() && (asksRK || !w.p.MakeCredNoUV):
		w.object("makeCredential without user verification on a protected authenticator")
	case q.EnterpriseAttestation != nil && !w.enterprise:
		w.object("an enterprise attestation that is not enabled")
	}
}

// made remembers a new credential, which may take the place of another.
func (w *world) made(q *ctap.MakeCredentialRequest, c *ceremony, made *credential, body []byte) {
	var response ctap.MakeCredentialResponse
	w.decode(body, &response)
	data, err := ctap.ParseAuthenticatorData(response.AuthData)
	w.must(err)
	if data.Attested == nil {
		w.object("makeCredential without a credential")
	}
	w.hears(c, data)
	made.id, made.key, made.blobKey = data.Attested.ID, data.Attested.PublicKey, response.LargeBlobKey
	for _, old := range w.credentials {
		if bytes.Equal(old.id, made.id) || bytes.Equal(old.key, made.key) || made.blobKey != nil && bytes.Equal(old.blobKey, made.blobKey) {
			w.object("a new credential has the id or a key of an old one")
		}
		if made.rk && old.rk && old.rp == made.rp && old.handle == made.handle && !old.gone {
			old.gone = true
			w.happened("overwritten")
		}
	}
	w.credentials = append(w.credentials, made)
	if response.Format == "packed" {
		w.verifySelf(response, made.key, q.ClientDataHash)
	}
	if response.EnterpriseAtt && (q.EnterpriseAttestation == nil || !w.enterprise) {
		w.object("epAtt without an enterprise attestation")
	}
	var told struct {
		Level uint `cbor:"credProtect"`
	}
	w.must(decodeOutputs(data.Extensions, &told))
	if _, asked := q.Extensions["credProtect"]; told.Level != made.level && asked && slices.Contains(w.p.Extensions, "credProtect") {
		w.object("credProtect %d, want %d", told.Level, made.level)
	}
}

func decodeOutputs(raw cbor.RawMessage, into any) error {
	if raw == nil {
		return nil
	}
	return ctap.DecodeLoose(raw, into)
}

func (w *world) verifySelf(response ctap.MakeCredentialResponse, key, hash []byte) {
	var statement struct {
		Sig ctap.Bytes `cbor:"sig"`
	}
	w.decode(response.AttStmt, &statement)
	w.must(cose.Verify(key, slices.Concat(response.AuthData, hash), statement.Sig))
}

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
	if told := max(1, response.NumberOfCredentials); int(told) != n && !w.p.Display {
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
