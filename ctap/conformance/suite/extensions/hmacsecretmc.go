package extensions

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

const hmacSecretMCID = "hmac-secret-mc"

// atOnce are parameters that make a credential and ask for its secrets.
func atOnce(r *run, input any) m {
	return asking(r, s{hmacSecretID: true, hmacSecretMCID: input})
}

func hmacSecretMC() []conformance.Case {
	given := func(id, why string, do func(r *run, p pinuv.Protocol)) []conformance.Case {
		return conformance.BothProtocols(conformance.StartWithPIN(once("hmacsecretmc."+id, why, nil)), do)
	}
	return of(hmacSecretMCID, conformance.Since22("12.8"), conformance.Join(
		given("one-salt", "a creation gives the secret that assertions with user verification give", func(r *run, p pinuv.Protocol) {
			agreed, salt := r.Agree(p), r.Bytes(saltSize)
			c := withSecret(r, atOnce(r, salted(agreed, salt)))
			got := secrets(r, agreed, r.Outputs(c.Data), hmacSecretMCID, 1)
			r.Require(c.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", c.Data.Flags)
			r.Check(bytes.Equal(got, verifiedSecrets(r, c, salt)), "the secret is another than in an assertion")
		}),
		given("two-salts", "a creation gives the secrets of two salts", func(r *run, p pinuv.Protocol) {
			agreed, a, b := r.Agree(p), r.Bytes(saltSize), r.Bytes(saltSize)
			c := withSecret(r, atOnce(r, salted(agreed, a, b)))
			got := secrets(r, agreed, r.Outputs(c.Data), hmacSecretMCID, 2)
			r.Check(bytes.Equal(got, verifiedSecrets(r, c, a, b)), "the secrets are others than in an assertion")
		}),
		given("wrong-auth", "a saltAuth that is wrong is CTAP2_ERR_PIN_AUTH_INVALID", func(r *run, p pinuv.Protocol) {
			input := salted(r.Agree(p), r.Bytes(saltSize))
			create(r, atOnce(r, input.With(3, r.Bytes(len(input[3].([]byte)))))).Want(ctap.ErrPINAuthInvalid)
		}),
		given("length", "salts have 32 or 64 bytes", func(r *run, p pinuv.Protocol) {
			for _, n := range []int{16, 48, 96} {
				r.Doing("with a salt of %d bytes", n)
				create(r, atOnce(r, salted(r.Agree(p), r.Bytes(n)))).Tolerate(badLength).Want(ctap.ErrInvalidParameter)
			}
		}),
		conformance.One(
			bothWays(conformance.Needing(once("hmacsecretmc.unverified", "a creation without user verification gives the secret that assertions without give", func(r *run) {
				agreed, salt := r.Agree(r.Protocol()), r.Bytes(saltSize)
				params := atOnce(r, salted(agreed, salt))
				c := r.ReadCredential(params, r.Send(ctap.MakeCredential, params))
				got := secrets(r, agreed, r.Outputs(c.Data), hmacSecretMCID, 1)
				without := r.Outputs(unverified(r, c, s{hmacSecretID: salted(agreed, salt)}).Data)
				r.Check(bytes.Equal(got, secrets(r, agreed, without, hmacSecretID, 1)), "the secret is another than in an assertion")
				r.Check(!bytes.Equal(got, verifiedSecrets(r, c, salt)), "the secret is the same with and without user verification")
			}), conformance.Option("makeCredUvNotRqd"))),
			once("hmacsecretmc.alone", "hmac-secret-mc comes with hmac-secret", func(r *run) {
				input := salted(r.Agree(r.Protocol()), r.Bytes(saltSize))
				other := conformance.Deviates("implementations differ in the status", ctap.ErrInvalidParameter, ctap.ErrInvalidOption)
				create(r, asking(r, s{hmacSecretMCID: input})).Tolerate(other).Want(ctap.ErrMissingParameter)
				create(r, asking(r, s{hmacSecretID: false, hmacSecretMCID: input})).Tolerate(other).Want(ctap.ErrMissingParameter)
			}),
			once("hmacsecretmc.missing", "keyAgreement, saltEnc and saltAuth are required", func(r *run) {
				input := salted(r.Agree(r.Protocol()), r.Bytes(saltSize))
				for _, key := range []int{1, 2, 3} {
					r.Doing("without member %d", key)
					create(r, atOnce(r, input.Without(key))).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
				}
			}),
			conformance.Needing(once("hmacsecretmc.protocol-absent", "without pinUvAuthProtocol in its input, hmac-secret-mc is of protocol one", func(r *run) {
				agreed := r.Agree(pinuv.One)
				c := withSecret(r, atOnce(r, salted(agreed, r.Bytes(saltSize)).Without(4)))
				secrets(r, agreed, r.Outputs(c.Data), hmacSecretMCID, 1)
			}), conformance.Protocol(1)),
			stored("hmacsecretmc.refused-leaves-nothing", "a creation that is refused stores nothing", func(r *run) {
				input := salted(r.Agree(r.Protocol()), r.Bytes(saltSize))
				params := askingPasskey(r, s{hmacSecretID: true, hmacSecretMCID: input.With(3, r.Bytes(16))})
				create(r, params).Refused()
				site := params[2].(s)["id"].(string)
				r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, r.AssertParamsAt(site))).Want(ctap.ErrNoCredentials)
			}),
			once("hmacsecretmc.unasked", "a creation with hmac-secret alone has no secret", func(r *run) {
				absent(r, r.Outputs(withSecret(r, asking(r, s{hmacSecretID: true})).Data), hmacSecretMCID)
			}),
		),
	)...)
}

// verifiedSecrets asks for the secrets of a credential with user verification.
func verifiedSecrets(r *run, c *conformance.Credential, salts ...[]byte) []byte {
	agreed := r.Agree(r.Protocol())
	a := verified(r, c, s{hmacSecretID: salted(agreed, salts...)})
	return secrets(r, agreed, r.Outputs(a.Data), hmacSecretID, len(salts))
}
