package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"fido-emu/grammar"
)

// template is text with ${name}, ${name/pointer} and ${name|filter} in it. One that
// is a single reference has the value of the variable, of whatever type.
type template struct{ parts []part }

type part struct {
	text string
	ref  *variable // nil for text
}

type variable struct {
	name    string
	pointer string // JSON pointer, empty for the whole
	filters []string
	spread  bool // ${...name}: the items of a list, in a list
}

// maxTemplate is how much text may come of a template, in bytes.
const maxTemplate = 8 << 20

var (
	referenceForm = regexp.MustCompile(`\$?\$\{[^}]*\}`)
	nameForm      = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.-]*$`)
)

func parseTemplate(text string) (t template, err error) {
	rest := 0
	for _, at := range referenceForm.FindAllStringIndex(text, -1) {
		found := text[at[0]:at[1]]
		if at[0] > rest {
			t.parts = append(t.parts, part{text: text[rest:at[0]]})
		}
		rest = at[1]
		if strings.HasPrefix(found, "$$") {
			t.parts = append(t.parts, part{text: found[1:]})
			continue
		}
		ref, err := parseReference(found[2 : len(found)-1])
		if err != nil {
			return t, fmt.Errorf("%s: %w", found, err)
		}
		t.parts = append(t.parts, part{ref: ref})
	}
	if rest < len(text) {
		t.parts = append(t.parts, part{text: text[rest:]})
	}
	return t, nil
}

func parseReference(inner string) (*variable, error) {
	pieces := strings.Split(inner, "|")
	path := strings.TrimSpace(pieces[0])
	r := &variable{}
	path, r.spread = strings.CutPrefix(path, "...")
	r.name, r.pointer, _ = strings.Cut(path, "/")
	if strings.Contains(path, "/") {
		r.pointer = "/" + r.pointer
	}
	if !nameForm.MatchString(r.name) {
		return nil, fmt.Errorf("%q is no name of a variable", r.name)
	}
	for _, f := range pieces[1:] {
		f = strings.TrimSpace(f)
		if !slices.Contains(filterNames(), f) {
			return nil, wordError{what: "there is no filter", found: f, allowed: filterNames()}
		}
		r.filters = append(r.filters, f)
	}
	return r, nil
}

// wordError is a word that is not among those allowed.
type wordError struct {
	what, found string
	allowed     []string
}

func (e wordError) Error() string {
	return grammar.Problem{Found: fmt.Sprintf("%s %q", e.what, e.found), Nearest: grammar.Nearest(e.found, e.allowed)}.Bare()
}

// lookup finds variables.
type lookup func(name string) any

// value returns what the template stands for.
func (t template) value(l lookup) (any, error) {
	if len(t.parts) == 1 && t.parts[0].ref != nil {
		return t.parts[0].ref.value(l)
	}
	return t.text(l)
}

// text returns what the template stands for as text.
func (t template) text(l lookup) (string, error) {
	return t.escaped(l, func(s string) string { return s })
}

// escaped returns the text, with what is put in escaped.
func (t template) escaped(l lookup, escape func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.ref.value(l)
		if err != nil {
			return "", err
		}
		b.WriteString(escape(textOf(v)))
		if b.Len() > maxTemplate {
			return "", fmt.Errorf("more than %d bytes of text", maxTemplate)
		}
	}
	return b.String(), nil
}

func (r *variable) value(l lookup) (any, error) {
	v := l(r.name)
	if r.pointer != "" {
		v, _ = at(v, r.pointer) // what is not there is empty
	}
	v, err := filtered(v, r.filters)
	if err != nil {
		return nil, fmt.Errorf("${%s}: %w", r.name, err)
	}
	if list, ok := v.([]any); ok && r.spread {
		return grammar.Spread(list), nil
	}
	if r.spread && v == nil {
		return grammar.Spread(nil), nil
	}
	return v, nil
}

// textOf writes a value as it stands in text: strings as they are, everything else
// as JSON, nothing as nothing.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return compact(v)
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "" // of values that were read from JSON, none fails
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// holds tells whether a value counts as yes in a condition: anything but nothing,
// false, empty text, and lists and objects without members.
func holds(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// condition is what when and its like hold: ${x}, not ${x}, ${x} == text, ${x} != text.
type condition struct {
	left   template
	op     string // "", not, == or !=
	right  template
	source string
}

func parseCondition(text string) (c condition, err error) {
	c.source = text
	left := text
	for _, op := range []string{" == ", " != "} {
		if l, r, ok := strings.Cut(text, op); ok {
			left, c.op = l, strings.TrimSpace(op)
			if c.right, err = parseTemplate(strings.TrimSpace(r)); err != nil {
				return c, err
			}
			break
		}
	}
	if rest, ok := strings.CutPrefix(left, "not "); ok && c.op == "" {
		left, c.op = rest, "not"
	}
	if c.left, err = parseTemplate(strings.TrimSpace(left)); err != nil {
		return c, err
	}
	if !slices.ContainsFunc(c.left.parts, func(p part) bool { return p.ref != nil }) {
		return c, fmt.Errorf("condition %q: write ${x}, not ${x}, ${x} == text or ${x} != text", text)
	}
	return c, nil
}

func (c condition) holds(l lookup) (bool, error) {
	v, err := c.left.value(l)
	if err != nil || c.op == "" || c.op == "not" {
		return holds(v) == (c.op == ""), err
	}
	right, err := c.right.text(l)
	return (textOf(v) == right) == (c.op == "=="), err
}

// filterNames lists the filters.
func filterNames() []string {
	return []string{"fromjson", "tojson", "b64", "b64url", "from-b64", "lower", "join", "trim", "dashes", "guid"}
}

var errFilter = errors.New("filter")

// filtered sends a value through filters: fromjson and tojson read and write JSON;
// b64 and b64url write text in base64, from-b64 reads either; lower, trim and join
// are what they say; dashes puts them into 32 hexadecimal digits, and guid makes a UUID
// of text, always the same of the same (RFC 9562, section 5.5).
func filtered(v any, filters []string) (any, error) {
	for _, f := range filters {
		var err error
		if v, err = filter(v, f); err != nil {
			return nil, fmt.Errorf("%w %s: %w", errFilter, f, err)
		}
	}
	return v, nil
}

func filter(v any, name string) (any, error) {
	switch name {
	case "fromjson":
		if v == nil {
			return nil, nil
		}
		return decodeJSON([]byte(textOf(v)))
	case "tojson":
		return compact(v), nil
	case "b64":
		return base64.StdEncoding.EncodeToString([]byte(textOf(v))), nil
	case "b64url":
		return base64.RawURLEncoding.EncodeToString([]byte(textOf(v))), nil
	case "from-b64":
		b, err := anyBase64(textOf(v))
		return string(b), err
	case "lower":
		return strings.ToLower(textOf(v)), nil
	case "trim":
		return strings.TrimSpace(textOf(v)), nil
	case "dashes":
		return dashed(textOf(v)), nil
	case "guid":
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte(textOf(v))).String(), nil
	case "join":
		list, _ := v.([]any)
		words := make([]string, len(list))
		for i := range list {
			words[i] = textOf(list[i])
		}
		return strings.Join(words, ","), nil
	}
	return nil, errors.New("there is none of this name")
}

func dashed(s string) string {
	if len(s) != 32 {
		return s
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// anyBase64 reads base64 and base64url, padded or not.
func anyBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", "/", "_", "\n", "", "\r", "").Replace(strings.TrimRight(strings.TrimSpace(s), "="))
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("not base64: %w", err)
	}
	return b, nil
}
