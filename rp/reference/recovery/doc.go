// Package recovery is account recovery for people who have lost every way to sign
// in, as a state machine: a [Desk] of cases, each of which ends in a Temporary
// Access Pass, in a report of what would have happened, or in a refusal with its
// reason. It knows nothing of HTTP and keeps no time of its own; whoever has it
// gives it an [Env].
//
// # The steps of a case
//
//  1. Somebody asks by user name ([Desk.Start]). Tries are counted.
//  2. Eligibility: a profile is in scope, there is a licence, the owner has signed
//     in since the scope changed, passes are enabled for the owner.
//  3. The profile names a verification provider for the country.
//  4. A proofing session is opened at the provider. Its address may be opened on
//     another device.
//  5. The provider says whether the document and the face held ([Desk.Status],
//     [Desk.Continue]).
//  6. A presentation of the Verified ID with Face Check is asked for.
//  7. The request service reports by callback ([Desk.Callback]), which has to bring
//     the key and the state of this request, once.
//  8. The presentation is verified here, too: signature, issuer, type, validity,
//     status, holder, audience, nonce.
//  9. Face Check: score and quality of the photo.
//  10. The names of the Verified ID are compared with those of the account ([Match]).
//  11. Another account that the same Verified ID would open makes it ambiguous.
//  12. Production: a pass is issued, and every other case of the account ends.
//     Evaluation: it is only reported.
//  13. Whoever registered a passkey with the pass has the old ones revoked, where
//     the profile or the person asked for it ([Desk.Registered]).
//
// The documents: Microsoft Learn, "Enable and configure account recovery", "Perform
// account recovery" and "Frequently asked questions about account recovery" for
// profiles, modes and matching; "Request Service REST API issuance and
// presentation" and "Using Face Check" for steps 6, 7 and 9. Where they are silent
// (how many tries, two cases at once, what a crash leaves behind) the rules are
// this package's, and are told where they are made.
//
// # What an attacker gets
//
// Starting a case costs nothing and gives nothing: the owner is told, the pass is
// shown only to whoever has the secret of the case that was verified, and a case
// that somebody else began neither ends nor delays the owner's. The limit on starts
// is the exception: whoever uses it up keeps the owner out of self-service for the
// rest of the hour, and the helpdesk remains.
package recovery
