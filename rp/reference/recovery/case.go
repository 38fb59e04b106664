package recovery

import (
	"time"

	"fido-emu/rp"
)

// State says where a case stands.
type State string

// The states of a case. The first three are open, the others are ends.
const (
	Proofing   State = "proofing"   // the person is to show a document and a face to the provider
	Presenting State = "presenting" // the person is to present the Verified ID
	Retrieved  State = "retrieved"  // the wallet has looked at what is asked for

	Issued    State = "pass-issued" // verified; there is a pass
	Evaluated State = "evaluated"   // verified; in production there would be a pass
	Ended     State = "ended"       // without success; the reason tells why
)

// Open tells whether the case goes on.
func (s State) Open() bool { return s == Proofing || s == Presenting || s == Retrieved }

// Times of a case.
const (
	CaseLifetime = 30 * time.Minute // from the start to the last callback
	caseKept     = 24 * time.Hour   // how long an ended case can be asked about
)

// Started is a case as whoever began it gets it. The secret shows the pass; the
// link, for another device, only leads on.
type Started struct {
	Case     string    `json:"case"`
	Secret   string    `json:"secret"`
	Link     string    `json:"link"` // secret of the hand-over
	Provider string    `json:"provider,omitempty"`
	URL      string    `json:"url"` // where the person goes on, on this device or another
	Expires  time.Time `json:"expires"`
}

// Status is what the owner of a case's secret can see of it.
type Status struct {
	State    State     `json:"state"`
	Reason   string    `json:"reason,omitempty"` // code, of a case that ended
	Detail   string    `json:"detail,omitempty"` // for people
	Provider string    `json:"provider,omitempty"`
	URL      string    `json:"url,omitempty"` // where the person goes on
	Pass     string    `json:"pass,omitempty"`
	Expires  time.Time `json:"expires"`
}

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

	state    State
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
	nonce   string   // empty where the service made one
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
