package authenticator_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
)

// world is one authenticator, the person in front of it, and a platform that does
// anything at all. What may happen in it, the model says.
type world struct {
	*rapid.T
	model
	*person
	auth    *authenticator.Authenticator
	env     authenticator.Env
	rand    *rand.ChaCha8 // the platform's own
	clock   time.Time
	channel uint32
	goesOn  bool           // the next request goes on with an enumeration
	kind    bool           // nothing unusual is chosen
	user    string         // who makes a credential then
	silent  bool           // assertions are to be made without a touch
	insist  *token         // the token to use for whatever needs one; nil for any
	seen    map[string]int // how often what happened
}

// objection is what the model holds against an authenticator.
type objection string

// object ends the run.
func (w *world) object(format string, args ...any) {
	panic(objection(fmt.Sprintf(format, args...)))
}

func (w *world) must(err error) {
	if err != nil {
		w.object("an error instead of an answer: %v", err)
	}
}

// newWorld switches an authenticator on. sabotage may spoil what it stands on.
func newWorld(t *rapid.T, p authenticator.Profile, sabotage func(*authenticator.Env), seen map[string]int) *world {
	w := &world{
		T: t, person: &person{}, rand: rand.NewChaCha8([32]byte{1}), seen: seen,
		clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	w.person.pass = w.pass
	source := rand.NewChaCha8([32]byte{2})
	w.env = authenticator.Env{
		Now: func() time.Time { return w.clock }, Rand: source, User: w.person, Keys: softkeys.New(source, true),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(p.CredentialLimit()),
		Attestation: &attester{},
	}
	if sabotage != nil {
		sabotage(&w.env)
	}
	var err error
	w.auth, err = authenticator.New(p, w.env)
	w.must(err)
	w.model = newModel(p, w.clock)
	return w
}

func (w *world) pass(d time.Duration) { w.clock = w.clock.Add(d) }

// happened counts what happened, so that a test can tell that it does.
func (w *world) happened(what string) { w.seen[what]++ }

// chance is true once in n; the simplest sequence has none.
func (w *world) chance(n int, what string) bool {
	return !w.kind && rapid.IntRange(0, n-1).Draw(w.T, what) == n-1
}

// pick draws the place, not the value, which may change before rapid compares it.
func pick[T any](w *world, all []T, what string) T {
	if w.kind {
		return all[0]
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(w.T, what)]
}

// disclosure is what an answer may tell of a credential.
type disclosure int

const (
	nothing   disclosure = iota
	anonymous            // all but the names of its user
	all
)

// exchange sends a request, and objects to what no answer may be: an error with
// contents, a status or an encoding that does not exist, and what may not be told.
func (w *world) exchange(command ctap.Command, params any, may func(*credential) disclosure) (ctap.Status, []byte) {
	request, err := ctap.NewRequest(command, params)
	w.must(err)
	return w.send(request, may)
}

func (w *world) send(request []byte, may func(*credential) disclosure) (ctap.Status, []byte) {
	if !w.goesOn {
		w.listing = listing{}
	}
	w.asked, w.goesOn = nil, false
	response, err := w.auth.Exchange(ctap.WithChannel(context.Background(), w.channel), request)
	w.must(err)
	if len(response) == 0 {
		w.object("an answer without a status")
	}
	status, body := ctap.Status(response[0]), response[1:]
	command := ctap.Command(0)
	if len(request) > 0 {
		command = ctap.Command(request[0])
	}
	w.happened(fmt.Sprintf("%v %v", command, status))
	switch {
	case strings.HasPrefix(status.String(), "unknown"):
		w.object("%v: status %v", command, status)
	case status != ctap.OK && len(body) > 0:
		w.object("%v: %v with %x", command, status, body)
	case len(body) > 0 && ctap.CheckCanonical(body) != nil:
		w.object("%v: not canonical: %x", command, body)
	}
	w.countVerifications(w)
	w.discreet(body, may)
	return status, body
}

var failures = []authenticator.Answer{authenticator.NotRecognised, authenticator.Denied, authenticator.TimedOut, authenticator.Cancelled}

// plan decides what the person will do: mostly what is hoped for, sometimes never.
func (w *world) plan() {
	usual, often := authenticator.Granted, 6
	if w.chance(10, "contrary") {
		usual, often = pick(w, failures, "usual answer"), 1000
	}
	w.answers = nil
	for range 3 {
		a := usual
		if w.chance(often, "person") {
			a = pick(w, failures, "answer")
		}
		w.answers = append(w.answers, a)
	}
}

// discreet objects to an answer with anything in it of a credential of which it may
// not tell. What two credentials have in common may be told of one of them.
func (w *world) discreet(body []byte, may func(*credential) disclosure) {
	told := map[string]bool{}
	for _, c := range w.credentials {
		for _, secret := range c.secrets(discloses(may, c)) {
			told[secret] = true
		}
	}
	for _, c := range w.credentials {
		for _, secret := range c.secrets(all) {
			if !told[secret] && bytes.Contains(body, []byte(secret)) {
				w.object("%q of a credential for %s is told in %x", secret, c.rp, body)
			}
		}
	}
}

func discloses(may func(*credential) disclosure, c *credential) disclosure {
	if may == nil {
		return nothing
	}
	return may(c)
}

func (w *world) decode(body []byte, into any) {
	if err := ctap.Decode(body, into); err != nil {
		w.object("answer %x: %v", body, err)
	}
}

// person answers as planned, and remembers what they were asked and did.
type person struct {
	answers []authenticator.Answer
	asked   []asked
	pass    func(time.Duration)
}

type asked struct {
	verify bool
	answer authenticator.Answer
}

func (p *person) ask(prompt authenticator.Prompt, verify bool) authenticator.Answer {
	answer := p.answers[min(len(p.asked), len(p.answers)-1)]
	if answer == authenticator.NotRecognised && !verify {
		answer = authenticator.Denied
	}
	if answer == authenticator.TimedOut {
		p.pass(prompt.Timeout)
	}
	p.asked = append(p.asked, asked{verify, answer})
	return answer
}

func (p *person) Presence(_ context.Context, prompt authenticator.Prompt) authenticator.Answer {
	return p.ask(prompt, false)
}

func (p *person) Verify(_ context.Context, prompt authenticator.Prompt) authenticator.Answer {
	return p.ask(prompt, true)
}

// Sample lays a finger on the sensor: badly when the person is to fail.
func (p *person) Sample(_ context.Context, prompt authenticator.Prompt) (authenticator.Answer, ctap.SampleStatus) {
	switch answer := p.ask(prompt, false); answer {
	case authenticator.Denied:
		return authenticator.Granted, ctap.SampleTooFast
	default:
		return answer, ctap.SampleGood
	}
}

// touched tells whether the person did anything that shows that they are there, and
// recognised whether they were verified.
func (p *person) touched() bool {
	for _, a := range p.asked {
		if a.answer == authenticator.Granted {
			return true
		}
	}
	return false
}

func (p *person) recognised() bool {
	for _, a := range p.asked {
		if a.verify && a.answer == authenticator.Granted {
			return true
		}
	}
	return false
}

// willing tells whether the person does all that they may be asked for.
func (p *person) willing() bool {
	for _, a := range p.answers {
		if a != authenticator.Granted {
			return false
		}
	}
	return true
}

// attester attests to everything, with a statement that says nothing. It stands for
// what other tests look at.
type attester struct{}

func (attester) Attest(authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	return "none", cbor.RawMessage{0xA0}, nil
}

func (attester) AttestU2F(message []byte) (certificate, signature []byte, err error) {
	digest := sha256.Sum256(message)
	return []byte{0x30, 0x00}, digest[:], nil
}
