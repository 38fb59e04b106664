package authenticator

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// messageQuirks are about the encoding of messages and their statuses (section 8).
func messageQuirks() []quirk {
	return []quirk{
		breach("noncanonical-request-accepted", "8",
			"takes requests whose integers are longer than needed or whose keys are not sorted",
			"two parsers of one message can read it differently", "",
			acceptCBOR(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, DupMapKey: cbor.DupMapKeyEnforcedAPF})),
		breach("indefinite-length-accepted", "8",
			"takes requests with maps and strings of indefinite length",
			"a parser that must not allocate without bounds does", "",
			acceptCBOR(cbor.DecOptions{IndefLength: cbor.IndefLengthAllowed, DupMapKey: cbor.DupMapKeyEnforcedAPF})),
		breach("duplicate-keys-accepted", "8",
			"takes requests with the same key twice",
			"what was checked is not what is used", "",
			acceptCBOR(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, DupMapKey: cbor.DupMapKeyQuiet})),
		breach("trailing-bytes-accepted", "8",
			"takes requests with bytes behind their parameters",
			"something unseen rides along", "",
			behaviour{before: cutTrailing}),
		breach("unknown-members-refused", "8",
			"refuses requests with members that it does not know",
			"a platform of a later edition cannot use it at all", "",
			beforeCommand(ctap.MakeCredential, refuseUnknown)),
		breach("answer-keys-unsorted", "8",
			"sends the members of its answers in descending order",
			"a strict platform refuses every answer", "",
			changeEncoding(unsorted)),
		breach("answer-integers-long", "8",
			"encodes the first key of its answers in two bytes where one would do",
			"a strict platform refuses every answer", "",
			changeEncoding(longKey)),
		breach("answer-trailing-byte", "8",
			"sends a zero byte behind its answers",
			"a strict platform refuses every answer", "",
			changeEncoding(func(b []byte) []byte { return append(b, 0) })),
		breach("answer-indefinite-map", "8",
			"sends its answers as maps of indefinite length",
			"a strict platform refuses every answer", "",
			changeEncoding(indefinite)),
		breach("errors-carry-data", "8.2",
			"sends an empty map behind the status of an error",
			"a platform takes the error for an answer", "",
			behaviour{after: func(x *exchange) {
				if !x.ok() {
					x.answer = append(x.answer, emptyMap...)
				}
			}}),
		breach("unknown-command-status", "8.2",
			"answers a command that it has not with CTAP1_ERR_OTHER",
			"a platform cannot tell what is missing from what failed", "",
			changeStatus(0, ctap.ErrInvalidCommand, ctap.ErrOther)),
		breach("unknown-command-ok", "8.2",
			"answers a command that it has not with CTAP2_OK",
			"a platform believes that something was done", "",
			changeStatus(0, ctap.ErrInvalidCommand, ctap.OK)),
		breach("wrong-type-status", "8.2",
			"answers a member of a wrong type with CTAP1_ERR_OTHER",
			"a platform cannot tell its own mistake from a failure of the key", "",
			changeStatus(0, ctap.ErrCBORUnexpectedType, ctap.ErrOther)),
		breach("malformed-cbor-status", "8.2",
			"answers malformed CBOR with CTAP1_ERR_OTHER",
			"a platform cannot tell its own mistake from a failure of the key", "",
			changeStatus(0, ctap.ErrInvalidCBOR, ctap.ErrOther)),
		breach("missing-parameter-status", "8.2",
			"answers a request without a parameter that it needs with CTAP1_ERR_OTHER",
			"a platform cannot tell its own mistake from a failure of the key", "",
			changeStatus(0, ctap.ErrMissingParameter, ctap.ErrOther)),
		breach("oversized-request-accepted", "6.4",
			"takes requests longer than the maxMsgSize that it states",
			"the limit that it states is not the one of its buffers", "",
			behaviour{before: func(x *exchange) {
				if !x.is(ctap.GetInfo) {
					x.a.profile.MaxMsgSize = 1 << 16
				}
			}}),
	}
}

// acceptCBOR puts a request that is read with these options into the canonical form.
func acceptCBOR(o cbor.DecOptions) behaviour {
	return behaviour{before: func(x *exchange) {
		if len(x.request) < 2 || ctap.CheckCanonical(x.request[1:]) == nil {
			return
		}
		mode, err := o.DecMode()
		if err != nil {
			return
		}
		var v any
		if mode.Unmarshal(x.request[1:], &v) != nil {
			return
		}
		if b, err := ctap.Encode(v); err == nil {
			x.request = append(x.request[:1:1], b...)
		}
	}}
}

func cutTrailing(x *exchange) {
	var first cbor.RawMessage
	if len(x.request) < 2 {
		return
	}
	if _, err := cbor.UnmarshalFirst(x.request[1:], &first); err == nil {
		x.request = append(x.request[:1:1], first...)
	}
}

func refuseUnknown(x *exchange) {
	var m members
	if ctap.Decode(x.request[1:], &m) != nil {
		return
	}
	for key := range m {
		if key > 11 {
			x.refuse(ctap.ErrInvalidParameter)
		}
	}
}

// changeEncoding changes the CBOR of every answer that has some.
func changeEncoding(change func([]byte) []byte) behaviour {
	return behaviour{after: func(x *exchange) {
		if x.ok() && len(x.answer) > 2 {
			x.answer = append([]byte{byte(ctap.OK)}, change(x.answer[1:])...)
		}
	}}
}

// unsorted writes a map with its keys in descending order; one of a single member with
// that member twice would be another fault, so it stays as it is.
func unsorted(b []byte) []byte {
	var m members
	if ctap.DecodeLoose(b, &m) != nil {
		return b
	}
	out := []byte{0xA0 | byte(len(m))}
	if len(m) > 23 {
		out = []byte{0xB8, byte(len(m))}
	}
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(m))) {
		k, err := ctap.Encode(key)
		if err != nil {
			return b
		}
		out = slices.Concat(out, k, m[key])
	}
	return out
}

// head is how many bytes begin a map.
func head(b []byte) int {
	if b[0]&0x1F < 24 {
		return 1
	}
	return 2
}

func longKey(b []byte) []byte {
	n := head(b)
	if b[n] > 23 {
		return b
	}
	return slices.Concat(b[:n], []byte{0x18}, b[n:])
}

func indefinite(b []byte) []byte {
	return slices.Concat([]byte{0xBF}, b[head(b):], []byte{0xFF})
}

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
			change(func(r *request) { r.ExcludeList = nil })),
		breach("make-exclude-list-in-silence", "6.1.2 step 12",
			"says CTAP2_ERR_CREDENTIAL_EXCLUDED before the user has touched it",
			"any page finds out which accounts a key is registered with, unseen", "",
			behaviour{env: func(q *quirks, e *Env) {
				e.User = alterUser(e.User, func(p Prompt, _ bool, ask func() Answer) Answer {
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

// counterOf reads the signature counter of authenticator data.
func counterOf(data []byte) uint32 { return binary.BigEndian.Uint32(data[33:]) }
