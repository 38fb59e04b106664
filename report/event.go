package report

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"fido-emu/ctap/trace"
	"fido-emu/grammar"
)

// Outcome is how a step, a scenario or a run ended.
type Outcome string

// The outcomes. Failed means that the device or the relying party is wrong, Error
// that the bench or the harness is.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Error   Outcome = "error"
	Timeout Outcome = "timeout"
	Aborted Outcome = "aborted"
	Skipped Outcome = "skipped"
)

// Kind tells what an event is about, and so which of its members are set.
type Kind string

// The kinds of event, in the order in which they come.
const (
	RunStart      Kind = "run-start"      // Run
	ScenarioStart Kind = "scenario-start" // Scenario
	StepStart     Kind = "step-start"     // Step
	CTAP          Kind = "ctap"           // Exchange: one CTAP request and its response
	WebAuthn      Kind = "webauthn"       // Ceremony: one call of navigator.credentials
	Measured      Kind = "measured"       // Measurement, of Device
	Note          Kind = "note"           // Text: something worth knowing within a step
	SignInEvent   Kind = "sign-in"        // SignIn: somebody signed in, or was refused
	RecoveryEvent Kind = "recovery"       // Recovery: somebody asked to get back into an account, or what came of it
	StepEnd       Kind = "step-end"       // Step, Outcome, Failure, Duration
	ScenarioEnd   Kind = "scenario-end"   // Scenario, Outcome, Failure, Duration
	RunEnd        Kind = "run-end"        // Run, Outcome, Duration
)

// Event is one thing that happened in a run. The stream of events is the only
// source of every report: console, JSONL, JUnit and HTML are drawn from it.
//
// Of two runs with the same seed all members are equal but Time and Duration.
type Event struct {
	Seq        int       `json:"seq"` // 1, 2, 3 …
	Kind       Kind      `json:"kind"`
	Time       time.Time `json:"time"`
	ScenarioID string    `json:"scenarioId,omitempty"` // of the scenario it belongs to
	StepIndex  int       `json:"stepIndex,omitempty"`  // 1 for the first step
	Attempt    int       `json:"attempt,omitempty"`    // 1, or more for a retry
	Device     string    `json:"device,omitempty"`     // name of the device concerned

	Run         *Run         `json:"run,omitempty"`
	Scenario    *Scenario    `json:"scenario,omitempty"`
	Step        *Step        `json:"step,omitempty"`
	Exchange    *Exchange    `json:"exchange,omitempty"`
	Ceremony    *Ceremony    `json:"ceremony,omitempty"`
	SignIn      *SignIn      `json:"signIn,omitempty"`
	Recovery    *Recovery    `json:"recovery,omitempty"`
	Measurement *Measurement `json:"measurement,omitempty"`
	Text        string       `json:"text,omitempty"`    // of a note; with Skipped and Aborted, why
	Picture     string       `json:"picture,omitempty"` // with a note: file of a screenshot, from where the reports are
	File        string       `json:"file,omitempty"`    // with a note: another file there, such as a capture

	Outcome  Outcome       `json:"outcome,omitempty"`
	Failure  *Failure      `json:"failure,omitempty"`
	Duration time.Duration `json:"duration,omitempty"` // nanoseconds of real time
}

// Run describes a run.
type Run struct {
	Title     string          `json:"title"`
	Version   string          `json:"version"`
	Seed      *uint64         `json:"seed,omitempty"`   // nil for a run that was not seeded
	Scenarios int             `json:"scenarios"`        // how many will run
	Plan      []Scenario      `json:"plan,omitempty"`   // at the start: what will run, in order
	Rules     []Rule          `json:"rules,omitempty"`  // at the start: what scenarios may show
	Counts    map[Outcome]int `json:"counts,omitempty"` // at the end: scenarios by outcome
	Slots     []SlotUse       `json:"slots,omitempty"`  // at the end: of the bench, in its order
}

// Location is a place in a scenario file.
type Location = grammar.Place

// Scenario describes a scenario.
type Scenario struct {
	ID       string            `json:"id"` // unique in the run, such as loss/only-key-lost[device=yubikey-5]
	Title    string            `json:"title"`
	Purpose  string            `json:"purpose,omitempty"`
	Labels   []string          `json:"labels,omitempty"`
	Covers   []string          `json:"covers,omitempty"` // IDs of the rules that it shows
	Location Location          `json:"location"`
	Matrix   map[string]string `json:"matrix,omitempty"` // this variant's values
	Devices  []Device          `json:"devices,omitempty"`
	Steps    int               `json:"steps"`
	Attempts int               `json:"attempts,omitempty"` // how often it may be tried; 0 and 1 mean once
}

// Device describes a device that takes part in a scenario.
type Device struct {
	Name    string `json:"name"`
	Profile string `json:"profile"`
	Reached string `json:"reached"`          // such as "in process"
	Slot    *Seat  `json:"slot,omitempty"`   // of the bench that it was in; nil for none
	Beside  string `json:"beside,omitempty"` // on a bench: why it was in none
}

// Seat is a slot of a bench with what sits in it, as far as that was known.
type Seat struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`               // key, emulated, tpm or keychain
	Model    string `json:"model,omitempty"`    // profile that is expected in it
	Firmware string `json:"firmware,omitempty"` // as it says of itself
	Serial   string `json:"serial,omitempty"`   // as it says over USB
}

// Step describes a step.
type Step struct {
	Verb     string   `json:"verb"` // such as sign-in
	Text     string   `json:"text"` // one line for people
	Location Location `json:"location"`
	Expected string   `json:"expected,omitempty"` // in words, when it is not plain success
}

// Exchange is one CTAP request and its response.
type Exchange struct {
	Command  string  `json:"command"` // such as authenticatorGetInfo, authenticatorClientPIN setPIN
	Status   string  `json:"status"`  // such as CTAP2_OK
	Request  Message `json:"request"`
	Response Message `json:"response"`
}

// Message is a message as it went over the wire, and what it says.
type Message struct {
	Raw     HexBytes `json:"raw"`
	Decoded []Field  `json:"decoded,omitempty"`
}

// Field is one member of a decoded message, by its specified name.
type Field = trace.Field

// Ceremony is one call of navigator.credentials.create or get.
type Ceremony struct {
	Type     string          `json:"type"` // create or get
	Person   string          `json:"person,omitempty"`
	Origin   string          `json:"origin"`
	Options  json.RawMessage `json:"options"`
	Response json.RawMessage `json:"response,omitempty"`
	Decoded  []Field         `json:"decoded,omitempty"` // client data, authenticator data, attestation
	Error    string          `json:"error,omitempty"`   // DOMException name and reason
}

// SignIn is one sign-in as whoever did it experienced it.
type SignIn struct {
	Method   string        `json:"method"` // such as passKeySynced, or password+sms
	Person   string        `json:"person"` // in whose name
	Attacker bool          `json:"attacker,omitempty"`
	Refused  string        `json:"refused,omitempty"` // why; empty when it succeeded
	Steps    int           `json:"steps"`             // things that had to be done, such as typing or tapping
	Took     time.Duration `json:"took"`              // nanoseconds of the scenario's time, the person's included
}

// The ways back into an account: the person proves who they are, or the helpdesk gives
// out a pass.
const (
	SelfService = "self-service"
	Helpdesk    = "helpdesk"
)

// The outcomes of a recovery. One that was started and has no other is left open.
const (
	Started   = "started"
	Recovered = "recovered" // there is a pass, or it let its owner in
	Verified  = "verified"  // in evaluation mode: there would be a pass
	Refused   = "refused"
)

// Recovery is one attempt to get back into an account that there was a way into before:
// that it was started, or how it ended.
type Recovery struct {
	Way     string        `json:"way"`               // SelfService or Helpdesk
	Person  string        `json:"person"`            // whose account it is
	Outcome string        `json:"outcome"`           // Started, Recovered, Verified or Refused
	Refused string        `json:"refused,omitempty"` // code
	Took    time.Duration `json:"took,omitempty"`    // nanoseconds of the scenario's time since the start
}

// Failure says what failed, where, and what to do.
type Failure struct {
	Message  string   `json:"message"`
	Location Location `json:"location"`
	Device   string   `json:"device,omitempty"`
	Hint     string   `json:"hint,omitempty"`
}

// HexBytes is written in hexadecimal.
type HexBytes []byte

// Sink takes events. A sink is called from one goroutine at a time, in order.
type Sink interface {
	Event(e *Event) error
}

// MarshalText writes lower-case hexadecimal.
func (h HexBytes) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(h)), nil
}

// UnmarshalText reads hexadecimal.
func (h *HexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}
