package authenticator_test

import (
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// hmacInput sometimes asks for the hmac-secret of a fixed salt. It returns the secret
// that the answer is encrypted with, nil where it did not ask.
func (w *world) hmacInput(inputs map[string]any) []byte {
	if !w.p.ClientPIN || w.chance(3, "no hmac-secret") {
		return nil
	}
	public, secret := w.agree(pinuv.One)
	salt := w.encrypt(pinuv.One, secret, make([]byte, 32))
	inputs["hmac-secret"] = map[int]any{
		1: rawCBOR(public), 2: salt, 3: pinuv.One.Authenticate(secret, salt), 4: 1,
	}
	return secret
}

type rawCBOR []byte

// MarshalCBOR returns the bytes as they are.
func (r rawCBOR) MarshalCBOR() ([]byte, error) { return r, nil }

// hmacOutput objects to a secret that changes, that is the same with and without user
// verification, or that two credentials have in common.
func (w *world) hmacOutput(c *ceremony, one *credential, data *ctap.AuthenticatorData, secret []byte) {
	if secret == nil {
		return
	}
	var told struct {
		Secret ctap.Bytes `cbor:"hmac-secret"`
	}
	w.must(decodeOutputs(data.Extensions, &told))
	if one.hmac != (told.Secret != nil) {
		w.object("hmac-secret is answered: %v; the credential has it: %v", told.Secret != nil, one.hmac)
	}
	if told.Secret == nil {
		return
	}
	plain, err := pinuv.One.Decrypt(secret, told.Secret)
	w.must(err)
	w.happened("hmac-secret")
	of := fmt.Sprintf("%x verified %v", one.id, c.verified == yes)
	for other, output := range w.secretsSeen {
		if same := output == string(plain); same != (other == of) {
			w.object("hmac-secret of %s and of %s: the same is %v", of, other, same)
		}
	}
	w.secretsSeen[of] = string(plain)
}
