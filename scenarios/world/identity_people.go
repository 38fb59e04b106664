package world

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fido-emu/identity/credential"
	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/identity/services"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
)

// Before is what is before a camera.
type Before struct {
	Condition person.Condition // daylight when empty
	Liveness  person.Liveness  // the test person's when empty
	Of        string           // test person whose face it is; the person's own when empty
}

// Shown is what a person shows to a verification provider.
type Shown struct {
	Before
	Document   person.Kind     // the first that the test person has when empty
	DocumentOf string          // test person whose document it is; the person's own when empty
	Defects    []person.Defect // of the document or of its picture
	HandOver   bool            // begun on one device, gone on with on another
}

// holderOf is whoever holds a wallet: agrees, and looks into the camera.
type holderOf struct {
	world  *World
	name   string
	before Before
	who    *person.Person
}

// Consent agrees.
func (h *holderOf) Consent(context.Context, *wallet.Asked) (bool, error) { return true, nil }

// Selfie looks into the camera.
func (h *holderOf) Selfie(context.Context) ([]byte, error) {
	who, condition, err := h.world.face(h.who, h.before)
	if err != nil {
		return nil, err
	}
	return services.Selfie(who, h.world.Random.Stream("camera of "+h.name), condition)
}

// face returns who is before a camera, and how they are seen.
func (w *World) face(own *person.Person, b Before) (*person.Person, person.Condition, error) {
	who := *own
	if b.Of != "" {
		other, err := person.Find(w.proof.people, b.Of)
		if err != nil {
			return nil, "", err
		}
		who = *other
		who.Liveness = person.Live
	}
	if b.Liveness != "" {
		who.Liveness = b.Liveness
	}
	if b.Condition == "" {
		b.Condition = person.Daylight
	}
	return &who, b.Condition, nil
}

// testPerson returns who somebody in the scenario is.
func (w *World) testPerson(p *Person) (*person.Person, error) {
	if w.proof == nil {
		return nil, &Missing{"the scenario's relying party has no recovery"}
	}
	if p.identity == nil {
		return nil, fmt.Errorf("%s has no identity: give one under people", p.Name)
	}
	return person.Find(w.proof.people, p.identity.Person)
}

// walletOf returns the wallet of a person, empty at first.
func (w *World) walletOf(p *Person) (*wallet.Wallet, *holderOf, error) {
	if w.proof == nil {
		return nil, nil, &Missing{"the scenario's relying party has no recovery"}
	}
	if have := w.proof.wallets[p.Name]; have != nil {
		return have, w.proof.holders[p.Name], nil
	}
	who, err := w.testPerson(p)
	if err != nil {
		return nil, nil, err
	}
	holder := &holderOf{world: w, name: p.Name, who: who}
	made, err := wallet.New(wallet.Config{
		Now: w.Clock.Now, Rand: w.Random.Stream("wallet of " + p.Name), Client: w.proof.network.Client(), Person: holder,
	})
	if err != nil {
		return nil, nil, err
	}
	w.proof.wallets[p.Name], w.proof.holders[p.Name] = made, holder
	return made, holder, nil
}

// AskRecovery begins a case for the account of a person.
func (w *World) AskRecovery(ctx context.Context, p *Person, ask rp.RecoveryAsk) (*Case, error) {
	site, err := w.Site.IdentityRecovery()
	if err != nil {
		return nil, err
	}
	if w.proof == nil {
		return nil, &Missing{"the scenario's relying party has no recovery"}
	}
	began, err := site.StartRecovery(ctx, p.RP, ask)
	w.countStart(p, err)
	if err != nil {
		return nil, err
	}
	c := &Case{RecoveryCase: began, Owner: p, began: w.Clock.Now()}
	w.proof.cases[c.ID], w.proof.latest[p.Name] = c, c
	if c.Provider != "" {
		w.Note("The provider is %s.", c.Provider)
	}
	return c, nil
}

// CaseAs returns a saved case, or the last one that was begun for a person.
func (w *World) CaseAs(ref string, p *Person) (*Case, error) {
	if w.proof == nil {
		return nil, &Missing{"the scenario's relying party has no recovery"}
	}
	c := w.proof.latest[p.Name]
	if ref != "" {
		saved, err := w.SavedAs(ref)
		if err != nil {
			return nil, err
		}
		c = w.proof.cases[saved.Text]
	}
	if c == nil {
		return nil, fmt.Errorf("no recovery was begun for %s: put ask-recovery before this step", p.Name)
	}
	return c, nil
}

// ProveIdentity has a person go through the provider's steps of a case and take up
// the Verified ID.
func (w *World) ProveIdentity(ctx context.Context, p *Person, c *Case, s Shown) error {
	who, err := w.testPerson(p)
	if err != nil {
		return err
	}
	before, condition, err := w.face(who, s.Before)
	if err != nil {
		return err
	}
	pictures, err := w.pictures(who, s)
	if err != nil {
		return err
	}
	if err := w.reach(ctx, c, s.HandOver); err != nil {
		return provided(err)
	}
	view, err := proceed(ctx, c.applicant, proofing.Person{
		Person: before, Pictures: pictures, Condition: condition, Rand: w.Random.Stream("camera of " + p.Name),
	})
	if err != nil {
		return provided(err)
	}
	if view.Status != proofing.Verified {
		return w.rejected(ctx, c, view)
	}
	offer, err := c.applicant.Offer(ctx)
	if err != nil {
		return provided(err)
	}
	have, _, err := w.walletOf(p)
	if err != nil {
		return err
	}
	held, err := have.Accept(ctx, offer.Link, offer.TxCode)
	if err != nil {
		return err
	}
	w.Note("%s issued a Verified ID of %s, good until %s.", c.Provider, strings.TrimSpace(held.Claims[credential.FirstName]+" "+held.Claims[credential.LastName]), held.Expires.Format("2006-01-02"))
	return nil
}

// proceed goes through the provider's steps once each, beginning with the one that
// was refused before.
func proceed(ctx context.Context, a *proofing.Applicant, p proofing.Person) (proofing.View, error) {
	v, err := a.State(ctx)
	if err != nil || v.Status != proofing.Pending || len(v.Reasons) == 0 || len(p.Pictures) == 0 {
		return a.Proceed(ctx, p)
	}
	if v.Step == proofing.Selfie {
		capture, err := p.Capture(p.Rand, p.Condition, v.Challenge)
		if err != nil {
			return v, err
		}
		return a.Selfie(ctx, capture)
	}
	if v, err = a.Document(ctx, p.Pictures[0]); err != nil || len(v.Reasons) > 0 {
		return v, err
	}
	p.Pictures = p.Pictures[1:]
	return a.Proceed(ctx, p)
}

// reach opens the provider's page of a case on a device, once, and on another where
// it is handed over.
func (w *World) reach(ctx context.Context, c *Case, handOver bool) error {
	client := w.proof.network.Client()
	if c.applicant == nil {
		c.applicant = &proofing.Applicant{Link: c.URL, HTTP: client}
		if err := c.applicant.Start(ctx); err != nil {
			c.applicant = nil
			return err
		}
	}
	if !handOver {
		return nil
	}
	invitation, err := c.applicant.HandOver(ctx)
	if err != nil {
		return err
	}
	base, _, ok := strings.Cut(c.URL, "/verify/")
	if !ok {
		return fmt.Errorf("the provider's address %s has another form than expected", c.URL)
	}
	laptop := c.applicant
	if c.applicant, err = proofing.Continue(ctx, client, base, invitation.Code); err != nil {
		return err
	}
	if _, err := laptop.Consent(ctx); proofing.CodeOf(err) == "" {
		return fmt.Errorf("the first device still has the session after it was handed over (%v)", err)
	}
	w.Note("The verification went on on the other device; the first is shut out.")
	return nil
}

// pictures draws the documents that are shown, one for each that may be asked for.
func (w *World) pictures(own *person.Person, s Shown) ([][]byte, error) {
	of := own
	if s.DocumentOf != "" {
		other, err := person.Find(w.proof.people, s.DocumentOf)
		if err != nil {
			return nil, err
		}
		of = other
	}
	shown := of.Documents
	if s.Document != "" {
		d, err := of.Document(s.Document)
		if err != nil {
			return nil, err
		}
		shown = []person.Document{d}
	}
	var pictures [][]byte
	for _, d := range shown {
		d.Defects = slices.Concat(d.Defects, s.Defects)
		picture, err := w.options.Archive.Draw(of, d)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture)
	}
	return pictures, nil
}

// provided makes a refusal of what a provider's service refuses.
func provided(err error) error {
	if code := proofing.CodeOf(err); code != "" {
		return &Refusal{By: "provider", Reasons: []string{code}, Message: err.Error(), Err: err}
	}
	return err
}

// rejected is the refusal of a verification that did not succeed: as the relying
// party has it where the case is over, otherwise as the provider shows it.
func (w *World) rejected(ctx context.Context, c *Case, v proofing.View) error {
	no := &Refusal{By: "provider", Message: "the verification is " + string(v.Status)}
	for _, r := range v.Reasons {
		no.Reasons = append(no.Reasons, r.Code)
		no.Message += "; " + r.Detail
	}
	if _, err := w.Standing(ctx, c); err != nil {
		return err
	}
	return no
}
