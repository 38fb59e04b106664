package conformance

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// RPID is the relying party that cases use when they do not care which.
const RPID = "conformance.example"

// Credential is a credential that the authenticator made.
type Credential struct {
	RPID      string
	UserID    []byte
	ID        []byte
	PublicKey []byte // COSE_Key
	Algorithm cose.Algorithm
	Data      *ctap.AuthenticatorData
	Response  *ctap.MakeCredentialResponse
	Hash      []byte // clientDataHash of its request
}

// Descriptor names the credential in a request.
func (c *Credential) Descriptor() S { return S{"type": ctap.PublicKeyCredential, "id": c.ID} }

// Algorithms lists the algorithms that getInfo lists, ES256 where it lists none.
func (r *Run) Algorithms() []cose.Algorithm { return algorithms(r.Info()) }

// CreateParams are parameters of authenticatorMakeCredential that nothing is wrong
// with, without pinUvAuthParam: a new user at RPID, the authenticator's first
// algorithm, no options.
func (r *Run) CreateParams() M {
	return M{
		1: r.Bytes(32),
		2: S{"id": RPID, "name": "Conformance"},
		3: S{"id": r.Bytes(16), "name": "alice@conformance.example", "displayName": "Alice"},
		4: []S{{"type": ctap.PublicKeyCredential, "alg": int(r.Algorithms()[0])}},
	}
}

// AssertParams are parameters of authenticatorGetAssertion for credentials, or for
// whatever is stored at RPID when there are none, without pinUvAuthParam.
func (r *Run) AssertParams(credentials ...*Credential) M {
	m := M{1: RPID, 2: r.Bytes(32)}
	var list []S
	for _, c := range credentials {
		m[1] = c.RPID
		list = append(list, c.Descriptor())
	}
	if list != nil {
		m[3] = list
	}
	return m
}

// hashKeys and macKeys are where the two ceremonies have their members.
var (
	hashKeys = map[ctap.Command]int{ctap.MakeCredential: 1, ctap.GetAssertion: 2}
	macKeys  = map[ctap.Command]int{ctap.MakeCredential: 8, ctap.GetAssertion: 6}
	needed   = map[ctap.Command]ctap.Permissions{ctap.MakeCredential: ctap.PermMakeCredential, ctap.GetAssertion: ctap.PermGetAssertion}
)

// Authorise adds pinUvAuthParam and pinUvAuthProtocol to the parameters of
// authenticatorMakeCredential or authenticatorGetAssertion when the authenticator is
// protected; otherwise it leaves them as they are. 2.0 authenticators with nothing but
// built-in user verification get the option uv.
func (r *Run) Authorise(command ctap.Command, m M) M {
	o := r.Info().Options
	if o["uv"] && !o["pinUvAuthToken"] && !o["clientPin"] {
		return withOption(m, optionsKey(command), "uv", true)
	}
	if !r.Protected() {
		return m
	}
	return r.AuthoriseWith(r.Token(needed[command], rpOf(command, m)), command, m)
}

// AuthoriseWith is [Run.Authorise] with a token that the case has already.
func (r *Run) AuthoriseWith(t *Token, command ctap.Command, m M) M {
	hash, ok := m[hashKeys[command]].([]byte)
	if !ok {
		return m
	}
	return m.With(macKeys[command], t.MAC(hash)).With(macKeys[command]+1, t.Number())
}

func optionsKey(command ctap.Command) int {
	if command == ctap.GetAssertion {
		return 5
	}
	return 7
}

func withOption(m M, key int, name string, value bool) M {
	o := S{name: value}
	if have, ok := m[key].(S); ok {
		for k, v := range have {
			if k != name {
				o[k] = v
			}
		}
	}
	return m.With(key, o)
}

// rpOf returns the relying party of a request, RPID where it cannot be told.
func rpOf(command ctap.Command, m M) string {
	if id, ok := m[1].(string); ok && command == ctap.GetAssertion {
		return id
	}
	if rp, ok := m[2].(S); ok {
		if id, ok := rp["id"].(string); ok {
			return id
		}
	}
	return RPID
}

// Create sends authenticatorMakeCredential, authorised as the authenticator needs it,
// and returns the credential. The case fails when it is refused, or when the answer
// does not belong to the request.
func (r *Run) Create(m M) *Credential {
	if m[8] == nil {
		m = r.Authorise(ctap.MakeCredential, m)
	}
	return r.ReadCredential(m, r.Send(ctap.MakeCredential, m))
}

// NewCredential makes a credential that need not be discoverable.
func (r *Run) NewCredential() *Credential { return r.Create(r.CreateParams()) }

// NewPasskey makes a discoverable credential.
func (r *Run) NewPasskey() *Credential {
	return r.Create(withOption(r.CreateParams(), 7, "rk", true))
}

// ReadCredential reads the answer to authenticatorMakeCredential and checks what every
// answer must have: authenticator data for the relying party, the flags UP and AT, a
// public key of an algorithm that was asked for.
func (r *Run) ReadCredential(m M, reply *Reply) *Credential {
	response := &ctap.MakeCredentialResponse{}
	reply.OK().Into(response)
	data, err := ctap.ParseAuthenticatorData(response.AuthData)
	r.Require(err == nil, "authData: %v", err)
	r.checkRPIDHash(data, rpOf(ctap.MakeCredential, m))
	r.Require(data.Attested != nil, "authData has no attested credential data")
	r.Require(data.Flags&ctap.FlagUP != 0, "authData lacks the flag UP: %s", data.Flags)
	c := &Credential{
		RPID: rpOf(ctap.MakeCredential, m), ID: data.Attested.ID, PublicKey: data.Attested.PublicKey, Data: data, Response: response,
	}
	c.Hash, _ = m[1].([]byte)
	if user, ok := m[3].(S); ok {
		c.UserID, _ = user["id"].([]byte)
	}
	c.Algorithm, _, err = cose.Parse(c.PublicKey)
	r.Require(err == nil, "public key: %v in %x", err, c.PublicKey)
	r.Require(slices.Contains(offered(m), int(c.Algorithm)), "the public key is of %s, which was not asked for", c.Algorithm)
	return c
}

// offered lists the algorithms of pubKeyCredParams.
func offered(m M) (all []int) {
	list, _ := m[4].([]S)
	for _, p := range list {
		if alg, ok := p["alg"].(int); ok {
			all = append(all, alg)
		}
	}
	return all
}

func (r *Run) checkRPIDHash(d *ctap.AuthenticatorData, rpID string) {
	r.Require(d.RPIDHash == sha256.Sum256([]byte(rpID)), "authData: rpIdHash is not the SHA-256 of %s", rpID)
}

// Assertion is the answer to authenticatorGetAssertion.
type Assertion struct {
	Response   *ctap.GetAssertionResponse
	Data       *ctap.AuthenticatorData
	Credential *Credential // whose it is
	Reply      *Reply
}

// Assert sends authenticatorGetAssertion, authorised as the authenticator needs it,
// and checks the answer as [Run.ReadAssertion] does.
func (r *Run) Assert(m M, among ...*Credential) *Assertion {
	if m[6] == nil {
		m = r.Authorise(ctap.GetAssertion, m)
	}
	return r.ReadAssertion(m, r.Send(ctap.GetAssertion, m), among...)
}

// Use asserts with credentials in the allow list and checks the answer.
func (r *Run) Use(among ...*Credential) *Assertion {
	return r.Assert(r.AssertParams(among...), among...)
}

// ReadAssertion reads the answer to authenticatorGetAssertion or
// authenticatorGetNextAssertion and checks what every answer must have: authenticator
// data for the relying party, and a signature by one of the credentials.
func (r *Run) ReadAssertion(m M, reply *Reply, among ...*Credential) *Assertion {
	a := &Assertion{Response: &ctap.GetAssertionResponse{}, Reply: reply}
	reply.OK().Into(a.Response)
	var err error
	a.Data, err = ctap.ParseAuthenticatorData(a.Response.AuthData)
	r.Require(err == nil, "authData: %v", err)
	r.checkRPIDHash(a.Data, rpOf(ctap.GetAssertion, m))
	r.Require(a.Data.Attested == nil, "authData of an assertion has attested credential data")
	a.Credential = r.whose(a.Response, among)
	hash, _ := m[2].([]byte)
	err = cose.Verify(a.Credential.PublicKey, slices.Concat(a.Response.AuthData, hash), a.Response.Signature)
	r.Require(err == nil, "signature over authData and clientDataHash: %v", err)
	return a
}

// whose returns the credential that an answer names. With one credential in the
// request an authenticator of CTAP 2.0 need not name it.
func (r *Run) whose(a *ctap.GetAssertionResponse, among []*Credential) *Credential {
	r.Require(a.Credential != nil || len(among) == 1, "the answer does not say which credential it is of")
	for _, c := range among {
		if a.Credential == nil || bytes.Equal(a.Credential.ID, c.ID) {
			return c
		}
	}
	r.Fail("the answer is of a credential that was not asked for: %x", []byte(a.Credential.ID))
	return nil
}
