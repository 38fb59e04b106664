// Package verifier verifies registrations and authentications as WebAuthn Level 3
// has it, sections 7.1 and 7.2, with every check a step that has a name and can be
// left out by it (Config.Without). It is what the audit proves itself on: a relying
// party with one step left out is one that an audit must find. For anything else it
// is used whole.
//
// A [Verifier] has no state. What it has to know of the relying party's (the
// challenge, the passkeys there are) stands in a [Request]; what it finds out is a
// [Record], which is for the caller to store.
package verifier
