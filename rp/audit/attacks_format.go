package audit

import (
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/attestation"
	"fido-emu/attestation/forged"
	"fido-emu/ctap/authenticator"
)

// unverifiedAttacks ask of each attestation format whether its statements are verified
// at all.
func unverifiedAttacks() (all []Attack) {
	for _, f := range []struct{ format, name, section string }{
		{attestation.FormatPacked, "packed", "8.2"}, {attestation.FormatTPM, "tpm", "8.3"}, {attestation.FormatAndroidKey, "android-key", "8.4"},
		{attestation.FormatU2F, "fido-u2f", "8.6"}, {attestation.FormatApple, "apple", "8.8"}, {attestation.FormatCompound, "compound", "8.9"},
	} {
		all = append(all, Attack{
			ID: "registration.attestation.unverified." + f.name, Group: attestationGroup, Title: "the " + f.format + " statement attests to another ceremony: are statements of this format verified?",
			Section: "7.1", Step: 22, Detail: f.section, Severity: Medium,
			Gains: "whoever has one attestation has it for every passkey", run: func(b *bench) finding { return unverified(b, f.format) },
		})
	}
	return all
}

func unverified(b *bench, format string) finding {
	a, err := b.attested()
	if err == nil {
		err = b.honestAttestation(a, format, format == attestation.FormatU2F)
	}
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	f := b.tryGarbled(a, format)
	if f.verdict != Accepted || b.assessesTrust(a) || !b.takesUnknown(a) {
		return f
	}
	f.verdict = Tolerated
	f.why += "; the relying party takes formats that it does not know, of which this may be one, and attestation by whatever authority: it is worth as much to it as none"
	return f
}

// verifiesFormat tells whether a statement of another ceremony is refused.
func (b *bench) verifiesFormat(a *account, format string) bool {
	return b.tryGarbled(a, format).verdict != Accepted
}

// tryGarbled registers with a statement of another ceremony, once for each format.
func (b *bench) tryGarbled(a *account, format string) finding {
	if f, tried := b.garbled[format]; tried {
		return f
	}
	was, model := a.client.attest, a.client.aaguid
	a.client.attest = elsewhere{b.attestation(format)}
	if format == attestation.FormatU2F {
		a.client.aaguid = [16]byte{}
	}
	f := b.tryRegisterWith(a, func() { a.client.attest, a.client.aaguid = was, model })
	b.garbled[format] = f
	return f
}

// takesUnknown tells whether statements of formats are taken that nobody knows.
func (b *bench) takesUnknown(a *account) bool {
	i := slices.IndexFunc(forged.Catalogue(), func(f forged.Forgery) bool { return f.Name == "unknown-format" })
	return i >= 0 && b.tryForged(a, forged.Catalogue()[i]).verdict == Accepted
}

// elsewhere attests to another ceremony than the one it is asked for.
type elsewhere struct{ authenticator.Attestation }

// Attest attests to client data that nobody has.
func (e elsewhere) Attest(r authenticator.AttestationRequest) (format string, statement cbor.RawMessage, err error) {
	hash := slices.Clone(r.ClientDataHash)
	hash[0] ^= 1
	r.ClientDataHash = hash
	return e.Attestation.Attest(r)
}
