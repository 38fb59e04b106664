// Package attestation makes and verifies attestation statements (WebAuthn Level 3,
// sections 6.5 and 8) and issues the certificates behind them.
//
// An [Authority] is a test certificate authority: everything it issues follows
// from one seed, so that two runs make the same certificates byte for byte. It
// makes the attestation of a model of security keys ([Authority.Packed],
// [Authority.U2F]) and of one device of it ([Authority.Device]), of phones
// ([Authority.AndroidKey], [Authority.Apple]), and certifies the attestation keys
// of TPMs ([Authority.CertifyAIK]); [NewCompound] joins several. [Verify] is a
// relying party's side, for every format of section 8 but android-safetynet, which
// is deprecated and which nothing makes any more, and [Result.Trusted] tells
// whether the chain leads to a root that is trusted.
//
// Each format is a file of its own with one verifier in it.
package attestation
