package extensions

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

const (
	hmacSecretID = "hmac-secret"
	saltSize     = 32
)

// salted is the input of hmac-secret in an assertion, for salts of any length that is
// a multiple of 16.
func salted(s *conformance.Secret, salts ...[]byte) m {
	return saltedRaw(s, s.Encrypt(bytes.Join(salts, nil)))
}

// saltedRaw is salted for a saltEnc of any bytes.
func saltedRaw(s *conformance.Secret, saltEnc []byte) m {
	return m{1: s.KeyAgreement, 2: saltEnc, 3: s.MAC(saltEnc), 4: s.Number()}
}

// secretCredential makes a discoverable credential with hmac-secret.
func secretCredential(r *run) *conformance.Credential {
	return withSecret(r, askingPasskey(r, s{hmacSecretID: true}))
}

// withSecret makes a credential and checks that it says hmac-secret.
func withSecret(r *run, params m) *conformance.Credential {
	c := r.Create(params)
	var made bool
	output(r, r.Outputs(c.Data), hmacSecretID, &made)
	r.Require(made, "the output of hmac-secret is false")
	return c
}

// secrets decrypts the secrets that an answer has, 32 bytes for each salt.
func secrets(r *run, agreed *conformance.Secret, outputs map[string]cbor.RawMessage, id string, salts int) []byte {
	var encrypted ctap.Bytes
	output(r, outputs, id, &encrypted)
	plain := agreed.Decrypt(encrypted)
	conformance.Equal(r, "length of the secrets", len(plain), salts*saltSize)
	return plain
}

// assertSecrets asks for the secrets of a credential, authorised as the authenticator
// needs it.
func assertSecrets(r *run, p pinuv.Protocol, c *conformance.Credential, salts ...[]byte) []byte {
	agreed := r.Agree(p)
	return secrets(r, agreed, use(r, c, s{hmacSecretID: salted(agreed, salts...)}), hmacSecretID, len(salts))
}

func hmacSecret() []conformance.Case {
	return of(hmacSecretID, conformance.Since20("12.7"),
		conformance.Join(secretsMade(), secretsGiven(), secretsKept(), secretInputs(), secretLengths())...)
}

// secretsMade is about hmac-secret in authenticatorMakeCredential.
func secretsMade() []conformance.Case {
	return conformance.One(
		once("hmacsecret.made", "a creation answers hmac-secret with true", func(r *run) {
			withSecret(r, asking(r, s{hmacSecretID: true}))
		}),
		once("hmacsecret.false", "hmac-secret: false is not answered with true", func(r *run) {
			c := r.Create(asking(r, s{hmacSecretID: false}))
			var made bool
			if outputs := r.Outputs(c.Data); outputs[hmacSecretID] != nil {
				output(r, outputs, hmacSecretID, &made)
			}
			r.Check(!made, "the output is true")
		}),
		once("hmacsecret.not-made", "a credential that was made without hmac-secret still signs", func(r *run) {
			agreed := r.Agree(r.Protocol())
			use(r, r.NewCredential(), s{hmacSecretID: salted(agreed, r.Bytes(saltSize))})
		}),
		once("hmacsecret.unasked", "an assertion has no secret that was not asked for", func(r *run) {
			absent(r, r.Outputs(r.Use(withSecret(r, asking(r, s{hmacSecretID: true}))).Data), hmacSecretID)
		}),
		wrongTypes("hmacsecret.type", hmacSecretID, 1, "true", []byte{1}),
	)
}

// secretsGiven is about the secrets of an assertion.
func secretsGiven() []conformance.Case {
	given := func(id, why string, do func(r *run, p pinuv.Protocol)) []conformance.Case {
		return conformance.BothProtocols(once("hmacsecret."+id, why, nil), do)
	}
	return conformance.Join(
		given("one-salt", "one salt gives one secret, the same every time", func(r *run, p pinuv.Protocol) {
			c, salt := withSecret(r, asking(r, s{hmacSecretID: true})), r.Bytes(saltSize)
			first := assertSecrets(r, p, c, salt)
			r.Check(bytes.Equal(first, assertSecrets(r, p, c, salt)), "one salt gives two secrets")
			r.Check(!bytes.Equal(first, assertSecrets(r, p, c, r.Bytes(saltSize))), "two salts give one secret")
		}),
		given("two-salts", "two salts give the secrets of each, in their order", func(r *run, p pinuv.Protocol) {
			c := withSecret(r, asking(r, s{hmacSecretID: true}))
			a, b := r.Bytes(saltSize), r.Bytes(saltSize)
			both := assertSecrets(r, p, c, a, b)
			r.Check(bytes.Equal(both[:saltSize], assertSecrets(r, p, c, a)), "the first secret is another than that of the first salt alone")
			r.Check(bytes.Equal(both[saltSize:], assertSecrets(r, p, c, b)), "the second secret is another than that of the second salt alone")
		}),
		given("wrong-auth", "a saltAuth that is wrong is CTAP2_ERR_PIN_AUTH_INVALID", func(r *run, p pinuv.Protocol) {
			c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(p)
			good := salted(agreed, r.Bytes(saltSize))
			for _, auth := range [][]byte{r.Bytes(len(good[3].([]byte))), agreed.MAC(good[2].([]byte), []byte{0})} {
				get(r, c, s{hmacSecretID: good.With(3, auth)}).Want(ctap.ErrPINAuthInvalid)
			}
		}),
		conformance.One(
			conformance.Needing(once("hmacsecret.protocol-absent", "without pinUvAuthProtocol in its input, hmac-secret is of protocol one", func(r *run) {
				c, salt := withSecret(r, asking(r, s{hmacSecretID: true})), r.Bytes(saltSize)
				agreed := r.Agree(pinuv.One)
				outputs := use(r, c, s{hmacSecretID: salted(agreed, salt).Without(4)})
				got := secrets(r, agreed, outputs, hmacSecretID, 1)
				r.Check(bytes.Equal(got, assertSecrets(r, pinuv.One, c, salt)), "the secret is another than with protocol one by name")
			}), conformance.Protocol(1)),
			conformance.Needing(once("hmacsecret.same-by-both", "a secret does not depend on the protocol that carries it", func(r *run) {
				c, salt := withSecret(r, asking(r, s{hmacSecretID: true})), r.Bytes(saltSize)
				r.Check(bytes.Equal(assertSecrets(r, pinuv.One, c, salt), assertSecrets(r, pinuv.Two, c, salt)), "protocol two gives another secret than protocol one")
			}), conformance.Protocol(1), conformance.Protocol(2)),
			conformance.Needing(once("hmacsecret.fresh-iv", "under protocol two a secret is encrypted with another IV every time", func(r *run) {
				c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(pinuv.Two)
				seen, input := map[string]bool{}, salted(agreed, r.Bytes(saltSize))
				for range 3 {
					var encrypted ctap.Bytes
					output(r, use(r, c, s{hmacSecretID: input}), hmacSecretID, &encrypted)
					r.Require(len(encrypted) > 16 && !seen[string(encrypted[:16])], "the output is %x, whose IV was there before", []byte(encrypted))
					seen[string(encrypted[:16])] = true
				}
			}), conformance.Protocol(2)),
		),
	)
}

// secretsKept is about what a secret depends on.
func secretsKept() []conformance.Case {
	return conformance.One(
		stored("hmacsecret.own", "every credential has its own secret", func(r *run) {
			salt := r.Bytes(saltSize)
			a, b := secretCredential(r), secretCredential(r)
			r.Check(!bytes.Equal(assertSecrets(r, r.Protocol(), a, salt), assertSecrets(r, r.Protocol(), b, salt)), "two credentials have one secret")
		}),
		stored("hmacsecret.each", "further assertions come with the secrets of their own credentials", func(r *run) {
			site, salt, agreed := r.NewSite(), r.Bytes(saltSize), r.Agree(r.Protocol())
			a := withSecret(r, r.PasskeyParams(site, "alice").With(6, s{hmacSecretID: true}))
			b := withSecret(r, r.PasskeyParams(site, "bob").With(6, s{hmacSecretID: true}))
			params := r.Authorise(ctap.GetAssertion, r.AssertParamsAt(site).With(4, s{hmacSecretID: salted(agreed, salt)}))
			first := secrets(r, agreed, r.Outputs(r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), b).Data), hmacSecretID, 1)
			second := secrets(r, agreed, r.Outputs(r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil), a).Data), hmacSecretID, 1)
			r.Check(!bytes.Equal(first, second), "two credentials have one secret")
			r.Check(bytes.Equal(second, assertSecrets(r, r.Protocol(), a, salt)), "the secret of a further assertion is another than that of its credential alone")
		}),
		bothWays(stored("hmacsecret.verification", "a credential has one secret with user verification, and another without", func(r *run) {
			c, salt := secretCredential(r), r.Bytes(saltSize)
			agreed := r.Agree(r.Protocol())
			without := secrets(r, agreed, r.Outputs(unverified(r, c, s{hmacSecretID: salted(agreed, salt)}).Data), hmacSecretID, 1)
			again := secrets(r, agreed, r.Outputs(unverified(r, c, s{hmacSecretID: salted(agreed, salt)}).Data), hmacSecretID, 1)
			with := assertSecrets(r, r.Protocol(), c, salt)
			r.Check(!bytes.Equal(with, without), "the secret is the same with and without user verification")
			r.Check(bytes.Equal(without, again), "without user verification, one salt gives two secrets")
		})),
		replugged(stored("hmacsecret.lasts", "the secret outlives a power cycle", func(r *run) {
			c, salt := secretCredential(r), r.Bytes(saltSize)
			before := assertSecrets(r, r.Protocol(), c, salt)
			r.PowerCycle()
			r.Check(bytes.Equal(before, assertSecrets(r, r.Protocol(), c, salt)), "the secret is another after a power cycle")
		})),
		replugged(once("hmacsecret.lasts-not-discoverable", "the secret of a credential that is not discoverable outlives a power cycle", func(r *run) {
			c, salt := withSecret(r, asking(r, s{hmacSecretID: true})), r.Bytes(saltSize)
			before := assertSecrets(r, r.Protocol(), c, salt)
			r.PowerCycle()
			r.Check(bytes.Equal(before, assertSecrets(r, r.Protocol(), c, salt)), "the secret is another after a power cycle")
		})),
		once("hmacsecret.silent", "no secret is given without the user: up: false is refused", func(r *run) {
			c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(r.Protocol())
			params := r.AssertParams(c).With(5, s{"up": false}).With(4, s{hmacSecretID: salted(agreed, r.Bytes(saltSize))})
			r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, params)).Tolerate(conformance.OptionAs2C).Want(ctap.ErrUnsupportedOption).Untouched()
		}),
	)
}

// badLength is another status for salts of a wrong length.
var badLength = conformance.Deviates("implementations differ in the status", ctap.ErrInvalidLength, ctap.ErrPINAuthInvalid)

// secretInputs is about inputs that are none.
func secretInputs() []conformance.Case {
	missing := conformance.Each([]struct {
		key  int
		name string
	}{{1, "keyAgreement"}, {2, "saltEnc"}, {3, "saltAuth"}}, func(p struct {
		key  int
		name string
	}) conformance.Case {
		return once("hmacsecret.missing."+p.name, p.name+" is required", func(r *run) {
			c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(r.Protocol())
			input := salted(agreed, r.Bytes(saltSize))
			get(r, c, s{hmacSecretID: input.Without(p.key)}).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
			get(r, c, s{hmacSecretID: input.With(p.key, true)}).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType, ctap.ErrInvalidParameter)
		})
	})
	return append(missing,
		once("hmacsecret.input-type", "the input of an assertion is a map", func(r *run) {
			c := withSecret(r, asking(r, s{hmacSecretID: true}))
			for _, input := range []any{true, r.Bytes(64), []int{1}} {
				get(r, c, s{hmacSecretID: input}).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
			}
		}),
		once("hmacsecret.protocol-unknown", "a pinUvAuthProtocol that there is not is refused", func(r *run) {
			c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(r.Protocol())
			get(r, c, s{hmacSecretID: salted(agreed, r.Bytes(saltSize)).With(4, 99)}).Want(ctap.ErrInvalidParameter)
		}),
		once("hmacsecret.key-off-curve", "a key agreement key that is no point of P-256 is refused", func(r *run) {
			c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(r.Protocol())
			off := m{1: 2, 3: -25, -1: 1, -2: bytes.Repeat([]byte{1}, 32), -3: bytes.Repeat([]byte{2}, 32)}
			get(r, c, s{hmacSecretID: salted(agreed, r.Bytes(saltSize)).With(1, off)}).
				Tolerate(conformance.Deviates("implementations differ in the status", ctap.ErrPINAuthInvalid)).Want(ctap.ErrInvalidParameter)
		}),
	)
}

// secretLengths is about salts of other lengths than 32 and 64 bytes.
func secretLengths() []conformance.Case {
	wrong := func(r *run, p pinuv.Protocol, saltEnc func(*conformance.Secret) []byte) {
		c, agreed := withSecret(r, asking(r, s{hmacSecretID: true})), r.Agree(p)
		get(r, c, s{hmacSecretID: saltedRaw(agreed, saltEnc(agreed))}).Tolerate(badLength).Want(ctap.ErrInvalidParameter)
	}
	return conformance.Join(
		conformance.BothProtocols(once("hmacsecret.length.blocks", "salts have 32 or 64 bytes", nil), func(r *run, p pinuv.Protocol) {
			for _, n := range []int{16, 48, 80, 96} {
				r.Doing("with a salt of %d bytes", n)
				wrong(r, p, func(agreed *conformance.Secret) []byte { return agreed.Encrypt(r.Bytes(n)) })
			}
		}),
		conformance.BothProtocols(once("hmacsecret.length.ciphertext", "saltEnc is a ciphertext of whole blocks", nil), func(r *run, p pinuv.Protocol) {
			for _, n := range []int{0, 1, 31, 33, 63, 65} {
				r.Doing("with a saltEnc of %d bytes", n)
				wrong(r, p, func(*conformance.Secret) []byte { return r.Bytes(n) })
			}
		}),
	)
}
