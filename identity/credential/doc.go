// Package credential issues, revokes, presents and verifies Verified IDs: W3C
// verifiable credentials as JSON Web Tokens.
//
// An [Issuer] is did:web with its document, its status lists and its issuance
// service (OpenID for Verifiable Credential Issuance, pre-authorised code) served over
// HTTP. A [Verifier] takes a credential, or a presentation that a holder signed, and
// goes through numbered steps, each of which refuses with a [Reason] of its own. Who
// relies on a Verified ID imports this package for the Verifier alone.
//
// It follows
//
//	credentials, presentations   Verifiable Credentials Data Model 1.1, section 6.3.1 (JWT encoding)
//	the profile of both          JWT VC Presentation Profile (Decentralized Identity Foundation)
//	revocation                   Status List 2021 (W3C credentials community group)
//	issuers, holders             DID Core 1.0, did:web, did:jwk
//	linked domains               Well Known DID Configuration
//	issuance                     OpenID for Verifiable Credential Issuance 1.0
//	names of type and claims     Microsoft Graph, verifiedIdProfile
//
// Signatures are ES256 alone. Keys are drawn from the reader they are given and sign
// by RFC 6979, so from one seed every token is the same byte for byte. did:ion, which
// the profile names beside did:web, is not here: its resolution needs a node of that
// network.
package credential
