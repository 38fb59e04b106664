package storetest

import (
	"bytes"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/pinuv"
)

// command is something that changes what is stored. ready does all that must come
// before, such as getting a token.
type command struct {
	name    string
	writes  int  // durable ones
	fresh   bool // of an authenticator that is new
	synced  bool // of one whose credentials sync, which stores them before it attests
	guesses bool // it gives a wrong PIN or finger
	proves  bool // it gives the right one, which brings tries back
	ready   func(k *key) func()
}

// cuttable are all commands that change what is stored.
func cuttable() []command {
	return []command{
		{name: "makeCredential", writes: 2, ready: func(k *key) func() { return k.makes("dan", true) }},
		{name: "makeCredential in the place of another", writes: 2, ready: func(k *key) func() { return k.makes("ada", true) }},
		{name: "makeCredential, sealed", writes: 1, ready: func(k *key) func() { return k.makes("dan", false) }},
		{name: "makeCredential by finger", writes: 4, proves: true, ready: func(k *key) func() { return k.verifies(authenticator.Granted) }},
		{name: "makeCredential by a wrong finger", writes: 3, guesses: true, ready: func(k *key) func() { return k.verifies(authenticator.NotRecognised) }},
		{name: "makeCredential, synced", writes: 2, synced: true, ready: func(k *key) func() { return k.makes("dan", true) }},
		{name: "makeCredential, synced, in the place of another", writes: 2, synced: true, ready: func(k *key) func() { return k.makes("ada", true) }},
		{name: "getAssertion", writes: 1, ready: func(k *key) func() { return k.asserts(nil) }},
		{name: "getAssertion that writes a large blob", writes: 2, ready: (*key).writesLargeBlob},
		{name: "setPIN", writes: 1, fresh: true, ready: (*key).setPIN},
		{name: "changePIN", writes: 3, proves: true, ready: func(k *key) func() { return k.changePIN(pin, ctap.OK) }},
		{name: "changePIN with a wrong one", writes: 1, guesses: true, ready: func(k *key) func() { return k.changePIN(wrong, ctap.ErrPINInvalid) }},
		{name: "a token by PIN", writes: 2, proves: true, ready: func(k *key) func() { return k.tokenByPIN(pin) }},
		{name: "a token by a wrong PIN", writes: 1, guesses: true, ready: func(k *key) func() { return k.tokenByPIN(wrong) }},
		{name: "deleteCredential", writes: 1, ready: func(k *key) func() { return k.manages(ctap.DeleteCredential, nil) }},
		{name: "updateUserInformation", writes: 1, ready: func(k *key) func() {
			return k.manages(ctap.UpdateUserInformation, &ctap.User{ID: []byte("bob"), Name: "Robert"})
		}},
		{name: "largeBlobs", writes: 1, ready: func(k *key) func() { return k.writeBlobs(k.token(ctap.PermLargeBlobWrite, ""), "new") }},
		{name: "enrollBegin, the one sample", writes: 1, ready: func(k *key) func() { return k.enrols(ctap.EnrollBegin, map[int]any{}) }},
		{name: "setFriendlyName", writes: 1, ready: func(k *key) func() {
			return k.enrols(ctap.SetFriendlyName, map[int]any{1: []byte{0, 0, 0, 1}, 2: "left"})
		}},
		{name: "removeEnrollment", writes: 1, ready: func(k *key) func() { return k.enrols(ctap.RemoveEnrollment, map[int]any{1: []byte{0, 0, 0, 1}}) }},
		{name: "toggleAlwaysUv", writes: 1, ready: func(k *key) func() { return k.configures(ctap.ToggleAlwaysUV, nil) }},
		{name: "enableEnterpriseAttestation", writes: 1, ready: func(k *key) func() { return k.configures(ctap.EnableEnterpriseAttestation, nil) }},
		{name: "setMinPINLength", writes: 1, ready: func(k *key) func() { return k.configures(ctap.SetMinPINLength, map[int]any{1: 6}) }},
		{name: "reset", writes: 2, ready: func(k *key) func() { return func() { k.send(ctap.Reset, nil, nil, ctap.OK) } }},
	}
}

func extension(id string, input []byte) map[string]cbor.RawMessage {
	return map[string]cbor.RawMessage{id: input}
}

func (k *key) makes(user string, discoverable bool) func() {
	q := k.authorised(user, discoverable)
	return func() { k.send(ctap.MakeCredential, q, nil, ctap.OK) }
}

// verifies makes a credential with built-in user verification.
func (k *key) verifies(finger authenticator.Answer) func() {
	q := creation("dan", true)
	q.Options["uv"] = true
	return func() {
		k.finger = finger
		k.send(ctap.MakeCredential, q, nil, ctap.OK, ctap.ErrPUATRequired)
	}
}

func (k *key) asserts(q *ctap.GetAssertionRequest) func() {
	if q == nil {
		q = &ctap.GetAssertionRequest{RPID: site, ClientDataHash: hashOf("")}
	}
	return func() { k.send(ctap.GetAssertion, q, nil, ctap.OK) }
}

// writesLargeBlob makes a credential that can have a large blob, and gives it one.
func (k *key) writesLargeBlob() func() {
	q := k.authorised("dan", true)
	support, err := ctap.Encode(map[string]string{"support": "required"})
	must(k.t, err)
	q.Extensions = extension(authenticator.ExtLargeBlob, support)
	var r ctap.MakeCredentialResponse
	k.send(ctap.MakeCredential, q, &r, ctap.OK)
	data, err := ctap.ParseAuthenticatorData(r.AuthData)
	must(k.t, err)
	write, err := ctap.Encode(map[string]any{"write": []byte("compressed"), "originalSize": 20})
	must(k.t, err)
	return k.asserts(&ctap.GetAssertionRequest{
		RPID: site, ClientDataHash: hashOf(""), AllowList: []ctap.Descriptor{{ID: data.Attested.ID, Type: ctap.PublicKeyCredential}},
		Extensions: extension(authenticator.ExtLargeBlob, write),
	})
}

// manages does something to bob's credential.
func (k *key) manages(sub uint, user *ctap.User) func() {
	all := k.durable().Credentials
	bob := all[slices.IndexFunc(all, func(c *authenticator.Credential) bool { return c.User.Name == "bob" })]
	params, err := ctap.Encode(ctap.CredentialManagementParams{CredentialID: &ctap.Descriptor{ID: bob.ID, Type: ctap.PublicKeyCredential}, User: user})
	must(k.t, err)
	q := ctap.CredentialManagementRequest{
		SubCommand: sub, Params: params, PinUvAuthProtocol: 2,
		PinUvAuthParam: pinuv.Two.Authenticate(k.token(ctap.PermCredentialMgmt, ""), append([]byte{byte(sub)}, params...)),
	}
	return func() { k.send(ctap.CredentialManagement, q, nil, ctap.OK) }
}

func (k *key) enrols(sub uint, params map[int]any) func() {
	encoded, err := ctap.Encode(params)
	must(k.t, err)
	q := ctap.BioEnrollmentRequest{
		Modality: 1, SubCommand: sub, Params: encoded, PinUvAuthProtocol: 2,
		PinUvAuthParam: pinuv.Two.Authenticate(k.token(ctap.PermBioEnrollment, ""), append([]byte{1, byte(sub)}, encoded...)),
	}
	return func() { k.send(ctap.BioEnrollment, q, nil, ctap.OK) }
}

func (k *key) configures(sub uint, params map[int]any) func() {
	var encoded []byte
	if params != nil {
		var err error
		encoded, err = ctap.Encode(params)
		must(k.t, err)
	}
	message := append(append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(sub)), encoded...)
	q := ctap.ConfigRequest{
		SubCommand: sub, Params: encoded, PinUvAuthProtocol: 2,
		PinUvAuthParam: pinuv.Two.Authenticate(k.token(ctap.PermAuthenticatorCfg, ""), message),
	}
	return func() { k.send(ctap.Config, q, nil, ctap.OK) }
}
