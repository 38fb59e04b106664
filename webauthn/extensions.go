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
	if x.PRF == nil {
		return nil
	}
	if x.PRF.EvalByCredential != nil {
		return &Error{Name: NotSupportedError, Member: "extensions.prf.evalByCredential", Message: "is for authentication only"}
	}
	return x.PRF.Eval.check("extensions.prf.eval")
}

// check looks at the extension inputs that can be wrong whatever authenticator
// answers (section 10.1.4, client extension processing for authentication).
func (x *requestExtensions) check(allowed []descriptor) *Error {
	if x == nil || x.PRF == nil {
		return nil
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
// that need no exchange beforehand, nil for none.
func (x *creationExtensions) authenticatorInputs(info *ctap.Info) map[string]cbor.RawMessage {
	if x == nil {
		return nil
	}
	in := map[string]cbor.RawMessage{}
	if p := x.protection(); p != 0 && platform.Has(info, extCredProtect) {
		in[extCredProtect] = cbor.RawMessage{p}
	}
	if x.PRF != nil && platform.Has(info, extHMACSecret) {
		in[extHMACSecret] = cborTrue
	}
	if len(in) == 0 {
		return nil
	}
	return in
}

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
