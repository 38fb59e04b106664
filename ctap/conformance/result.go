package conformance

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Outcome is how a case ended.
type Outcome string

// The outcomes.
const (
	Passed        Outcome = "passed"
	Failed        Outcome = "failed"         // the authenticator breaks the rule
	Tolerated     Outcome = "tolerated"      // it deviates where editions or shipping keys differ; Deviations say how
	NotApplicable Outcome = "not applicable" // it has not what the case needs; Reason says what
	NotRun        Outcome = "not run"        // Reason says why
	Errored       Outcome = "error"          // the bench is at fault, or the suite
)

// Outcomes lists the outcomes in the order of tables.
var Outcomes = []Outcome{Passed, Failed, Tolerated, NotApplicable, NotRun, Errored}

// Result is how one case went.
type Result struct {
	ID       string    `json:"id"`
	Group    string    `json:"group"`
	Document Document  `json:"document"`
	Section  string    `json:"section"`
	Editions []Edition `json:"editions"`
	Why      string    `json:"why"` // the rule
	Outcome  Outcome   `json:"outcome"`
	// Reason is why it was not applicable or not run, or what the bench's fault is.
	Reason     string          `json:"reason,omitempty"`
	Failures   []Failure       `json:"failures,omitempty"`
	Deviations []SeenDeviation `json:"deviations,omitempty"`
	// Exchanges is everything that went over the wire, where the case did not simply
	// pass.
	Exchanges []Exchange    `json:"exchanges,omitempty"`
	Sent      int           `json:"sent"` // how many requests it took
	Began     time.Time     `json:"began,omitzero"`
	Took      time.Duration `json:"took"` // nanoseconds, real
}

// Rule returns where the case's rule stands.
func (r *Result) Rule() Rule {
	return Rule{Document: r.Document, Section: r.Section, Editions: r.Editions}
}

// Failure is one way in which an authenticator broke the rule.
type Failure struct {
	Text     string `json:"text"`               // what is wrong, for people
	Want     string `json:"want,omitempty"`     // what the rule asks for
	Got      string `json:"got,omitempty"`      // what came
	Exchange int    `json:"exchange,omitempty"` // number in Result.Exchanges, from 1; 0 for none
}

// SeenDeviation is a deviation that was seen and tolerated.
type SeenDeviation struct {
	What     string `json:"what"`
	Source   string `json:"source"` // who else does so, or which edition says otherwise
	Exchange int    `json:"exchange,omitempty"`
}

// Hex is bytes, in JSON as hexadecimal digits.
type Hex []byte

// MarshalText writes hexadecimal digits.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText reads hexadecimal digits.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Medium says what an exchange is made of.
type Medium string

// The media.
const (
	OverCBOR   Medium = "cbor"   // a CTAP2 request and its response
	OverU2F    Medium = "u2f"    // APDUs
	OverReport Medium = "report" // one CTAPHID report, in one direction
	OverBench  Medium = "bench"  // something done to the authenticator; Note says what
)

// Exchange is one exchange with the authenticator, or something done to it.
type Exchange struct {
	Medium     Medium        `json:"medium"`
	Request    Hex           `json:"request,omitempty"`
	Response   Hex           `json:"response,omitempty"`
	Keepalives []string      `json:"keepalives,omitempty"` // the states that the authenticator went through
	Error      string        `json:"error,omitempty"`      // of the transport
	Note       string        `json:"note,omitempty"`
	At         time.Duration `json:"at"`   // nanoseconds after the case began, in the authenticator's time
	Took       time.Duration `json:"took"` // nanoseconds, real
}

// Subject is what was judged.
type Subject struct {
	Reached string    `json:"reached"` // how
	Name    string    `json:"name,omitempty"`
	AAGUID  string    `json:"aaguid,omitempty"`
	Info    Hex       `json:"info,omitempty"` // the CBOR of getInfo before the first case
	Begun   time.Time `json:"begun"`
}

// Report is a whole run.
type Report struct {
	Subject Subject       `json:"subject"`
	Results []Result      `json:"results"` // of all chosen cases, in the order of the suite
	Stopped string        `json:"stopped,omitempty"`
	Took    time.Duration `json:"took"`
}

// Counts is how often there was which outcome.
type Counts map[Outcome]int

// Counts counts the outcomes of all results.
func (r *Report) Counts() Counts {
	c := Counts{}
	for i := range r.Results {
		c[r.Results[i].Outcome]++
	}
	return c
}

// GroupCounts is the outcomes of a group.
type GroupCounts struct {
	Group  string `json:"group"`
	Counts Counts `json:"counts"`
}

// ByGroup counts the outcomes of each group, in the order of the suite.
func (r *Report) ByGroup() (all []GroupCounts) {
	for i := range r.Results {
		at := slices.IndexFunc(all, func(g GroupCounts) bool { return g.Group == r.Results[i].Group })
		if at < 0 {
			at = len(all)
			all = append(all, GroupCounts{r.Results[i].Group, Counts{}})
		}
		all[at].Counts[r.Results[i].Outcome]++
	}
	return all
}

// Coverage is which cases stand for a section.
type Coverage struct {
	Document Document `json:"document"`
	Section  string   `json:"section"`
	Cases    []string `json:"cases"` // ids
	Counts   Counts   `json:"counts"`
}

// Sections lists every section that has cases, by document and section number.
func (r *Report) Sections() (all []Coverage) {
	for i := range r.Results {
		x := &r.Results[i]
		at := slices.IndexFunc(all, func(c Coverage) bool { return c.Document == x.Document && c.Section == x.Section })
		if at < 0 {
			at = len(all)
			all = append(all, Coverage{Document: x.Document, Section: x.Section, Counts: Counts{}})
		}
		all[at].Cases = append(all[at].Cases, x.ID)
		all[at].Counts[x.Outcome]++
	}
	slices.SortStableFunc(all, compareSections)
	return all
}

// raws is CBOR of getInfo by key.
type raws = map[int]cbor.RawMessage
