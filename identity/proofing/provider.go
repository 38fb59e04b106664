package proofing

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"fido-emu/identity/person"
	"fido-emu/identity/strict"
)

//go:embed providers/*.yaml
var shipped embed.FS

// Provider is a company that verifies identities, as data.
type Provider struct {
	ID         string            `yaml:"id"`         // in paths
	Title      string            `yaml:"title"`      // for people
	Countries  []string          `yaml:"countries"`  // two letters, where people may be and documents may come from; none: everywhere
	Documents  []person.Kind     `yaml:"documents"`  // kinds that it takes
	Steps      []Step            `yaml:"steps"`      // in this order; Document and Selfie are among them
	Challenges int               `yaml:"challenges"` // poses that a face is asked for, 1 to 4
	Threshold  int               `yaml:"threshold"`  // least match score, 0 to 100
	Attempts   Attempts          `yaml:"attempts"`   //
	Minutes    int               `yaml:"minutes"`    // that a session lives
	TxCode     bool              `yaml:"txCode"`     // whether the wallet needs a code, too
	Reasons    map[string]string `yaml:"reasons"`    // what it calls some of the codes
}

// Attempts is how often something may be tried.
type Attempts struct {
	Document int `yaml:"document"`
	Selfie   int `yaml:"selfie"`
}

// Providers returns the providers that come with the project, by id.
func Providers() ([]Provider, error) { return LoadProviders(shipped, "providers/*.yaml") }

// LoadProviders reads the providers in the files that a pattern matches. Errors begin
// with file:line:column.
func LoadProviders(files fs.FS, pattern string) ([]Provider, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, fmt.Errorf("read providers: %s: %w", pattern, err)
	}
	providers := make([]Provider, 0, len(names))
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read providers: %w", err)
		}
		p, err := ParseProvider(name, b)
		if err != nil {
			return nil, err
		}
		providers = append(providers, p)
	}
	return providers, nil
}

// ParseProvider reads one provider. Errors begin with file:line:column.
func ParseProvider(file string, b []byte) (Provider, error) {
	var p Provider
	f, err := strict.Load(file, b, &p)
	if err != nil {
		return p, err
	}
	f.Want(regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(p.ID) && p.ID != "admin", "id", "%q is not lower case letters, digits and hyphens, or is admin", p.ID)
	f.Want(p.Title != "", "title", "is missing")
	f.Want(len(p.Documents) > 0, "documents", "are missing")
	for i, k := range p.Documents {
		f.Want(slices.Contains(person.Kinds(), k), fmt.Sprintf("documents.%d", i), "%q is none of %v", k, person.Kinds())
	}
	for i, s := range p.Steps {
		path := fmt.Sprintf("steps.%d", i)
		f.Want(slices.Contains(Steps(), s), path, "%q is none of %v", s, Steps())
		f.Want(!slices.Contains(p.Steps[:i], s), path, "%s stands there twice", s)
	}
	document, second := slices.Index(p.Steps, Document), slices.Index(p.Steps, SecondDocument)
	f.Want(document >= 0, "steps", "%s is missing", Document)
	f.Want(slices.Index(p.Steps, Selfie) > max(document, second), "steps", "%s comes after the documents", Selfie)
	f.Want(second < 0 || second > document, "steps", "%s comes after %s", SecondDocument, Document)
	f.Want(p.Challenges >= 1 && p.Challenges < len(person.Poses()), "challenges", "%d is not from 1 to %d", p.Challenges, len(person.Poses())-1)
	f.Want(p.Threshold > person.Stranger && p.Threshold <= 100, "threshold", "%d is not from %d to 100", p.Threshold, person.Stranger+1)
	f.Want(p.Attempts.Document > 0 && p.Attempts.Selfie > 0, "attempts", "one of each at least")
	f.Want(p.Minutes > 0, "minutes", "%d is no time for anything", p.Minutes)
	return p, f.Err()
}

// Serves tells whether the provider works in a country.
func (p *Provider) Serves(country string) bool {
	return len(p.Countries) == 0 || slices.Contains(p.Countries, strings.ToUpper(country))
}

// reason names a code as the provider does.
func (p *Provider) reason(code, detail string) Reason {
	name, ok := p.Reasons[code]
	if !ok {
		name = code
	}
	return Reason{Code: code, Provider: name, Detail: detail}
}

// attempts is how often a step may be tried.
func (p *Provider) attempts(s Step) int {
	switch s {
	case Document, SecondDocument:
		return p.Attempts.Document
	case Selfie:
		return p.Attempts.Selfie
	}
	return 1
}

func (p *Provider) life() time.Duration { return time.Duration(p.Minutes) * time.Minute }
