package web

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"fido-emu/grammar"
)

// extraction says where something is in an answer.
type extraction struct {
	from           *template // nil for the latest answer
	kind           string    // json, header, cookie, pattern, query or html; empty for what from says
	name           string    // of the header, cookie, member of the query; the JSON pointer
	pattern        *regexp.Regexp
	selector       cascadia.Sel
	attribute      string
	where, whereNo []member
	all            bool
	then           string
	filters        []string
	optional       bool
	secret         bool
}

func (c *compiler) extraction(v grammar.Value) extraction {
	if v.Shape == grammar.Scalar {
		if strings.HasPrefix(v.Text, "${") {
			return extraction{from: c.optional(&v)}
		}
		if err := checkPointer(v.Text); err != nil {
			c.fail(v.At, err)
		}
		return extraction{kind: "json", name: v.Text}
	}
	e := extraction{
		from: c.optional(v.Field("from")), pattern: c.pattern(v.Field("pattern")), attribute: v.Field("attribute").Word(""),
		where: c.expected(v.Field("where")), whereNo: c.expected(v.Field("where-not")), all: v.Field("all").Yes(),
		then: v.Field("then").Word(""), filters: v.Field("filters").Words(), optional: v.Field("optional").Yes(), secret: v.Field("secret").Yes(),
	}
	var kinds []string
	for _, k := range []string{"json", "header", "cookie", "pattern", "query", "html"} {
		if f := v.Field(k); f != nil {
			kinds = append(kinds, k)
			e.kind, e.name = k, f.Word("")
		}
	}
	if len(kinds) > 1 {
		c.wrong(v.At, "%s cannot stand together: one of them says where it is", strings.Join(kinds, " and "))
	}
	if len(kinds) == 0 && e.from == nil {
		c.wrong(v.At, "nothing says where it is: give json, header, cookie, pattern, query or html")
	}
	c.pointers(v)
	if e.kind == "html" {
		sel, err := cascadia.Parse(e.name)
		if err != nil {
			c.wrong(v.Field("html").At, "%q is no CSS selector: %v", e.name, err)
		}
		e.selector = sel
	}
	return e
}

func (c *compiler) pointers(v grammar.Value) {
	for _, name := range []string{"json", "then"} {
		if f := v.Field(name); f != nil {
			if err := checkPointer(f.Word("")); err != nil {
				c.fail(f.At, err)
			}
		}
	}
}

// source is what extractions look in: an answer, or a value.
type source struct {
	*answer
	jar   func(name string) string // cookies of the actor
	value any                      // where there is no answer, or from names something
}

// absent is something that is not where it should be.
type absent struct{ where string }

func (a absent) Error() string { return "there is no " + a.where }

// find takes a value out of a source.
func (e *extraction) find(s source, l lookup) (any, error) {
	if e.from != nil {
		v, err := e.from.value(l)
		if err != nil {
			return nil, err
		}
		s = source{value: v}
	}
	v, err := e.raw(s, l)
	if err == nil {
		v, err = filtered(v, e.filters)
	}
	if missing := (absent{}); errors.As(err, &missing) && e.optional {
		return nil, nil
	}
	return v, err
}

func (e *extraction) raw(s source, l lookup) (any, error) {
	v, err := e.place(s)
	if err != nil {
		return nil, err
	}
	if len(e.where)+len(e.whereNo) > 0 {
		if v, err = e.among(v, l); err != nil {
			return nil, err
		}
	}
	if e.then == "" {
		return v, nil
	}
	if list, ok := v.([]any); ok && e.all {
		for i := range list {
			list[i], _ = at(list[i], e.then)
		}
		return list, nil
	}
	if v, ok := at(v, e.then); ok {
		return v, nil
	}
	return nil, absent{e.then + " in it"}
}

// place finds the value where kind says.
func (e *extraction) place(s source) (any, error) {
	if s.answer == nil && slices.Contains([]string{"header", "cookie", "query"}, e.kind) && s.value == nil {
		return nil, errors.New("no answer came before this step")
	}
	switch e.kind {
	case "json":
		return e.member(s)
	case "header":
		if s.answer != nil && len(s.header.Values(e.name)) > 0 {
			return s.header.Get(e.name), nil
		}
		return nil, absent{"header " + e.name}
	case "cookie":
		if s.jar != nil {
			if c := s.jar(e.name); c != "" {
				return c, nil
			}
		}
		return nil, absent{"cookie " + e.name}
	case "pattern":
		return e.matched(s.text())
	case "query":
		return e.queried(s)
	case "html":
		return e.element(s.text())
	}
	return s.value, nil
}

func (e *extraction) member(s source) (any, error) {
	v := s.value
	if s.answer != nil {
		var err error
		if v, err = s.json(); err != nil {
			return nil, err
		}
	}
	if v, ok := at(v, e.name); ok {
		return v, nil
	}
	return nil, absent{e.name + " in the JSON"}
}

func (e *extraction) matched(text string) (any, error) {
	m := e.pattern.FindStringSubmatch(text)
	if m == nil {
		return nil, absent{"text that fits " + e.pattern.String()}
	}
	if len(m) > 1 {
		return m[1], nil
	}
	return m[0], nil
}

// queried reads a member of the query: of where a redirect leads, of the address that
// answered, or of an address in a variable.
func (e *extraction) queried(s source) (any, error) {
	address := textOf(s.value)
	if s.answer != nil {
		address = s.url.String()
		if l := s.header.Get("Location"); l != "" {
			address = l
		}
	}
	u, err := url.Parse(address)
	if err != nil || !u.Query().Has(e.name) {
		return nil, absent{e.name + " in the query of the address"}
	}
	return u.Query().Get(e.name), nil
}

// element finds an element by its selector, or with all a list of them.
func (e *extraction) element(page string) (any, error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil, fmt.Errorf("not HTML: %w", err)
	}
	if e.all {
		list := []any{}
		for _, n := range cascadia.QueryAll(root, e.selector) {
			if v, ok := e.told(n); ok {
				list = append(list, v)
			}
		}
		return list, nil
	}
	n := cascadia.Query(root, e.selector)
	if n == nil {
		return nil, absent{"element " + e.name}
	}
	if v, ok := e.told(n); ok {
		return v, nil
	}
	return nil, absent{"attribute " + e.attribute + " of element " + e.name}
}

// told returns an element's text, or its attribute, where it has that.
func (e *extraction) told(n *html.Node) (string, bool) {
	if e.attribute == "" {
		return strings.TrimSpace(innerText(n)), true
	}
	for _, a := range n.Attr {
		if a.Key == strings.ToLower(e.attribute) {
			return a.Val, true
		}
	}
	return "", false
}

func innerText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// among takes the items of a list that the predicates fit: the first, or all.
func (e *extraction) among(v any, l lookup) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, absent{"list to look in"}
	}
	found := []any{}
	for _, item := range list {
		is, err := fits(item, e.where, l)
		if err != nil {
			return nil, err
		}
		if is && len(e.whereNo) > 0 {
			isNot, err := fits(item, e.whereNo, l)
			if err != nil {
				return nil, err
			}
			is = !isNot
		}
		if is && !e.all {
			return item, nil
		}
		if is {
			found = append(found, item)
		}
	}
	if !e.all {
		return nil, absent{"item for which this is so"}
	}
	return found, nil
}

// fits tells whether all members are as expected.
func fits(v any, members []member, l lookup) (bool, error) {
	for _, m := range members {
		why, err := m.differs(v, l)
		if err != nil || why != "" {
			return false, err
		}
	}
	return true, nil
}

// differs says how a member is not what is expected; empty when it is.
func (m member) differs(in any, l lookup) (why string, err error) {
	found, there := at(in, m.pointer)
	if !there {
		return m.pointer + " is not there", nil
	}
	if m.want == nil {
		return "", nil
	}
	want, err := fill(m.want, l)
	if err != nil {
		return "", err
	}
	if compact(found) != compact(want) && (m.want.Shape != grammar.Scalar || textOf(found) != textOf(want)) {
		return fmt.Sprintf("%s is %s, not %s", m.pointer, clip(compact(found), 120), clip(compact(want), 120)), nil
	}
	return "", nil
}

// fill returns a free value with its templates filled in.
func fill(v *grammar.Value, l lookup) (any, error) {
	return v.JSON(func(s grammar.Value) (any, error) {
		t, err := parseTemplate(s.Text)
		if err != nil {
			return nil, err
		}
		return t.value(l)
	})
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
