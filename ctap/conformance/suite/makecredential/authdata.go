package makecredential

import (
	"bytes"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
)

const keyStep = "6.1.2 step 16"

// authData is about authenticator data (WebAuthn section 6.1).
func authData() []conformance.Case {
	return conformance.One(
		once("auth-data.layout", keyStep, "authenticator data is rpIdHash, flags, counter, attested credential data and extensions, and nothing behind", func(r *run) {
			c := r.NewCredential()
			r.Check(c.Data.Flags&ctap.FlagAT != 0, "the flag AT is not set: %s", c.Data.Flags)
			again := c.Data.Append(nil)
			r.Check(bytes.Equal(again, c.Response.AuthData), "authData is %x, where %x is due", []byte(c.Response.AuthData), again)
		}),
		once("auth-data.rpIdHash", keyStep, "rpIdHash is the SHA-256 of the relying party's id", func(r *run) {
			r.Create(r.CreateParams().With(2, s{"id": r.NewSite(), "name": "Conformance"}))
		}),
		once("auth-data.reserved", keyStep, "the reserved flags are 0", func(r *run) {
			f := r.NewCredential().Data.Flags
			r.Check(f&0x22 == 0, "the flags are %s", f)
		}),
		once("auth-data.backup", keyStep, "what is not backup eligible is not backed up", func(r *run) {
			f := r.NewCredential().Data.Flags
			r.Check(f&ctap.FlagBE != 0 || f&ctap.FlagBS == 0, "the flags are %s", f)
		}),
		once("auth-data.aaguid", keyStep, "the AAGUID is the one of getInfo", func(r *run) {
			got := r.NewCredential().Data.Attested.AAGUID
			r.Check(bytes.Equal(got[:], r.Info().AAGUID), "the AAGUID is %s, in getInfo %x", got, []byte(r.Info().AAGUID))
		}),
		once("auth-data.id", keyStep, "a credential id has at least 16 bytes, and no more than 1023 or maxCredentialIdLength", func(r *run) {
			c, most := r.NewCredential(), uint(1023)
			if stated := r.Info().MaxCredentialIDLength; stated != 0 {
				most = min(most, stated)
			}
			r.Check(len(c.ID) >= 16 && uint(len(c.ID)) <= most, "the credential id has %d bytes, at most %d are due", len(c.ID), most)
		}),
		once("auth-data.fresh", keyStep, "no two credentials have an id or a key in common, also for the same account", func(r *run) {
			params := r.CreateParams()
			a, b := r.Create(params), r.Create(params)
			r.Check(!bytes.Equal(a.ID, b.ID), "the credential id %x comes twice", a.ID)
			r.Check(!bytes.Equal(a.PublicKey, b.PublicKey), "the public key %x comes twice", a.PublicKey)
		}),
		conformance.StartWithPIN(once("auth-data.uv", "6.1.2 step 11", "the flag UV is set when the user was verified", func(r *run) {
			f := r.NewCredential().Data.Flags
			r.Check(f&ctap.FlagUV != 0 || r.Info().Options["makeCredUvNotRqd"] && !r.Protected(), "the flags are %s", f)
		})),
		conformance.StartBlank(conformance.Needing(once("auth-data.no-uv", "6.1.2 step 11", "the flag UV is not set when nobody was verified", func(r *run) {
			f := r.NewCredential().Data.Flags
			r.Check(f&ctap.FlagUV == 0, "the flags are %s", f)
		}), conformance.NoOption("uv"), conformance.NoOption("alwaysUv"))),
	)
}

// members is how many members the COSE_Key of an algorithm has: no optional ones.
func members(key map[int]cbor.RawMessage) int {
	const ec2, okp, rsa, akp = 2, 1, 3, 7
	var kind int
	if cbor.Unmarshal(key[1], &kind) != nil {
		return 0
	}
	return map[int]int{ec2: 5, okp: 4, rsa: 4, akp: 3}[kind]
}

// keys makes and uses a credential of every algorithm.
func keys() []conformance.Case {
	return conformance.Each(cose.Algorithms(), func(a cose.Algorithm) conformance.Case {
		return conformance.Needing(once("key."+strings.ToLower(a.String()), keyStep, "a credential of "+a.String()+" has a key of that algorithm, on its curve, and signs with it", func(r *run) {
			c := r.Create(r.CreateParams().With(4, []s{offer(a)}))
			conformance.Equal(r, "algorithm of the public key", c.Algorithm, a)
			var key map[int]cbor.RawMessage
			r.Require(ctap.Decode(c.PublicKey, &key) == nil, "the public key is not canonical CBOR: %x", c.PublicKey)
			r.Check(len(key) == members(key), "the public key has members that it needs not: %x", c.PublicKey)
			r.Use(c)
		}), conformance.Algorithm(a))
	})
}
