package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fido-emu/fixtures"
	"fido-emu/report"
	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
	"fido-emu/scenarios/language"
)

// Fallbacks returns what lets people sign in without a passkey.
func (s *Site) Fallbacks() (rp.Fallbacks, error) {
	return itself[rp.Fallbacks](s, "signing in without a passkey")
}

// MethodAdministration returns what an administrator does about methods.
func (s *Site) MethodAdministration() (rp.MethodAdministration, error) {
	return itself[rp.MethodAdministration](s, "administration of methods")
}

// Access returns Conditional Access.
func (s *Site) Access() (rp.ConditionalAccess, error) {
	return itself[rp.ConditionalAccess](s, "Conditional Access")
}

// itself returns a part of the very adapter that signs people in: sessions and
// signals are its own, and another beside it would not know them.
func itself[Part any](s *Site, what string) (Part, error) {
	part, ok := s.RelyingParty.(Part)
	if !ok {
		return part, &Missing{"this relying party does not offer " + what}
	}
	return part, nil
}

// Who signs in: the person, a page that passes on all that the person does there,
// or somebody who knows the password and holds what was stolen.
const (
	ByOwner    = "owner"
	ByRelay    = "relay"
	ByStranger = "stranger"
)

// ReasonUnseen refuses where a code went to somebody else.
const ReasonUnseen = "message-not-seen"

// FallBack is a sign-in, or a reset of the password, without a passkey.
type FallBack struct {
	Person   *Person
	Purpose  string   // rp.ToSignIn or rp.ToReset
	Kinds    []string // in this order
	By       string   // ByOwner, ByRelay or ByStranger
	Taps     string   // what the owner does with a request in the app that somebody else asked for: rp.Approve, rp.Deny, rp.Report, or nothing
	Prompts  int      // how many requests are sent until the owner taps
	Code     string   // typed in place of the right code; empty for the right one
	Password string   // typed in place of the right password
	Guesses  int      // how often what is wrong is tried

	Late time.Duration // how long it takes until what was sent is typed
}

// In returns the context in which f happens: a relay and a stranger have a browser
// of their own, in a place of their own.
func (f *FallBack) In(ctx context.Context) context.Context {
	if f.By == ByOwner {
		return f.Person.In(ctx)
	}
	return rp.WithSignals(ctx, f.Person.Attackers())
}

// In returns the context in which the person signs in.
func (p *Person) In(ctx context.Context) context.Context { return rp.WithSignals(ctx, p.Signals) }

// Attackers returns the signals of a sign-in by somebody else in the person's name.
func (p *Person) Attackers() rp.Signals {
	s := p.StrangerSignals
	s.Stranger = true
	return s
}

// FallBack carries out f. The last progress says how far it came.
func (w *World) FallBack(ctx context.Context, f *FallBack) (progress rp.Progress, err error) {
	began := w.Clock.Now()
	defer func() {
		if f.Purpose == rp.ToSignIn {
			w.CountSignIn(f.Person, strings.Join(f.Kinds, "+"), f.By != ByOwner, w.Clock.Now().Sub(began), f.Kinds, err)
		}
	}()
	site, err := w.Site.Fallbacks()
	if err != nil {
		return progress, err
	}
	ctx = f.In(ctx)
	for _, kind := range f.Kinds {
		progress, err = w.prove(ctx, site, f, progress.Attempt, kind)
		if err != nil {
			return progress, err
		}
	}
	if progress.Session == nil && !progress.Ready {
		return progress, &Refusal{By: "relying party", Reasons: []string{"more-needed"}, Message: "one of " + strings.Join(progress.Next, ", ") + " is missing"}
	}
	return progress, nil
}

// prove takes one method through, guess by guess where it is guessed.
func (w *World) prove(ctx context.Context, site rp.Fallbacks, f *FallBack, attempt, kind string) (rp.Progress, error) {
	var progress rp.Progress
	var err error
	for range max(1, f.Guesses) {
		var prompt rp.Prompt
		if prompt, err = w.begin(ctx, site, f, attempt, kind); err != nil {
			return progress, err
		}
		attempt = prompt.Attempt
		var typed string
		if typed, err = w.typed(ctx, f, prompt); err != nil {
			return progress, err
		}
		if !prompt.Expires.IsZero() {
			w.Wait(f.Late)
		}
		progress, err = site.FinishMethod(ctx, f.Person.RP, attempt, typed)
		if err == nil {
			return progress, nil
		}
	}
	return progress, err
}

// begin asks for a method, again and again where the owner is to grow tired of it.
func (w *World) begin(ctx context.Context, site rp.Fallbacks, f *FallBack, attempt, kind string) (rp.Prompt, error) {
	for n := 1; ; n++ {
		prompt, err := site.BeginMethod(ctx, f.Person.RP, f.Purpose, attempt, kind)
		if err != nil || kind != rp.Push || n >= f.Prompts {
			return prompt, err
		}
		attempt = prompt.Attempt
		w.Wait(10 * time.Second)
	}
}

// typed is what is typed on the page. For a request in the app, whoever holds the
// phone taps, and nothing is typed.
func (w *World) typed(ctx context.Context, f *FallBack, prompt rp.Prompt) (string, error) {
	switch prompt.Kind {
	case rp.Password:
		if f.Password != "" {
			return f.Password, nil
		}
		return f.Person.Password(), nil
	case rp.SecurityQuestions:
		if f.Code != "" {
			return f.Code, nil
		}
		return f.Person.answers(prompt.Questions), nil
	case rp.Push:
		return "", w.tap(ctx, f, prompt)
	}
	if f.Code != "" {
		return f.Code, nil
	}
	m, err := w.message(ctx, f.Person, prompt.Kind)
	switch {
	case err != nil:
		return "", err
	case (m.Holder == rp.Thief) != (f.By == ByStranger):
		return "", Refuse("whoever reads the message", ReasonUnseen, "the code went to %s, whom %s does not see", map[string]string{rp.Owner: "the owner", rp.Thief: "a thief"}[m.Holder], f.By)
	}
	return m.Code, nil
}

// message is the latest message of a kind to a person.
func (w *World) message(ctx context.Context, p *Person, kind string) (rp.Message, error) {
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return rp.Message{}, err
	}
	all, err := admin.Outbox(ctx, p.RP)
	if err != nil {
		return rp.Message{}, err
	}
	for _, m := range slices.Backward(all) {
		if m.Kind == kind {
			return m, nil
		}
	}
	return rp.Message{}, fmt.Errorf("no %s was sent to %s", kind, p.Name)
}

// tap is what whoever holds the phone does with a request. Only who sees the page,
// or was told, knows the number.
func (w *World) tap(ctx context.Context, f *FallBack, prompt rp.Prompt) error {
	m, err := w.message(ctx, f.Person, rp.Push)
	if err != nil {
		return err
	}
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return err
	}
	answer, number := rp.Approve, prompt.Number
	if f.By == ByStranger && m.Holder == rp.Owner {
		answer, number = f.Taps, f.Code
	}
	if answer == "" {
		w.Wait(time.Minute)
		return nil
	}
	return admin.AnswerPush(ctx, m.ID, answer, number)
}

// CountSignIn tells the report of a sign-in: with which method, by whom, how long
// it took in the scenario's time and what it cost, and what came of it.
func (w *World) CountSignIn(p *Person, label string, attacker bool, waited time.Duration, kinds []string, err error) {
	steps, effort := methods.Effort(kinds...)
	s := &report.SignIn{Method: label, Person: p.Name, Attacker: attacker, Steps: steps, Took: waited + effort}
	if no := AsRefusal(err); no != nil {
		s.Refused = "refused"
		if len(no.Reasons) > 0 {
			s.Refused = no.Reasons[0]
		}
	} else if err != nil {
		return // a fault of the bench is no sign-in
	}
	p.cost = s
	w.emit(report.Event{Kind: report.SignInEvent, SignIn: s})
}

// CountPasskey tells the report of a sign-in with a passkey.
func (w *World) CountPasskey(p *Person, devices []*Device, began time.Time, err error) {
	if _, skipped := errors.AsType[*Missing](err); skipped || len(devices) == 0 {
		return
	}
	d := devices[0]
	kind := methods.PasskeyKind(d.Model.AAGUID.String(), d.Model.Keys == fixtures.KeychainKeys)
	attacker := d.holder != nil && d.holder.in == thiefs || !w.owns(p, d) || !slices.Contains(w.Scenario.Site.Origins(), p.Page.Origin)
	w.CountSignIn(p, kind, attacker, w.Clock.Now().Sub(began), []string{kind}, err)
}

// owns tells whether a device is the person's own: not somebody else's, and not a
// copy that a step made.
func (w *World) owns(p *Person, d *Device) bool {
	return slices.ContainsFunc(w.Scenario.Devices, func(as language.Device) bool {
		return as.Name == d.Name && (as.Owner == "" || as.Owner == p.Name)
	})
}

// Password is what the person knows to be theirs.
func (p *Person) Password() string {
	if p.NewPassword != "" {
		return p.NewPassword
	}
	return "correct horse battery " + p.Name
}

// questions are the security questions that everybody has, with the beginning of
// their answers.
func questions() map[string]string {
	return map[string]string{"First pet?": "Rex", "Street of your childhood?": "Elm Street", "First school?": "North"}
}

// Answers returns the person's security questions with the answers.
func (p *Person) Answers() map[string]string {
	all := questions()
	for q := range all {
		all[q] += " " + p.Name
	}
	return all
}

func (p *Person) answers(asked []string) string {
	all := p.Answers()
	lines := make([]string, len(asked))
	for i, q := range asked {
		lines[i] = all[q]
	}
	return strings.Join(lines, "\n")
}
