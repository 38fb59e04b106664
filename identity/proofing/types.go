package proofing

import (
	"time"

	"fido-emu/identity/person"
)

// Request is what a relying party asks for.
type Request struct {
	Reference string        `json:"reference"`           // the relying party's own name for the case
	Callback  string        `json:"callback,omitempty"`  // URL that gets the Result
	Country   string        `json:"country,omitempty"`   // where the person is, two letters; a provider that does not work there refuses
	Documents []person.Kind `json:"documents,omitempty"` // kinds that will do; none: those of the provider
}

// Ticket is a new session.
type Ticket struct {
	Session  string    `json:"session"`
	Provider string    `json:"provider"`
	URL      string    `json:"url"` // for the person; a secret; may be opened on any device
	Expires  time.Time `json:"expires"`
}

// Status is where a session stands.
type Status string

// The statuses. Pending is the only one that changes into others, but for Verified,
// which becomes Issued when an offer was made.
const (
	Pending   Status = "pending"
	Verified  Status = "verified"
	Issued    Status = "issued"
	Rejected  Status = "rejected"
	Expired   Status = "expired"
	Cancelled Status = "cancelled"
)

// Step is what a person has to do.
type Step string

// The steps.
const (
	Consent        Step = "consent"         // to the use of pictures of the face
	Document       Step = "document"        // the first document
	SecondDocument Step = "second-document" // one of another kind, of the same name and birth
	Selfie         Step = "selfie"          // with the challenges of liveness
	Done           Step = "done"            // nothing more
)

// Steps returns the steps that a provider may have.
func Steps() []Step { return []Step{Consent, Document, SecondDocument, Selfie} }

// Reason is why something was not accepted.
type Reason struct {
	Code     string `json:"code"`     // of ours: a document.Code, or one of the constants
	Provider string `json:"provider"` // what the provider calls it
	Detail   string `json:"detail"`   // what was found, for people
}

// Codes of reasons that are not about a document (those are document.Codes).
const (
	KindNotTaken      = "document_kind_not_accepted"
	CountryNotServed  = "issuing_country_not_served"
	DocumentsDiffer   = "documents_of_different_people"
	SameKind          = "second_document_of_same_kind"
	SelfieUnreadable  = "selfie_unreadable"
	SelfieIncomplete  = "selfie_incomplete" // not a frame for each pose
	FaceNotFound      = "face_not_found"
	LivenessFailed    = "liveness_failed"
	PrintedPhoto      = "printed_photo"
	ScreenReplay      = "screen_replay"
	SelfieReplayed    = "selfie_replayed"
	FacesDiffer       = "faces_differ_between_frames"
	FaceMismatch      = "face_mismatch"
	AttemptsExhausted = "attempts_exhausted"
)

// Result is what a relying party learns: whether, and why not; who it was is in the
// credential, which the person shows if they wish.
type Result struct {
	Session   string      `json:"session"`
	Provider  string      `json:"provider"`
	Reference string      `json:"reference"`
	Status    Status      `json:"status"`
	Step      Step        `json:"step"`
	Reasons   []Reason    `json:"reasons,omitempty"` // of the rejection, or of the last attempt
	Match     int         `json:"match,omitempty"`   // score of the selfie against the document's portrait, 0 to 100
	Kind      person.Kind `json:"kind,omitempty"`    // of the document
	Issuer    string      `json:"issuer,omitempty"`  // DID that issues the Verified ID
	Changed   time.Time   `json:"changed"`
	Expires   time.Time   `json:"expires"`
}

// View is what the person's device shows.
type View struct {
	Provider  string        `json:"provider"` // its title
	Status    Status        `json:"status"`
	Step      Step          `json:"step"`
	Steps     []Step        `json:"steps"`
	Documents []person.Kind `json:"documents"`           // kinds that will do
	Challenge []person.Pose `json:"challenge,omitempty"` // at the step Selfie: poses, in this order, after one frame in front
	Left      int           `json:"left"`                // attempts at this step
	Reasons   []Reason      `json:"reasons,omitempty"`   // why the last attempt was refused
	Expires   time.Time     `json:"expires"`
}

// Device is a device that has a session.
type Device struct {
	Device string `json:"device"` // for the header X-Device
	URL    string `json:"url"`    // the session's link
}

// HandOver is an invitation for another device.
type HandOver struct {
	URL     string    `json:"url"`  // to open on the other device, or to draw as QR code
	Code    string    `json:"code"` // to type there instead: eight letters and digits
	QR      string    `json:"qr"`   // URL as a picture: data:image/png;base64,…
	Expires time.Time `json:"expires"`
}

// Offer is the invitation of a wallet.
type Offer struct {
	Link    string    `json:"link"`             // openid-credential-offer://…
	TxCode  string    `json:"txCode,omitempty"` // to type into the wallet, where the provider wants that
	Expires time.Time `json:"expires"`
}

// Fault is how a provider fails.
type Fault struct {
	Down  bool          `json:"down,omitempty"`  // 503 of everything
	Delay time.Duration `json:"delay,omitempty"` // before each answer, in nanoseconds
	Dies  Step          `json:"dies,omitempty"`  // before this step is answered; then down until revived
}
