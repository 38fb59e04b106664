package authenticator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fido-emu/ctap"
)

// A Quirk is one way in which an authenticator breaks its specification, by name: a
// Profile with the name among its Quirks has it.
type Quirk struct {
	Name    string   `json:"name"`    // such as pin-retries-not-decremented
	Section string   `json:"section"` // of CTAP 2.3, such as 6.5.5.6; or of "U2F Raw Message Formats 1.2" or WebAuthn, which it then names
	Breaks  string   `json:"breaks"`  // what the authenticator does, against the rule
	Danger  string   `json:"danger"`  // what comes of it for the user
	Needs   []string `json:"needs"`   // what a profile must have for it to show: see Suits
	Level   Level    `json:"level"`
}

// Level is where in an authenticator a quirk sits.
type Level string

// The levels. The names of quirks of the wire begin with WirePrefix; an Authenticator
// leaves them to its transport.
const (
	Core Level = "core"
	Wire Level = "wire"
)

// WirePrefix is what the names of quirks of the wire begin with.
const WirePrefix = "hid-"

// Quirks returns the catalogue of what an Authenticator can do wrong, in the order of
// the specification's sections.
func Quirks() []Quirk {
	all := catalogue()
	public := make([]Quirk, len(all))
	for i, q := range all {
		public[i] = q.Quirk
	}
	return public
}

// catalogue returns all quirks with what they do.
func catalogue() []quirk {
	return slices.Concat(
		messageQuirks(), makeQuirks(), getQuirks(), ceremonyQuirks(), authDataQuirks(),
		infoListQuirks(), infoOptionQuirks(), infoLimitQuirks(),
		pinQuirks(), retryQuirks(), tokenQuirks(), tokenUseQuirks(),
		resetQuirks(), bioQuirks(), managementQuirks(), blobQuirks(), configQuirks(),
		enterpriseQuirks(), extensionQuirks(), secretQuirks(), storedQuirks(), u2fQuirks(),
	)
}

// quirk is a Quirk with what it does.
type quirk struct {
	Quirk
	behaviour
}

// behaviour is what makes an authenticator break a rule. It lies to the handlers, or
// about what they answered, so that they read as if there were no quirks.
type behaviour struct {
	env      func(*quirks, *Env) // puts something else in the place of what is impure
	before   func(*exchange)     // changes a request or the state before the handler; an answer that it sets is final
	after    func(*exchange)     // changes the answer or the state behind the handler
	apdu     func(*exchange)     // before, for U2F
	answered func(*exchange)     // after, for U2F
	// authData changes authenticator data before it is signed.
	authData func(x *exchange, c *ceremony, data []byte) []byte
	power    func(a *Authenticator, before boot) // changes what a power cycle left
}

// breach returns a quirk of the catalogue. needs are separated by commas.
func breach(name, section, breaks, danger, needs string, b behaviour) quirk {
	q := Quirk{Name: name, Section: section, Breaks: breaks, Danger: danger, Level: Core}
	if needs != "" {
		q.Needs = strings.Split(needs, ",")
	}
	return quirk{q, b}
}

// quirks are those that one authenticator has, in the order of its profile.
type quirks struct {
	has []quirk
	x   *exchange // the request that is being answered; nil between requests
}

// adoptQuirks installs the quirks of the profile.
func (a *Authenticator) adoptQuirks() error {
	all := []quirk(nil)
	for _, name := range a.profile.Quirks {
		if strings.HasPrefix(name, WirePrefix) {
			continue
		}
		if all == nil {
			all = catalogue()
			a.quirks = &quirks{}
		}
		i := slices.IndexFunc(all, func(q quirk) bool { return q.Name == name })
		if i < 0 {
			return fmt.Errorf("quirks: %q is not known; fido-emu profiles --quirks lists them all", name)
		}
		a.quirks.has = append(a.quirks.has, all[i])
		if all[i].env != nil {
			all[i].env(a.quirks, &a.env)
		}
	}
	return nil
}

// exchange answers a CTAP2 request, with the quirks around the handler.
func (q *quirks) exchange(ctx context.Context, a *Authenticator, request []byte) ([]byte, error) {
	if q == nil {
		return a.exchange(ctx, request)
	}
	return q.around(&exchange{ctx: ctx, a: a, request: request, asked: request}, a.exchange,
		func(b *behaviour) (before, after func(*exchange)) { return b.before, b.after })
}

// message does the same for a U2F request.
func (q *quirks) message(ctx context.Context, a *Authenticator, apdu []byte) ([]byte, error) {
	if q == nil {
		return a.respond(ctx, apdu)
	}
	return q.around(&exchange{ctx: ctx, a: a, request: apdu, asked: apdu, u2f: true}, a.respond,
		func(b *behaviour) (before, after func(*exchange)) { return b.apdu, b.answered })
}

func (q *quirks) around(
	x *exchange, handler func(context.Context, []byte) ([]byte, error), hooks func(*behaviour) (before, after func(*exchange)),
) ([]byte, error) {
	q.x = x
	defer func() { q.x = nil }()
	x.boot, x.device, x.profile = x.a.boot, x.a.device, x.a.profile
	for i := range q.has {
		if before, _ := hooks(&q.has[i].behaviour); before != nil && x.answer == nil {
			before(x)
		}
	}
	if x.answer == nil {
		answer, err := handler(x.ctx, x.request)
		if err != nil {
			return nil, err
		}
		x.answer = answer
	}
	x.restore()
	for i := range q.has {
		if _, after := hooks(&q.has[i].behaviour); after != nil {
			after(x)
		}
	}
	return x.answer, x.err
}

// powerCycled tells the quirks of a power cycle.
func (q *quirks) powerCycled(a *Authenticator, before boot) {
	if q == nil {
		return
	}
	for i := range q.has {
		if power := q.has[i].power; power != nil {
			power(a, before)
		}
	}
}

// authData passes authenticator data through the quirks.
func (q *quirks) authData(c *ceremony, data []byte) []byte {
	if q == nil {
		return data
	}
	for i := range q.has {
		if change := q.has[i].behaviour.authData; change != nil {
			data = change(q.x, c, data)
		}
	}
	return data
}

// exchange is a request on its way through the quirks.
type exchange struct {
	ctx     context.Context
	a       *Authenticator
	u2f     bool
	asked   []byte // the request as it came
	request []byte // as the handler gets it
	answer  []byte // as the handler gave it, or as it will not be asked for it
	err     error  // the state could not be saved

	boot    boot // as it was before the request
	device  Device
	profile Profile
	backs   []func(*Device)
}

// command is that of the request; 0 for U2F.
func (x *exchange) command() ctap.Command {
	if x.u2f || len(x.asked) == 0 {
		return 0
	}
	return ctap.Command(x.asked[0])
}

// is tells whether it is a request of one of these commands.
func (x *exchange) is(commands ...ctap.Command) bool { return slices.Contains(commands, x.command()) }

// status is that of the answer.
func (x *exchange) status() ctap.Status { return ctap.Status(x.answer[0]) }

func (x *exchange) ok() bool { return x.status() == ctap.OK }

// refuse sets the answer to a status alone.
func (x *exchange) refuse(s ctap.Status) { x.answer = []byte{byte(s)} }

// pretend changes the device's state for this request alone; back puts right what
// change made wrong.
func (x *exchange) pretend(change, back func(*Device)) {
	change(&x.a.device)
	x.backs = append(x.backs, back)
}

// restore ends what was pretended.
func (x *exchange) restore() {
	x.a.profile = x.profile
	for _, back := range slices.Backward(x.backs) {
		x.save(back)
	}
}

// save changes the device's state for good.
func (x *exchange) save(change func(*Device)) {
	d := x.a.device
	change(&d)
	if err := x.a.save(d); err != nil {
		x.err = err
	}
}
