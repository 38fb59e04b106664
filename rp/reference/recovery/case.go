package recovery

import (
	"time"

	"fido-emu/rp"
)

// The states of a case. The first three are open, the others are ends.
const (
	Proofing   = "proofing"   // the person is to show a document and a face to the provider
	Presenting = "presenting" // the person is to present the Verified ID
	Retrieved  = "retrieved"  // the wallet has looked at what is asked for

	Issued    = "pass-issued" // verified; there is a pass
	Evaluated = "evaluated"   // verified; in production there would be a pass
	Ended     = "ended"       // without success; the reason tells why
)

// Open tells whether a case in this state goes on.
func Open(state string) bool { return state == Proofing || state == Presenting || state == Retrieved }

// Times of a case.
const (
	CaseLifetime = 30 * time.Minute // from the start to the last callback
	caseKept     = 24 * time.Hour   // how long an ended case can be asked about
)

// Started, Status and Notice are those of package rp.
type (
	Started = rp.RecoveryCase
	Status  = rp.RecoveryStatus
	Notice  = rp.RecoveryNotice
)

// record is a case. Desk.mu guards it; id, account, profile and began never change.
type record struct {
	id      string
	account string // user name
	profile Profile
	began   time.Time

	secret [32]byte // hash
	link   [32]byte // hash

	provider string // empty where a Verified ID from before is presented
	session  string // at the provider
	url      string // where the person goes on

	state    string
	guessed  bool // somebody asked for it without its secret
	busy     bool // somebody is asking another service about it
	proofed  bool
	request  request
	reason   string
	detail   string
	revoke   bool // old passkeys and methods, once a new passkey is registered
	pass     string
	finished time.Time
}

// request is the presentation that is asked for now.
type request struct {
	id      string
	state   string   // random; names the request in callbacks
	key     [32]byte // hash of what callbacks have to bring
	expires time.Time
	done    bool // its last callback has come
}

func (r *record) expires() time.Time { return r.began.Add(CaseLifetime) }

func (r *record) status() Status {
	return Status{State: r.state, Reason: r.reason, Detail: r.detail, Provider: r.provider, URL: r.url, Pass: r.pass, Expires: r.expires()}
}

// end closes a case with the reason of a refusal.
func (r *record) end(now time.Time, err error) {
	r.state, r.reason, r.detail, r.url, r.finished = Ended, codeOf(err), err.Error(), "", now
	if no, ok := err.(*rp.Refused); ok {
		r.detail = no.Reason
	}
}
