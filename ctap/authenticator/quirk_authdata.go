package authenticator

import (
	"crypto/sha256"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// authDataQuirks are about authenticator data (WebAuthn section 6.1), which is changed
// before it is signed.
func authDataQuirks() []quirk {
	return []quirk{
		breach("rp-id-hash-wrong", "6.2.2 step 13",
			"hashes something else than the relying party's id",
			"nobody can sign in", "",
			altered(0, func(data []byte) []byte { data[0] ^= 1; return data })),
		breach("rp-id-hash-of-origin", "6.1.2 step 16",
			"hashes the origin in place of the relying party's id when it makes a credential",
			"no registration is accepted", "",
			behaviour{authData: func(_ *exchange, c *ceremony, data []byte) []byte {
				if c.command == ctap.MakeCredential {
					hash := sha256.Sum256([]byte("https://" + c.rpID))
					copy(data, hash[:])
				}
				return data
			}}),
		breach("up-flag-missing", "6.2.2 step 9",
			"clears UP although the user touched it",
			"sites refuse the sign-in", "",
			altered(ctap.GetAssertion, func(data []byte) []byte { return clearFlags(data, ctap.FlagUP) })),
		breach("up-flag-in-silence", "6.2.2 step 9",
			"sets UP in a silent assertion",
			"a page proves the presence of a user who is not there", "",
			altered(ctap.GetAssertion, func(data []byte) []byte { return setFlags(data, ctap.FlagUP) })),
		breach("uv-flag-unearned", "6.2.2 step 6",
			"sets UV without having verified the user",
			"a found key passes for its owner", "",
			altered(0, func(data []byte) []byte { return setFlags(data, ctap.FlagUV) })),
		breach("uv-flag-missing", "6.2.2 step 6",
			"clears UV although the user was verified",
			"sites that require user verification refuse the sign-in", "pinUvAuthToken",
			altered(0, func(data []byte) []byte { return clearFlags(data, ctap.FlagUV) })),
		breach("at-flag-missing", "6.1.2 step 16",
			"clears AT although attested credential data follow",
			"no registration is accepted", "",
			altered(ctap.MakeCredential, func(data []byte) []byte { return clearFlags(data, ctap.FlagAT) })),
		breach("at-flag-in-assertion", "6.2.2 step 13",
			"sets AT in an assertion, where no credential data follow",
			"sites cannot read the assertion", "",
			altered(ctap.GetAssertion, func(data []byte) []byte { return setFlags(data, ctap.FlagAT) })),
		breach("ed-flag-missing", "6.1.2 step 15",
			"clears ED although extension outputs follow",
			"sites cannot read the registration", "credProtect",
			altered(ctap.MakeCredential, func(data []byte) []byte { return clearFlags(data, ctap.FlagED) })),
		breach("ed-flag-unearned", "6.2.2 step 13",
			"sets ED although no extension outputs follow",
			"sites cannot read the assertion", "",
			altered(ctap.GetAssertion, func(data []byte) []byte { return setFlags(data, ctap.FlagED) })),
		breach("reserved-flags-set", "6.2.2 step 13",
			"sets the reserved flags",
			"sites of a later edition read what is not meant", "",
			altered(0, func(data []byte) []byte { return setFlags(data, 0x22) })),
		breach("backed-up-but-not-eligible", "6.1.2 step 16",
			"sets BS without BE",
			"sites refuse the registration, as WebAuthn has it", "no backup eligible",
			altered(0, func(data []byte) []byte { return setFlags(data, ctap.FlagBS) })),
		breach("backup-eligibility-flips", "6.2.2 step 13",
			"says BE in assertions of a credential that was made without it",
			"sites refuse the sign-in, as WebAuthn has it", "no backup eligible",
			altered(ctap.GetAssertion, func(data []byte) []byte { return setFlags(data, ctap.FlagBE) })),
		breach("aaguid-differs", "6.1.2 step 16",
			"attests with another AAGUID than getInfo states",
			"policies about models of key do not hold", "",
			attested(func(d *ctap.AttestedCredential) { d.AAGUID[15] ^= 1 })),
		breach("credential-id-empty", "6.1.2 step 16",
			"says a credential id of length zero in attested credential data",
			"the credential can never be named", "",
			attested(func(d *ctap.AttestedCredential) { d.ID = nil })),
		breach("credential-id-too-long", "6.1.2 step 16",
			"makes credential ids longer than the maxCredentialIdLength that it states",
			"platforms leave the credential out of lists, and the key is useless", "",
			attested(lengthenID)),
		breach("public-key-algorithm-missing", "6.1.2 step 16",
			"leaves alg out of the credential's public key",
			"sites cannot verify with the key", "",
			attestedKey(func(key map[int64]cbor.RawMessage) { delete(key, 3) })),
		breach("public-key-algorithm-wrong", "6.1.2 step 16",
			"labels the credential's public key with another algorithm",
			"sites cannot verify with the key", "",
			attestedKey(func(key map[int64]cbor.RawMessage) { key[3] = cbor.RawMessage{0x38, 0x24} })),
		breach("public-key-optional-members", "6.1.2 step 16",
			"adds a key id to the credential's public key",
			"sites that compare keys byte by byte lose the account", "",
			attestedKey(func(key map[int64]cbor.RawMessage) { key[2] = cbor.RawMessage{0x41, 0x01} })),
		breach("auth-data-trailing-bytes", "6.2.2 step 13",
			"has bytes behind authenticator data",
			"sites cannot read the assertion", "",
			altered(ctap.GetAssertion, func(data []byte) []byte { return append(data, 0) })),
		breach("attested-data-in-assertion", "6.2.2 step 13",
			"sends attested credential data with assertions",
			"the AAGUID tells every site which model signs in", "",
			behaviour{authData: func(_ *exchange, c *ceremony, data []byte) []byte {
				d, err := ctap.ParseAuthenticatorData(data)
				if err != nil || c.command != ctap.GetAssertion {
					return data
				}
				d.Attested = &ctap.AttestedCredential{ID: []byte{1}, PublicKey: emptyMap}
				return d.Append(nil)
			}}),
	}
}

// altered changes the authenticator data of a command, of both for command 0.
func altered(c ctap.Command, change func([]byte) []byte) behaviour {
	return behaviour{authData: func(_ *exchange, in *ceremony, data []byte) []byte {
		if c != 0 && in.command != c {
			return data
		}
		return change(data)
	}}
}

func setFlags(data []byte, f ctap.Flags) []byte   { data[32] |= byte(f); return data }
func clearFlags(data []byte, f ctap.Flags) []byte { data[32] &^= byte(f); return data }

// attested changes the attested credential data.
func attested(change func(*ctap.AttestedCredential)) behaviour {
	return altered(ctap.MakeCredential, func(data []byte) []byte {
		d, err := ctap.ParseAuthenticatorData(data)
		if err != nil || d.Attested == nil {
			return data
		}
		change(d.Attested)
		return d.Append(nil)
	})
}

// attestedKey changes the public key within.
func attestedKey(change func(map[int64]cbor.RawMessage)) behaviour {
	return attested(func(d *ctap.AttestedCredential) {
		var key map[int64]cbor.RawMessage
		if ctap.DecodeLoose(d.PublicKey, &key) != nil {
			return
		}
		change(key)
		if b, err := ctap.Encode(key); err == nil {
			d.PublicKey = b
		}
	})
}

// lengthenID makes the credential id longer than any that the default profile allows.
func lengthenID(d *ctap.AttestedCredential) { d.ID = append(d.ID, make([]byte, 1024)...) }

// extensionOutputs changes the extension outputs of a command.
func extensionOutputs(c ctap.Command, change func(map[string]cbor.RawMessage)) behaviour {
	return altered(c, func(data []byte) []byte { return outputsChanged(data, change) })
}

func outputsChanged(data []byte, change func(map[string]cbor.RawMessage)) []byte {
	d, err := ctap.ParseAuthenticatorData(data)
	outputs := map[string]cbor.RawMessage{}
	if err != nil || (d.Extensions != nil && ctap.DecodeLoose(d.Extensions, &outputs) != nil) {
		return data
	}
	change(outputs)
	d.Extensions = nil
	if len(outputs) > 0 {
		if d.Extensions, err = ctap.Encode(outputs); err != nil {
			return data
		}
	}
	return d.Append(nil)
}
