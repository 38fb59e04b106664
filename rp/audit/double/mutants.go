package double

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fido-emu/attestation"
	"fido-emu/rp/audit"
	"fido-emu/rp/verifier"
)

// own are the steps that the double takes itself.
func own() []verifier.Step {
	step := func(name, section string, number int, says string) verifier.Step {
		return verifier.Step{Name: name, Section: section, Number: number, Says: says}
	}
	var all []verifier.Step
	for _, k := range []struct {
		kind, section string
		challenge     int
	}{{"registration", "7.1", 8}, {"authentication", "7.2", 11}} {
		all = append(all,
			step(k.kind+".challenge.once", k.section, k.challenge, "a challenge is good once"),
			step(k.kind+".challenge.expires", k.section, k.challenge, "a challenge is good for minutes"),
			step(k.kind+".challenge.session", k.section, k.challenge, "a challenge is good in its own ceremony only"),
			step(k.kind+".challenge.kind", k.section, k.challenge, "a challenge is good for its kind of ceremony only"),
			step(k.kind+".origin.request-origin", k.section, k.challenge+1, "the origin that is expected is configured, not what the header Origin says"),
			step(k.kind+".origin.request-host", k.section, k.challenge+1, "the origin that is expected is configured, not what the header Host says"),
			step(k.kind+".origin.request-forwarded", k.section, k.challenge+1, "the origin that is expected is configured, not what a proxy's headers say"),
		)
	}
	return append(all,
		step("authentication.challenge.replay", "7.2", 11, "a challenge that was used is not good in a later ceremony"),
		step("authentication.deleted", "7.2", 6, "a deleted passkey is none"),
		step("authentication.user-verified.wish", "7.2", 17, "whether user verification is required is not for the client to say"),
		step("authentication.state.first", "7.2", 24, "nothing is saved before everything is verified"),
		step("authentication.state.kept", "7.2", 24, "the signature counter is saved"),
		step("registration.session", "7.1", 29, "a passkey is bound to the account whose session it is"),
		step("enumeration.sign-in", "14.6.2", 0, "a sign-in is begun for nobody as for somebody"),
		step("enumeration.empty", "14.6.2", 0, "nobody has passkeys in allowCredentials as somebody has"),
		step("enumeration.changing", "14.6.2", 0, "nobody's passkeys are the same each time"),
		step("enumeration.answers", "14.6.2", 0, "nobody is refused as somebody is"),
		step("management.delete", "accounts", 0, "only its owner deletes a passkey"),
		step("management.rename", "accounts", 0, "only its owner renames a passkey"),
		step("management.session", "accounts", 0, "passkeys are listed for whoever is signed in"),
		step("recovery.once", "13.4.6", 0, "a pass that is good once is used once"),
		step("recovery.person", "13.4.6", 0, "a pass is good for one person"),
		step("recovery.wrong", "13.4.6", 0, "a pass must have been issued"),
		step("recovery.replaced", "13.4.6", 0, "a new pass takes the place of the old"),
		step("recovery.expires", "13.4.6", 0, "a pass has its time"),
	)
}

// Mutant is a double with something left out.
type Mutant struct {
	Name    string        // of the step
	Without []string      // what is left out
	Step    verifier.Step // where it is written what must be looked at
}

// Mutants returns all mutants. Not among them are steps that another step makes
// superfluous here, so that nobody could tell whether they are taken: without attested
// credential data there is no key to offer (step 20 refuses); every passkey of a
// person is in allowCredentials, so that step 6 refuses what step 5 does, and only
// both left out together are seen.
func Mutants() []Mutant {
	superfluous := []string{"registration.attested", "authentication.allowed", "authentication.owner"}
	var all []Mutant
	for _, s := range append(verifier.Steps(), own()...) {
		if !slices.Contains(superfluous, s.Name) {
			all = append(all, Mutant{s.Name, []string{s.Name}, s})
		}
	}
	for _, s := range verifier.Steps() {
		if s.Name == "authentication.owner" {
			all = append(all, Mutant{s.Name, []string{"authentication.allowed", s.Name}, s})
		}
	}
	return all
}

// Found is what an audit made of a mutant.
type Found struct {
	Mutant
	By        []string // attacks that got through and name the step; empty where it survived
	Tolerated bool     // the standard allows all of them: the step is one that a site may leave out
	Elsewhere []string // attacks that got through and name other steps
}

// Rand returns a fresh source of randomness for a run; the same each time where runs
// are to be the same.
type Rand func() io.Reader

// Score audits every mutant with the attacks on its step, and returns what was found,
// in the order of Mutants. done is told of each as it ends, and may be nil.
func Score(ctx context.Context, random Rand, now func() time.Time, done func(Found)) ([]Found, error) {
	var all []Found
	for _, m := range Mutants() {
		f, err := try(ctx, m, random(), now)
		if err != nil {
			return all, fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		all = append(all, f)
		if done != nil {
			done(f)
		}
	}
	return all, nil
}

func try(ctx context.Context, m Mutant, random io.Reader, now func() time.Time) (Found, error) {
	report, err := Audit(ctx, m.Without, random, now, attacksOn(m.Step)...)
	f := Found{Mutant: m, Tolerated: true}
	if err != nil {
		return f, err
	}
	for _, r := range report.Results {
		switch {
		case r.Verdict != audit.Accepted && r.Verdict != audit.Tolerated:
		case m.Step.Covers(r.Section, r.Step, r.Detail):
			f.By = append(f.By, r.ID)
			f.Tolerated = f.Tolerated && r.Verdict == audit.Tolerated
		default:
			f.Elsewhere = append(f.Elsewhere, r.ID)
		}
	}
	f.Tolerated = f.Tolerated && len(f.By) > 0
	return f, nil
}

// attacksOn returns the ids of the attacks that name a step.
func attacksOn(s verifier.Step) (ids []string) {
	kind, _, _ := strings.Cut(s.Name, ".")
	for _, a := range audit.Catalogue() {
		if s.Covers(a.Section, a.Step, a.Detail) && (s.Number != 0 || strings.HasPrefix(a.ID, kind+".")) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// Audit audits the double without some steps, by some attacks; by all when there are
// none.
func Audit(ctx context.Context, without []string, random io.Reader, now func() time.Time, only ...string) (*audit.Report, error) {
	authority, err := attestation.NewAuthority("Audit Root", random, now().Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	site, err := New(Config{Rand: random, Now: now, Roots: authority.Pool(), Without: without})
	if err != nil {
		return nil, err
	}
	return audit.Run(ctx, "double", site, audit.Options{Rand: random, Now: now, Authority: authority, Prefix: "audit", Only: only})
}
