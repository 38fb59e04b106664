package authenticator

import (
	"slices"
	"time"

	"fido-emu/ctap"
)

// getQuirks are about authenticatorGetAssertion and authenticatorGetNextAssertion
// (sections 6.2.2 and 6.3).
func getQuirks() []quirk {
	type request = ctap.GetAssertionRequest
	type response = ctap.GetAssertionResponse
	change := func(f func(*exchange, *request)) behaviour { return changeRequest(ctap.GetAssertion, f) }
	return []quirk{
		breach("get-hash-length-unchecked", "6.2.2",
			"signs for a clientDataHash that is no SHA-256",
			"a signature over something that no client data hashes to", "",
			change(func(_ *exchange, r *request) {
				if r.ClientDataHash != nil && len(r.ClientDataHash) != 32 {
					r.ClientDataHash = hashOf(r.ClientDataHash)
				}
			})),
		breach("get-rk-accepted", "6.2.2 step 4",
			"takes the option rk",
			"a platform believes to have chosen discoverable credentials", "",
			change(func(_ *exchange, r *request) { delete(r.Options, "rk") })),
		breach("get-allow-list-ignored", "6.2.2 step 7",
			"signs with any discoverable credential, also one that is not in the allowList",
			"a site gets an account that it did not ask for", "rk",
			change(func(x *exchange, r *request) {
				if uint(len(r.AllowList)) <= x.profile.maxCredsInList() {
					r.AllowList = nil
				}
			})),
		breach("get-allow-list-crosses-sites", "6.2.2 step 7",
			"signs with a credential of the allowList that belongs to another relying party",
			"a phishing site signs the user in elsewhere and follows accounts from site to site", "rk",
			alterFound(ctap.GetAssertion, func(q *quirks, c *Credential) {
				var r request
				if ctap.Decode(q.x.asked[1:], &r) == nil {
					c.RP.ID = r.RPID
				}
			})),
		breach("get-allow-list-limit-ignored", "6.2.2 step 7",
			"takes an allowList longer than the maxCredentialCountInList that it states",
			"the limit that it states is not its own", "",
			beforeCommand(ctap.GetAssertion, func(x *exchange) { x.a.profile.MaxCredsInList = 1 << 16 })),
		breach("get-no-credentials-status", "6.2.2 step 8",
			"answers CTAP1_ERR_OTHER when it has no credential for the relying party",
			"the platform cannot go on to the next key", "",
			changeStatus(ctap.GetAssertion, ctap.ErrNoCredentials, ctap.ErrOther)),
		breach("get-silent-asks", "6.2.2 step 9",
			"asks for a touch although up is false",
			"every key blinks while a platform looks for the right one", "",
			beforeCommand(ctap.GetAssertion, func(x *exchange) {
				var r request
				if ctap.Decode(x.asked[1:], &r) != nil || r.Options["up"] || r.Options == nil {
					return
				}
				if err := x.a.presence(x.ctx, Prompt{Command: ctap.GetAssertion, RPID: r.RPID}); err != nil {
					x.refuse(ctap.ErrOperationDenied)
				}
			})),
		breach("get-oldest-first", "6.2.2 step 12",
			"gives the oldest credential first",
			"the user signs in to an old account", "rk",
			alterStore(func(q *quirks, s *alteredStore) {
				s.byRP = func(real Credentials, rpIDHash [32]byte) ([]*Credential, error) {
					found, err := real.ByRP(rpIDHash)
					if q.x != nil && q.x.is(ctap.GetAssertion) {
						found = slices.Clone(found)
						slices.Reverse(found)
					}
					return found, err
				}
			})),
		breach("get-credential-missing", "6.2.2 step 13",
			"leaves the credential out of its answer",
			"the site cannot tell which key to verify with", "",
			changeMembers(ctap.GetAssertion, func(_ *exchange, m members) { delete(m, 1) })),
		breach("get-user-missing", "6.2.2 step 13",
			"leaves the user out of its answer for a discoverable credential",
			"nobody can sign in without a user name", "rk",
			changeAnswer(ctap.GetAssertion, func(_ *exchange, r *response) { r.User = nil })),
		breach("get-user-names-revealed", "6.2.2 step 13",
			"tells the user's names without having verified the user",
			"whoever finds the key reads whose it is", "rk",
			behaviour{after: func(x *exchange) {
				if x.is(ctap.GetAssertion, ctap.GetNextAssertion) && x.ok() {
					x.rewriteAnswer(func() any { return new(response) }, func(v any) { x.revealNames(v.(*response)) })
				}
			}}),
		breach("get-number-always", "6.2.2 step 11",
			"sends numberOfCredentials also when there is one credential",
			"platforms show a choice that is none", "",
			changeAnswer(ctap.GetAssertion, func(_ *exchange, r *response) { r.NumberOfCredentials = max(1, r.NumberOfCredentials) })),
		breach("get-number-missing", "6.2.2 step 11",
			"leaves numberOfCredentials out when there are several",
			"the user reaches one of their accounts only", "rk",
			changeAnswer(ctap.GetAssertion, func(_ *exchange, r *response) { r.NumberOfCredentials = 0 })),
		breach("get-number-one-more", "6.2.2 step 11",
			"counts one credential too many",
			"platforms ask for an assertion that never comes", "rk",
			changeAnswer(ctap.GetAssertion, func(_ *exchange, r *response) {
				if r.NumberOfCredentials > 0 {
					r.NumberOfCredentials++
				}
			})),
		breach("get-user-selected-always", "6.2.2 step 13",
			"says userSelected although it has no display",
			"platforms do not let the user choose", "",
			changeAnswer(ctap.GetAssertion, func(_ *exchange, r *response) { r.UserSelected = true })),
		breach("next-number-repeated", "6.3",
			"sends numberOfCredentials again with every further assertion",
			"platforms count wrongly", "rk",
			changeAnswer(ctap.GetNextAssertion, func(x *exchange, r *response) { r.NumberOfCredentials = uint(len(x.boot.pending.rest)) + 1 })),
		breach("next-after-another-command", "6.3",
			"goes on with an enumeration after another command",
			"assertions of an old request reach a new one", "rk",
			behaviour{after: func(x *exchange) {
				if !x.is(ctap.GetAssertion, ctap.GetNextAssertion) {
					x.a.boot.pending = x.boot.pending
				}
			}}),
		breach("next-after-thirty-seconds", "6.3",
			"goes on with an enumeration however late",
			"somebody else collects the other accounts' assertions", "rk",
			beforeCommand(ctap.GetNextAssertion, func(x *exchange) { x.a.boot.pending.deadline = x.a.env.Now().Add(time.Second) })),
		breach("next-on-another-channel", "6.3",
			"goes on with an enumeration for another channel than the one that began it",
			"one program collects the assertions of another", "rk",
			beforeCommand(ctap.GetNextAssertion, func(x *exchange) {
				x.ctx = ctap.WithChannel(x.ctx, x.a.boot.pending.channel)
			})),
		breach("next-never-ends", "6.3",
			"gives the last assertion again and again",
			"platforms run in circles", "rk",
			afterCommand(ctap.GetNextAssertion, func(x *exchange) {
				if p := &x.a.boot.pending; len(p.rest) == 0 {
					p.rest = x.boot.pending.rest[len(x.boot.pending.rest)-1:]
				}
			})),
		breach("next-end-status", "6.3",
			"answers CTAP2_ERR_NO_CREDENTIALS where no assertion is left",
			"platforms take it for a failure of the sign-in", "",
			changeStatus(ctap.GetNextAssertion, ctap.ErrNotAllowed, ctap.ErrNoCredentials)),
		breach("next-up-missing", "6.3",
			"clears UP in further assertions",
			"sites refuse the accounts that were not first", "rk",
			beforeCommand(ctap.GetNextAssertion, func(x *exchange) {
				if c := x.a.boot.pending.ceremony; c != nil {
					silent := *c
					silent.up = false
					x.a.boot.pending.ceremony = &silent
				}
			})),
	}
}

// revealNames puts all that is known of the user into an answer.
func (x *exchange) revealNames(r *ctap.GetAssertionResponse) {
	if r.Credential == nil || r.User == nil {
		return
	}
	if c, err := x.a.env.Credentials.ByID(r.Credential.ID); err == nil && c != nil {
		u := c.User
		r.User = &u
	}
}
