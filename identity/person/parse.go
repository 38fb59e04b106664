package person

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
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
	var root yaml.Node
	if err := yaml.Load(b, &root); err != nil {
		return nil, syntax(file, err)
	}
	p := &Person{Liveness: Live}
	if err := yaml.Load(b, p, yaml.WithKnownFields()); err != nil {
		return nil, syntax(file, err)
	}
	if p.Face == "" {
		p.Face = p.ID
	}
	c := checker{file: file, root: &root}
	c.person(p)
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	return p, nil
}

// syntax gives an error of the YAML library the file and its place.
func syntax(file string, err error) error {
	mark, message := yaml.Mark{Line: 1, Column: 1}, err.Error()
	if many, ok := errors.AsType[*yaml.LoadErrors](err); ok && len(many.Errors) > 0 {
		mark, message = many.Errors[0].Mark, many.Errors[0].Message
	} else if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		mark, message = one.Mark, one.Message
	}
	return fmt.Errorf("%s:%d:%d: %s", file, max(mark.Line, 1), max(mark.Column, 1), message)
}

// checker collects what is wrong with a person.
type checker struct {
	file string
	root *yaml.Node
	errs []error
}

// want reports what is written at a path of the file where ok does not hold. A path is
// names of members and indexes of lists; what is not there is reported where it would be.
func (c *checker) want(ok bool, path string, format string, args ...any) {
	if ok {
		return
	}
	n := find(c.root, strings.Split(path, "."))
	c.errs = append(c.errs, fmt.Errorf("%s:%d:%d: %s: %s", c.file, max(n.Line, 1), max(n.Column, 1), path, fmt.Sprintf(format, args...)))
}

// find walks to the deepest node of a path that there is.
func find(n *yaml.Node, path []string) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		return find(n.Content[0], path)
	}
	if len(path) == 0 {
		return n
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == path[0] {
				return find(n.Content[i+1], path[1:])
			}
		}
	case yaml.SequenceNode:
		var i int
		if _, err := fmt.Sscan(path[0], &i); err == nil && i < len(n.Content) {
			return find(n.Content[i], path[1:])
		}
	}
	return n
}

// The forms of words in a person's file.
var (
	idForm      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	stateForm   = regexp.MustCompile(`^[A-Z]{1,3}$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	numberForm  = regexp.MustCompile(`^[A-Z0-9]{1,9}$`)
	latinForm   = regexp.MustCompile(`^[A-Z' -]*$`)
)

func (c *checker) person(p *Person) {
	c.want(idForm.MatchString(p.ID), "id", "%q is not lower case letters, digits and hyphens", p.ID)
	c.want(idForm.MatchString(p.Face), "face", "%q is not lower case letters, digits and hyphens", p.Face)
	c.want(strings.TrimSpace(p.Family) != "", "family", "is missing; the word of a one-word name goes here")
	c.want(latinForm.MatchString(p.Latin.Family), "latin.family", "%q is not Latin capitals", p.Latin.Family)
	c.want(latinForm.MatchString(p.Latin.Given), "latin.given", "%q is not Latin capitals", p.Latin.Given)
	c.date(p.Birth, "birth")
	c.want(slices.Contains([]string{"F", "M", "X"}, p.Sex), "sex", "%q is not F, M or X", p.Sex)
	c.want(stateForm.MatchString(p.Nationality), "nationality", "%q is not up to three capitals, as in UTO or D", p.Nationality)
	c.want(countryForm.MatchString(p.Country), "country", "%q is not two capitals, as in IN", p.Country)
	c.want(slices.Contains(Livenesses(), p.Liveness), "liveness", "%q is none of %v", p.Liveness, Livenesses())
	for i, d := range p.Documents {
		c.document(d, fmt.Sprintf("documents.%d", i))
	}
	for _, condition := range sorted(p.Match) {
		path := "match." + string(condition)
		c.want(slices.Contains(Conditions(), condition), path, "the conditions are %v", Conditions())
		c.score(p.Match[condition], path)
	}
	for _, face := range sorted(p.Resembles) {
		c.want(face != p.Face, "resembles."+face, "is the person's own face: scores for that stand under match")
		c.score(p.Resembles[face], "resembles."+face)
	}
}

func (c *checker) document(d Document, path string) {
	c.want(slices.Contains(Kinds(), d.Kind), path+".kind", "%q is none of %v", d.Kind, Kinds())
	c.want(stateForm.MatchString(d.Issuer), path+".issuer", "%q is not up to three capitals, as in UTO or D", d.Issuer)
	c.want(numberForm.MatchString(d.Number), path+".number", "%q is not one to nine capitals and digits", d.Number)
	c.date(d.Issued, path+".issued")
	c.date(d.Expires, path+".expires")
	c.want(d.Issued < d.Expires, path+".expires", "%s is not after the day of issue, %s", d.Expires, d.Issued)
	for i, defect := range d.Defects {
		c.want(slices.Contains(Defects(), defect), fmt.Sprintf("%s.defects.%d", path, i), "%q is none of %v", defect, Defects())
	}
}

func (c *checker) date(d Date, path string) {
	_, err := time.Parse(time.DateOnly, string(d))
	c.want(err == nil, path, "%q is not a day as in 1974-08-12", d)
}

func (c *checker) score(score int, path string) {
	c.want(score >= 0 && score <= 100, path, "%d is not from 0 to 100", score)
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
