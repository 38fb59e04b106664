package person

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"fido-emu/identity/strict"
)

//go:embed people/*.yaml
var shipped embed.FS

// Shipped returns the people that come with the project, by file name.
func Shipped() ([]*Person, error) { return Load(shipped, "people/*.yaml") }

// Load reads the people in the files that a pattern matches, by file name. Two with
// one id are an error.
func Load(files fs.FS, pattern string) ([]*Person, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, fmt.Errorf("read people: %s: %w", pattern, err)
	}
	var people []*Person
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		p, err := Parse(name, b)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(people, func(q *Person) bool { return q.ID == p.ID }) {
			return nil, fmt.Errorf("%s: there is a person %q already; give this one another id", name, p.ID)
		}
		people = append(people, p)
	}
	return people, nil
}

// Parse reads one person. Errors begin with file:line:column and name the member;
// there may be several (errors.Join).
func Parse(file string, b []byte) (*Person, error) {
	p := &Person{Liveness: Live}
	check, err := strict.Load(file, b, p)
	if err != nil {
		return nil, err
	}
	if p.Face == "" {
		p.Face = p.ID
	}
	c := checker{check}
	c.person(p)
	if err := c.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// checker finds what is wrong with a person.
type checker struct{ *strict.File }

// The forms of words in a person's file.
var (
	idForm      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	stateForm   = regexp.MustCompile(`^[A-Z]{1,3}$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	numberForm  = regexp.MustCompile(`^[A-Z0-9]{1,9}$`)
	latinForm   = regexp.MustCompile(`^[A-Z' -]*$`)
)

func (c *checker) person(p *Person) {
	c.Want(idForm.MatchString(p.ID), "id", "%q is not lower case letters, digits and hyphens", p.ID)
	c.Want(idForm.MatchString(p.Face), "face", "%q is not lower case letters, digits and hyphens", p.Face)
	c.Want(strings.TrimSpace(p.Family) != "", "family", "is missing; the word of a one-word name goes here")
	c.Want(latinForm.MatchString(p.Latin.Family), "latin.family", "%q is not Latin capitals", p.Latin.Family)
	c.Want(latinForm.MatchString(p.Latin.Given), "latin.given", "%q is not Latin capitals", p.Latin.Given)
	c.date(p.Birth, "birth")
	c.Want(slices.Contains([]string{"F", "M", "X"}, p.Sex), "sex", "%q is not F, M or X", p.Sex)
	c.Want(stateForm.MatchString(p.Nationality), "nationality", "%q is not up to three capitals, as in UTO or D", p.Nationality)
	c.Want(countryForm.MatchString(p.Country), "country", "%q is not two capitals, as in IN", p.Country)
	c.Want(slices.Contains(Livenesses(), p.Liveness), "liveness", "%q is none of %v", p.Liveness, Livenesses())
	for i, d := range p.Documents {
		c.document(d, fmt.Sprintf("documents.%d", i))
	}
	for _, condition := range sorted(p.Match) {
		path := "match." + string(condition)
		c.Want(slices.Contains(Conditions(), condition), path, "the conditions are %v", Conditions())
		c.score(p.Match[condition], path)
	}
	for _, face := range sorted(p.Resembles) {
		c.Want(face != p.Face, "resembles."+face, "is the person's own face: scores for that stand under match")
		c.score(p.Resembles[face], "resembles."+face)
	}
}

func (c *checker) document(d Document, path string) {
	c.Want(slices.Contains(Kinds(), d.Kind), path+".kind", "%q is none of %v", d.Kind, Kinds())
	c.Want(stateForm.MatchString(d.Issuer), path+".issuer", "%q is not up to three capitals, as in UTO or D", d.Issuer)
	c.Want(numberForm.MatchString(d.Number), path+".number", "%q is not one to nine capitals and digits", d.Number)
	c.date(d.Issued, path+".issued")
	c.date(d.Expires, path+".expires")
	c.Want(d.Issued < d.Expires, path+".expires", "%s is not after the day of issue, %s", d.Expires, d.Issued)
	for i, defect := range d.Defects {
		c.Want(slices.Contains(Defects(), defect), fmt.Sprintf("%s.defects.%d", path, i), "%q is none of %v", defect, Defects())
	}
}

func (c *checker) date(d Date, path string) {
	_, err := time.Parse(time.DateOnly, string(d))
	c.Want(err == nil, path, "%q is not a day as in 1974-08-12", d)
}

func (c *checker) score(score int, path string) {
	c.Want(score >= 0 && score <= 100, path, "%d is not from 0 to 100", score)
}

// sorted returns the keys of a map in order.
func sorted[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
