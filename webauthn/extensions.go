package webauthn

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// The extensions' identifiers at the authenticator (CTAP 2.3, section 12).
const (
	extCredProtect  = "credProtect"
	extHMACSecret   = "hmac-secret"
	extHMACSecretMC = "hmac-secret-mc"
	extCredBlob     = "credBlob"
	extLargeBlobKey = "largeBlobKey"
	extLargeBlob    = "largeBlob"
	extMinPinLength = "minPinLength"
	extPINPolicy    = "pinComplexityPolicy"
	extPayment      = "thirdPartyPayment"
	extUVM          = "uvm"
)

// cborTrue is the input and output of extensions that are asked for and granted.
var cborTrue = cbor.RawMessage{0xF5}

// protectionPolicies are the values of credentialProtectionPolicy, in the order
// of credProtect's 1, 2 and 3 (CTAP 2.3, section 12.1.1).
var protectionPolicies = []choice{
	"userVerificationOptional",
	"userVerificationOptionalWithCredentialIDList",
	"userVerificationRequired",
}

// check looks at the extension inputs that can be wrong whatever authenticator
// answers.
func (x *creationExtensions) check() *Error {
	if x == nil {
		return nil
	}
	if p := x.CredentialProtectionPolicy; p != "" && !slices.Contains(protectionPolicies, p) {
		return &Error{Name: TypeError, Member: "extensions.credentialProtectionPolicy", Message: quote(string(p)) + " is not a policy"}
	}
	if err := x.LargeBlob.checkCreation(); err != nil || x.PRF == nil {
		return err
	}
	if x.PRF.EvalByCredential != nil {
		return &Error{Name: NotSupportedError, Member: "extensions.prf.evalByCredential", Message: "is for authentication only"}
	}
	return x.PRF.Eval.check("extensions.prf.eval")
}

// check looks at the extension inputs that can be wrong whatever authenticator
// answers (section 10.1.4, client extension processing for authentication).
func (x *requestExtensions) check(allowed []descriptor) *Error {
	if x == nil {
		return nil
	}
	if err := x.LargeBlob.checkRequest(allowed); err != nil || x.PRF == nil {
		return err
	}
	const member = "extensions.prf.evalByCredential"
	if len(x.PRF.EvalByCredential) > 0 && len(allowed) == 0 {
		return &Error{Name: NotSupportedError, Member: member, Message: "needs allowCredentials"}
	}
	for _, key := range slices.Sorted(maps.Keys(x.PRF.EvalByCredential)) {
		id, err := decodeBase64URL([]byte(key))
		named := func(d descriptor) bool { return string(d.ID) == string(id) }
		if key == "" || err != nil || !slices.ContainsFunc(allowed, named) {
			return &Error{Name: SyntaxError, Member: member, Message: quote(key) + " is not the id of a credential in allowCredentials"}
		}
		values := x.PRF.EvalByCredential[key]
		if err := values.check(member + "." + key); err != nil {
			return err
		}
	}
	return x.PRF.Eval.check("extensions.prf.eval")
}

func (v *prfValues) check(member string) *Error {
	if v != nil && v.First == nil {
		return missing(member + ".first")
	}
	return nil
}

// salt is what a PRF input becomes for hmac-secret (section 10.1.4).
func salt(input []byte) []byte {
	h := sha256.New()
	h.Write([]byte("WebAuthn PRF\x00"))
	h.Write(input)
	return h.Sum(nil)
}

// salts returns both salts of PRF inputs, the second nil for one input.
func (v *prfValues) salts() (first, second []byte) {
	first = salt(v.First)
	if v.Second != nil {
		second = salt(v.Second)
	}
	return first, second
}

// prf returns the PRF inputs of a request, nil for none.
func (o *requestOptions) prf() *prfInputs {
	if o.Extensions == nil {
		return nil
	}
	return o.Extensions.PRF
}

// values returns the inputs for one credential: its own, else those for any. The
// credential is nil while it is not known.
func (p *prfInputs) values(credential []byte) *prfValues {
	if credential != nil && len(p.EvalByCredential) > 0 {
		if v, ok := p.EvalByCredential[base64.RawURLEncoding.EncodeToString(credential)]; ok {
			return &v
		}
	}
	return p.Eval
}

// protection returns the credProtect value that is asked for, 0 for none.
func (x *creationExtensions) protection() byte {
	if x == nil {
		return 0
	}
	return byte(slices.Index(protectionPolicies, x.CredentialProtectionPolicy) + 1)
}

// enforced tells whether the authenticator must have credProtect (CTAP 2.3,
// section 12.1.1).
func (x *creationExtensions) enforced() bool {
	return x.protection() > 1 && x.EnforceCredentialProtectionPolicy
}

// authenticatorInputs returns the extension inputs of authenticatorMakeCredential
// that need no exchange beforehand, nil for none. Those that the authenticator does
// not list are left out.
func (x *creationExtensions) authenticatorInputs(info *ctap.Info, rk bool) (map[string]cbor.RawMessage, error) {
	if x == nil {
		return nil, nil
	}
	in := inputs{info: info}
	in.add(extHMACSecret, x.PRF != nil, true)
	in.add(extMinPinLength, x.MinPinLength, true)
	in.add(extPINPolicy, x.PINComplexityPolicy, true)
	in.add(extPayment, x.Payment.asked(), true)
	in.add(extUVM, x.UVM, true)
	in.add(extCredProtect, x.protection() != 0, x.protection())
	in.add(extCredBlob, x.CredBlob != nil && uint(len(x.CredBlob)) <= info.MaxCredBlobLength, []byte(x.CredBlob))
	if x.LargeBlob != nil {
		in.add(extLargeBlobKey, blobsByKey(info) && rk, true)
		in.add(extLargeBlob, !blobsByKey(info), map[string]string{"support": x.LargeBlob.support()})
	}
	return in.all, in.err
}

// authenticatorInputs returns the extension inputs of authenticatorGetAssertion that
// need no exchange beforehand, nil for none.
func (x *requestExtensions) authenticatorInputs(info *ctap.Info) (map[string]cbor.RawMessage, error) {
	if x == nil {
		return nil, nil
	}
	in := inputs{info: info}
	in.add(extCredBlob, x.GetCredBlob, true)
	in.add(extPayment, x.Payment.asked(), true)
	in.add(extUVM, x.UVM, true)
	if b := x.LargeBlob; b.reads() || b.writes() {
		in.add(extLargeBlobKey, blobsByKey(info), true)
		if !blobsByKey(info) {
			in.addLargeBlob(b)
		}
	}
	return in.all, in.err
}

// inputs collects extension inputs for an authenticator.
type inputs struct {
	info *ctap.Info
	all  map[string]cbor.RawMessage
	err  error
}

// add adds an input that is asked for, if the authenticator has the extension.
func (in *inputs) add(id string, asked bool, value any) {
	if !asked || in.err != nil || !platform.Has(in.info, id) {
		return
	}
	if in.all == nil {
		in.all = map[string]cbor.RawMessage{}
	}
	in.all[id], in.err = ctap.Encode(value)
}

func (p *paymentInputs) asked() bool { return p != nil && p.IsPayment }

// outputs reads the extension outputs out of authenticator data.
func outputs(d *ctap.AuthenticatorData) (map[string]cbor.RawMessage, error) {
	if d.Extensions == nil {
		return nil, nil
	}
	var out map[string]cbor.RawMessage
	if err := ctap.DecodeLoose(d.Extensions, &out); err != nil {
		return nil, &platform.Broken{Doing: "authenticator data", Reason: "its extensions cannot be read", Err: err}
	}
	return out, nil
}

func quote(s string) string { return `"` + strings.ToValidUTF8(s, "\uFFFD") + `"` }
