// Package trace decodes CTAP messages for people to read: every member under the
// name that the specification gives it, in the order in which it was sent, with
// authenticator data, attestation statements, certificates and keys taken apart.
//
// It reads what goes over the wire, right or wrong. Bytes that are cut short,
// malformed or of the wrong type are shown as far as they can be read, with a
// field named "malformed" where reading had to stop; nothing makes it panic.
// What it does not know it shows in CBOR diagnostic notation (RFC 8949,
// section 8).
//
// Names follow CTAP 2.3, sections 6 and 12, and WebAuthn Level 3, section 6.5.
package trace
