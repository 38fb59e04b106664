package steps

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupPeople = "What people do"

// with names the devices that a ceremony may use.
func with(text string) language.Member {
	return language.Member{Name: "with", Kind: language.DeviceName, Required: true, List: true, Text: text}
}

var typedPIN = language.Member{Name: "pin", Kind: language.Secret, Default: "the PIN of the device, if its holder knows it", Text: "What is typed when the browser asks for the PIN."}

func people() []Step {
	return []Step{
		{language.Usage{
			Verb: "register", Group: groupPeople, Summary: "A person makes a passkey on a device and adds it to their account.",
			Text:    "Somebody without an account makes one, where the relying party lets people sign up. Others have to be signed in.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whose account it is for."},
			Members: append([]language.Member{
				with("The device that makes the passkey. With several at hand, the browser picks one that may."),
				{Name: "name", Kind: language.Text, Text: "What the person calls the passkey."}, typedPIN,
			}, registerScript()...),
			Saves: language.SavedPasskey, Example: "- register: ada\n  with: key\n  name: Blue key\n  save: first",
		}, register},
		{language.Usage{
			Verb: "sign-in", Group: groupPeople, Summary: "A person signs in with a passkey.",
			Text:    "Whoever holds the device does it. It fails when the relying party takes them for somebody else.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "As whom."},
			Members: append([]language.Member{
				with("The device that has the passkey. With several at hand, the browser finds the right one."),
				{Name: "without-user-name", Kind: language.YesNo, Default: "no", Text: "Whether the person types no user name and picks the account that the device offers."},
				{Name: "offered", Kind: language.PersonName, List: true, Text: "The accounts that the browser lets the person choose from: these and no others."},
				{Name: "warning", Kind: language.Pattern, Text: "What the relying party should notice about the sign-in, such as a counter that went back."}, typedPIN,
			}, signInScript()...),
			Saves: language.SavedSession, Example: "- sign-in: ada\n  with: key\n  without-user-name: yes",
		}, signIn},
		{language.Usage{
			Verb: "replay", Group: groupPeople, Summary: "Somebody who read along sends again what a person's browser sent at the last sign-in with a passkey.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whose sign-in."},
			Example: "- replay: ada\n  expect: refused\n  reason: challenge-mismatch",
		}, replay},
		{language.Usage{
			Verb: "sign-out", Group: groupPeople, Summary: "A person signs out.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Who."},
			Example: "- sign-out: ada",
		}, signOut},
		{language.Usage{
			Verb: "visit", Group: groupPeople, Summary: "A person opens a page, perhaps of a site that only looks like the relying party.",
			Text:    "From then on the person's ceremonies come from that page, until they visit another. A look-alike relays what the real relying party asks for.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Who."},
			Members: []language.Member{
				{Name: "page", Kind: language.Origin, Default: "the relying party's own", Text: "Origin of the page."},
				{Name: "framed-by", Kind: language.Origin, Default: "none", Text: "Origin of a page around it, which shows it in a frame."},
				{Name: "allows", Kind: language.Word, List: true, Allowed: []string{"register", "sign-in"}, Default: "nothing", Text: "What the page around allows the frame to do with passkeys (its permissions policy)."},
			},
			Example: "- visit: ada\n  framed-by: https://shop.example.net\n  allows: sign-in",
		}, visit},
	}
}

// ceremony finds who and what takes part in a registration or a sign-in.
func ceremony(w *world.World, c language.Call) (*world.Person, *world.Browser, error) {
	p, err := w.Person(c.Subject)
	if err != nil {
		return nil, nil, err
	}
	b := w.Browser(p)
	for _, name := range c.Texts("with") {
		d, err := w.Device(name)
		if err != nil {
			return nil, nil, err
		}
		if err := d.AtHand(); err != nil {
			return nil, nil, err
		}
		b.Devices = append(b.Devices, d)
	}
	b.PIN = c.Text("pin")
	return p, b, nil
}

func register(ctx context.Context, w *world.World, c language.Call) error {
	p, b, err := ceremony(w, c)
	if err != nil {
		return err
	}
	b.Script = scriptOf(c)
	made, err := w.Site.Register(ctx, p.RP, b)
	if err != nil {
		return err
	}
	w.Established(p)
	if err := scriptRegistered(c, b); err != nil {
		return err
	}
	if name := c.Text("name"); name != "" {
		m, err := w.Site.Manager()
		if err != nil {
			return err
		}
		if err := m.RenameCredential(ctx, p.RP, made.ID, name); err != nil {
			return fmt.Errorf("name the new passkey: %w", err)
		}
		made.Name = name
	}
	w.Save(c, world.Saved{Passkey: &world.Passkey{Person: p, Credential: made}})
	return nil
}

func signIn(ctx context.Context, w *world.World, c language.Call) error {
	p, b, err := ceremony(w, c)
	if err != nil {
		return err
	}
	who := p.RP
	if c.Yes("without-user-name") {
		who = rp.Person{}
	}
	b.Script = scriptAt(c)
	began := w.Clock.Now()
	s, err := w.Site.SignIn(p.In(ctx), who, b)
	w.CountPasskey(p, b.Devices, began, err)
	if err == nil && s.Person != p.RP.Name {
		return &Unmet{Claim: "the relying party should sign in " + p.RP.Name, Found: "it signed in " + s.Person}
	}
	if unmet := offered(w, c, b); unmet != nil {
		return unmet
	}
	if err != nil {
		return err
	}
	if err := scriptSignedIn(c, b); err != nil {
		return err
	}
	if err := warned(c, s.Warnings, w); err != nil {
		return err
	}
	saved := world.SessionOf(p, s)
	if now, err := w.Site.Passkey(ctx, p, s.Credential); err == nil && now != nil {
		saved.Counter = now.SignCount
	}
	w.Save(c, world.Saved{Session: saved})
	return nil
}

// offered checks the accounts that the browser let the person choose from.
func offered(w *world.World, c language.Call, b *world.Browser) error {
	if !c.Has("offered") {
		return nil
	}
	var want []string
	for _, name := range c.Texts("offered") {
		p, err := w.Person(name)
		if err != nil {
			return err
		}
		want = append(want, p.RP.Name)
	}
	got := slices.Sorted(slices.Values(b.Offered()))
	slices.Sort(want)
	if slices.Equal(got, want) {
		return nil
	}
	return &Unmet{Claim: "the browser should offer " + strings.Join(want, ", "), Found: "it offered " + listed(got)}
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// warned checks what the relying party noticed, and notes it.
func warned(c language.Call, warnings []string, w *world.World) error {
	for _, text := range warnings {
		w.Note("The relying party noticed: %s", text)
	}
	if !c.Has("warning") {
		return nil
	}
	pattern, err := language.NewMatcher(c.Text("warning"))
	if err != nil {
		return err
	}
	if !pattern.MatchAny(warnings...) {
		return &Unmet{Claim: "the relying party should notice " + c.Text("warning"), Found: "it noticed " + listed(warnings)}
	}
	return nil
}

func replay(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	client, err := w.Overheard(p)
	if err != nil {
		return err
	}
	_, err = w.Site.SignIn(rp.WithSignals(ctx, p.Attackers()), p.RP, client)
	return err
}

func signOut(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	sessions, err := w.Site.Sessions()
	if err != nil {
		return err
	}
	return sessions.SignOut(ctx, p.RP)
}

func visit(_ context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	var allow []string
	for _, what := range c.Texts("allows") {
		allow = append(allow, map[string]string{"register": "create", "sign-in": "get"}[what])
	}
	w.Visit(p, c.Text("page"), c.Text("framed-by"), allow)
	return nil
}

// short writes a credential id so that people can tell it from others.
func short(id []byte) string {
	return hex.EncodeToString(id[:min(6, len(id))])
}
