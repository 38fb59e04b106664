// Package webauthn is the client side of WebAuthn Level 3: what a browser does
// between a page that calls navigator.credentials and the authenticators that
// answer. A [UserAgent] takes options and gives responses in their JSON forms, so
// that it can stand where a browser stands for any relying party, and speaks CTAP2
// with any ctap.Authenticator.
//
// Refusals are [*Error], named as the DOMException that a page would see. Unlike a
// page, the caller also learns why.
//
// Section numbers are those of the Level 3 editor's draft of 2026-07-30.
package webauthn
