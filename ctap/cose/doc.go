// Package cose holds the public keys and signatures of credentials: COSE_Key in
// its CTAP2 canonical form, and verification of what a credential signs (RFC 9052,
// RFC 9053, RFC 8230, RFC 8812, RFC 9864, RFC 9964; WebAuthn Level 3, sections
// 5.8.5, 6.5.1.1 and 6.5.5).
//
// A public key is one of
//
//	*ecdsa.PublicKey      ES256, ES384, ES512, ESP256, ESP384, ESP512
//	*secp256k1.PublicKey  ES256K
//	ed25519.PublicKey     EdDSA, Ed25519
//	*rsa.PublicKey        RS256, PS256; RS1 can be read, not verified
//	*mldsa.PublicKey      ML-DSA-44, ML-DSA-65, ML-DSA-87
//
// WebAuthn binds ES256 to P-256, ES384 to P-384, ES512 to P-521 and EdDSA to
// Ed25519, and asks relying parties to request those rather than the fully
// specified identifiers of RFC 9864 that mean the same (-9, -51, -52, -19). Some
// clients and relying parties send the latter all the same, so they are read,
// verified and named here, and a profile may list them; no profile that comes with
// the program does.
//
// There is no Ed448: neither the standard library nor any library in use has it.
package cose
