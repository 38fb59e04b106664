package authenticator

import (
	"bytes"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// makeQuirks are about the request of authenticatorMakeCredential (section 6.1.2).
func makeQuirks() []quirk {
	type request = ctap.MakeCredentialRequest
	change := func(f func(*request)) behaviour {
		return changeRequest(ctap.MakeCredential, func(_ *exchange, r *request) { f(r) })
	}
	return []quirk{
		breach("make-hash-length-unchecked", "6.1.2",
			"makes a credential for a clientDataHash that is no SHA-256",
			"an attestation over something that no client data hashes to", "",
			change(func(r *request) {
				if r.ClientDataHash != nil && len(r.ClientDataHash) != 32 {
					r.ClientDataHash = hashOf(r.ClientDataHash)
				}
			})),
		breach("make-user-missing-accepted", "6.1.2",
			"makes a credential without a user",
			"a credential that belongs to no account", "",
			change(func(r *request) {
				if r.User == nil {
					r.User = &ctap.User{ID: ctap.Bytes{0}}
				}
			})),
		breach("make-user-id-length-unchecked", "6.1.2",
			"takes a user handle of more than 64 bytes",
			"user handles are cut or overflow, and accounts are mixed up", "",
			change(func(r *request) {
				if r.User != nil && len(r.User.ID) > maxUserID {
					r.User.ID = r.User.ID[:maxUserID]
				}
			})),
		breach("make-algorithm-unchecked", "6.1.2 step 3",
			"makes an ES256 credential when none of the algorithms on offer is supported",
			"the site gets a key of a kind that it cannot verify, or does not trust", "",
			changeRequest(ctap.MakeCredential, func(x *exchange, r *request) {
				if _, err := x.a.chooseAlgorithm(r.PubKeyCredParams); err == ctap.ErrUnsupportedAlgorithm {
					r.PubKeyCredParams = []ctap.Parameters{{Algorithm: int(x.profile.Algorithms[0]), Type: ctap.PublicKeyCredential}}
				}
			})),
		breach("make-algorithm-list-unread", "6.1.2 step 3",
			"does not look at the algorithms behind the first that it supports",
			"a malformed request passes", "",
			changeRequest(ctap.MakeCredential, func(x *exchange, r *request) {
				for i := range r.PubKeyCredParams {
					if _, err := x.a.chooseAlgorithm(r.PubKeyCredParams[:i+1]); err == nil {
						r.PubKeyCredParams = r.PubKeyCredParams[:i+1]
						return
					}
				}
			})),
		breach("make-algorithm-order-ignored", "6.1.2 step 3",
			"takes the last algorithm that it supports, not the first",
			"the site gets the key it wanted least", "",
			change(func(r *request) { slices.Reverse(r.PubKeyCredParams) })),
		breach("make-credential-type-unchecked", "6.1.2 step 3",
			"takes an algorithm that is offered for a credential type nobody knows",
			"a credential of another kind than was asked for", "",
			change(func(r *request) {
				for i := range r.PubKeyCredParams {
					r.PubKeyCredParams[i].Type = ctap.PublicKeyCredential
				}
			})),
		breach("make-up-false-accepted", "6.1.2 step 5",
			"takes the option up: false",
			"a platform believes that credentials are made in silence", "",
			change(func(r *request) { dropFalse(r.Options, "up") })),
		breach("make-rk-ignored", "6.1.2 step 17",
			"makes a credential that is not discoverable although rk was asked for",
			"the user cannot sign in without a user name", "rk",
			change(func(r *request) { delete(r.Options, "rk") })),
		breach("make-unknown-options-refused", "6.1.2 step 5",
			"refuses options that it does not know",
			"a platform of a later edition cannot use it", "",
			changeRequest(ctap.MakeCredential, func(x *exchange, r *request) {
				for name := range r.Options {
					if name != "rk" && name != "up" && name != "uv" {
						x.refuse(ctap.ErrUnsupportedOption)
					}
				}
			})),
		breach("make-exclude-list-ignored", "6.1.2 step 12",
			"makes a second credential beside one of the excludeList",
			"the user believes to have a second key, and has one key twice", "",
			changeRequest(ctap.MakeCredential, func(x *exchange, r *request) {
				if uint(len(r.ExcludeList)) <= x.profile.maxCredsInList() {
					r.ExcludeList = nil
				}
			})),
		breach("make-exclude-list-in-silence", "6.1.2 step 12",
			"says CTAP2_ERR_CREDENTIAL_EXCLUDED before the user has touched it",
			"any page finds out which accounts a key is registered with, unseen", "",
			behaviour{env: func(q *quirks, e *Env) {
				e.User = alterUser(e.User, func(p *Prompt, _ bool, ask func() Answer) Answer {
					if q.x != nil && q.x.is(ctap.MakeCredential) && q.x.excludes() {
						return Granted
					}
					return ask()
				})
			}}),
		breach("make-exclude-list-limit-ignored", "6.1.2 step 12",
			"takes an excludeList longer than the maxCredentialCountInList that it states",
			"the limit that it states is not its own", "",
			beforeCommand(ctap.MakeCredential, func(x *exchange) { x.a.profile.MaxCredsInList = 1 << 16 })),
		breach("make-credential-overwrites-nothing", "6.1.2 step 17",
			"keeps the old discoverable credential of an account when it makes a new one",
			"a passkey that was replaced still works", "rk", keepReplaced()),
		breach("make-credential-overwrites-others", "6.1.2 step 17",
			"removes the other accounts' credentials of a relying party when it makes one",
			"a second account locks the first one out", "rk",
			alterStore(func(_ *quirks, s *alteredStore) {
				s.put = func(real Credentials, c *Credential) error {
					others, err := real.ByRP([32]byte(hashOf([]byte(c.RP.ID))))
					for _, other := range others {
						if !bytes.Equal(other.ID, c.ID) && c.Discoverable && err == nil {
							err = real.Delete(other.ID)
						}
					}
					if err != nil {
						return err
					}
					return real.Put(c)
				}
			})),
		breach("make-store-full-status", "6.1.2 step 17",
			"answers CTAP1_ERR_OTHER when its store is full",
			"the user is not told to make room", "rk",
			changeStatus(ctap.MakeCredential, ctap.ErrKeyStoreFull, ctap.ErrOther)),
		breach("make-store-full-overwrites", "6.1.2 step 17",
			"removes the oldest credential when its store is full",
			"a passkey vanishes without a word", "rk",
			alterStore(func(_ *quirks, s *alteredStore) { s.put = makeRoom })),
		breach("make-excluded-status-ok", "6.1.2 step 12",
			"answers an excludeList hit with CTAP2_OK and no credential",
			"the platform crashes or registers nothing", "",
			changeStatus(ctap.MakeCredential, ctap.ErrCredentialExcluded, ctap.OK)),
		breach("make-format-missing", "6.1.2 step 19",
			"leaves fmt out of its answer",
			"no site can read the attestation", "",
			changeMembers(ctap.MakeCredential, func(_ *exchange, m members) { delete(m, 1) })),
		breach("make-statement-missing", "6.1.2 step 19",
			"leaves attStmt out of its answer",
			"no site can read the attestation", "",
			changeMembers(ctap.MakeCredential, func(_ *exchange, m members) { delete(m, 3) })),
		breach("make-statement-broken", "6.1.2 step 19",
			"signs its attestation over something else",
			"a site that verifies attestation turns the user away", "attestation",
			changeAnswer(ctap.MakeCredential, func(_ *exchange, r *ctap.MakeCredentialResponse) { breakStatement(r) })),
	}
}

func dropFalse(options map[string]bool, name string) {
	if on, ok := options[name]; ok && !on {
		delete(options, name)
	}
}

// excludes tells whether the request has an excludeList.
func (x *exchange) excludes() bool {
	var r ctap.MakeCredentialRequest
	return ctap.Decode(x.asked[1:], &r) == nil && len(r.ExcludeList) > 0
}

// breakStatement changes the last byte of what is signed in an attestation statement.
func breakStatement(r *ctap.MakeCredentialResponse) {
	var statement map[string]cbor.RawMessage
	var signature ctap.Bytes
	if ctap.DecodeLoose(r.AttStmt, &statement) != nil || ctap.DecodeLoose(statement["sig"], &signature) != nil || len(signature) == 0 {
		return
	}
	signature[len(signature)-1] ^= 1
	if b, err := ctap.Encode(signature); err == nil {
		statement["sig"] = b
	}
	if b, err := ctap.Encode(statement); err == nil {
		r.AttStmt = b
	}
}
