package authenticator_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

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
