// Package ctap is the vocabulary of the FIDO Client to Authenticator Protocol:
// commands, status codes, messages, authenticator data and the strict CBOR they
// are written in. It is what an authenticator and a platform have in common, and
// it holds no behaviour of either.
//
// The one interface, [Authenticator], is the seam of the whole project: an
// authenticator in this process, one behind a USB transport and a real key on a
// bench all look the same through it.
//
// It follows CTAP 2.3 (Proposed Standard, 2026-02-26); section numbers in this
// module are those of that text unless another edition is named.
package ctap
