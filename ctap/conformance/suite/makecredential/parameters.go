package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

var table = []conformance.Parameter{
	{Key: 1, Name: "clientDataHash", Type: conformance.ByteStr, Required: true},
	{Key: 2, Name: "rp", Type: conformance.Map, Required: true},
	{Key: 3, Name: "user", Type: conformance.Map, Required: true},
	{Key: 4, Name: "pubKeyCredParams", Type: conformance.Array, Required: true},
	{Key: 5, Name: "excludeList", Type: conformance.Array},
	{Key: 6, Name: "extensions", Type: conformance.Map},
	{Key: 7, Name: "options", Type: conformance.Map},
	{Key: 8, Name: "pinUvAuthParam", Type: conformance.ByteStr},
	{Key: 9, Name: "pinUvAuthProtocol", Type: conformance.Unsigned},
}

// parameters is about parameters that are missing or of a wrong type.
func parameters() []conformance.Case {
	return conformance.Join(
		conformance.Missing(once("missing", "6.1.2", "", nil), ctap.MakeCredential, table, (*run).CreateParams),
		conformance.Each(table, func(p conformance.Parameter) conformance.Case {
			return wrongType(once("", "6.1.2", "", nil), p)
		}),
		conformance.One(
			wrongType(since21("", "6.1.2", "", nil), conformance.Parameter{Key: 10, Name: "enterpriseAttestation", Type: conformance.Unsigned}),
			conformance.Needing(wrongType(since21("", "6.1.2", "", nil),
				conformance.Parameter{Key: 11, Name: "attestationFormatsPreference", Type: conformance.Array}), conformance.Member(0x16)),
		),
		hashes(),
	)
}

// wrongType makes one case of a parameter with every type that is not its own.
func wrongType(c conformance.Case, p conformance.Parameter) conformance.Case {
	all := conformance.WrongTypes(c, ctap.MakeCredential, []conformance.Parameter{p}, (*run).CreateParams)
	c.ID = "makecredential.type." + p.Name
	c.Why = p.Name + " of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE"
	c.Run = func(r *run) {
		for i := range all {
			all[i].Run(r)
		}
	}
	return c
}

// lengthAs03 is another status for what has not the length that it must have.
var lengthAs03 = conformance.Deviates("shipping keys answer CTAP1_ERR_INVALID_LENGTH to what is too short or too long",
	ctap.ErrInvalidLength, ctap.ErrLimitExceeded)

// hashes is about the length of clientDataHash.
func hashes() []conformance.Case {
	return conformance.Each([]struct {
		name   string
		length int
	}{{"empty", 0}, {"short", 31}, {"long", 33}}, func(h struct {
		name   string
		length int
	}) conformance.Case {
		return once("hash."+h.name, "6.1.2", "clientDataHash is a SHA-256, of 32 bytes", func(r *run) {
			attempt(r, r.CreateParams().With(1, r.Bytes(h.length))).Tolerate(lengthAs03).Want(ctap.ErrInvalidParameter)
		})
	})
}
