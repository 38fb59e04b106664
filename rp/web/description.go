package web

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"fido-emu/grammar"
)

// Description is a description of a site that was found to be in order.
type Description struct {
	File         string
	Name         string
	Server       string // a relying party that the harness starts itself, such as reference; empty for none
	Capabilities Capabilities

	root      grammar.Value
	settings  []setting
	bases     []binding
	origin    *template
	rpID      *template
	userName  *template
	headers   []binding
	secure    bool // Secure cookies go to loopback
	limits    limits
	refused   refusal
	codes     []code
	repeat    *repeat
	smtp      *template
	mailbox   *template
	sections  map[string]*section
	variables []string // all that may be set
}

// Capabilities is what a site can do, as its description says.
type Capabilities struct {
	Usernameless          bool // people can sign in without saying who they are
	ClosedSignUp          bool // people do not make their accounts themselves
	SingleUser            bool // it has one account only
	Serial                bool // it bears one thing at a time only
	StableUserHandle      bool // user.id stays the same for an account
	TrustsTestAttestation bool // it trusts the attestation of emulated keys
}

type setting struct {
	name, env, text string
	fallback        *string
	secret          bool
}

// code is what a reason of the site is called in scenarios.
type code struct{ theirs, ours string }

// binding is a name with a template.
type binding struct {
	name  string
	value template
}

type limits struct {
	body             int64 // bytes
	time             time.Duration
	redirects, steps int
}

// section is one thing that the description tells how to do.
type section struct {
	kind     sectionKind
	at       grammar.Place
	steps    []step
	proof    []step
	unproved string
	each     template
	record   []binding // of a passkey, or of a session
	pass     template
	once     string
}

// step is one step of a section.
type step struct {
	at          grammar.Place
	verb        string
	label, jump string
	when        *condition
	as, note    string
	call        *call
	ceremony    *ceremony
	mail        *mail
	set         []assignment
	reason      template // of refuse and unsupported
	repeat      *repeat
	expect      expectation
	refused     *refusal
	take, keep  []taken
}

// call is a request.
type call struct {
	method, base string
	target       template
	headers      []binding
	query        []bindings
	json         *grammar.Value
	form         []binding
	text         *template
	follow       bool
}

type bindings struct {
	name   string
	values []template
}

// ceremony is what a page asks the browser for.
type ceremony struct {
	options       *extraction // nil for the whole answer
	unwrap        []string
	defaults, set *grammar.Value
	tolerant      bool
	save          string
}

type mail struct {
	to      template
	pattern *regexp.Regexp
	save    string
	within  time.Duration
}

type assignment struct {
	name  string
	value grammar.Value
}

type repeat struct {
	times int
	while condition
	pause time.Duration
}

// member is a JSON pointer with what is expected there; nil for whatever it is.
type member struct {
	pointer string
	want    *grammar.Value
}

type expectation struct {
	statuses  []int
	json, not []member
	text      *regexp.Regexp
	that      []condition
}

type refusal struct {
	statuses     []int
	json         []member
	text         *regexp.Regexp
	code, reason *extraction
}

// says tells whether the refusal says anything of what answer is one.
func (r *refusal) says() bool { return len(r.statuses)+len(r.json) > 0 || r.text != nil }

type taken struct {
	name string
	from extraction
}

// Foreign is a section of a description that another package understands, such as the
// steps of pages in a browser.
type Foreign struct {
	Member grammar.Member                         // how it is checked, and what the schema says of it
	Check  func(v grammar.Value) grammar.Problems // what else is wrong with it; may be nil
}

// Load reads a description from a file; LoadBytes says what it takes and returns.
func Load(file string, foreign ...Foreign) (*Description, error) {
	source, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	return LoadBytes(file, source, foreign...)
}

// LoadBytes reads a description. file is its name as people know it, foreign the
// sections of other packages that may be in it. What is wrong is [grammar.Problems].
func LoadBytes(file string, source []byte, foreign ...Foreign) (*Description, error) {
	root, err := grammar.Parse(file, source)
	if err != nil {
		return nil, err
	}
	table := func() []grammar.Member {
		all := Document()
		for _, f := range foreign {
			all = append(all, f.Member)
		}
		return all
	}
	if problems := grammar.Check("a description", root, table); len(problems) > 0 {
		return nil, problems
	}
	c := &compiler{}
	d := c.description(file, root)
	for _, f := range foreign {
		if v := root.Field(f.Member.Name); v != nil && f.Check != nil {
			c.problems = append(c.problems, f.Check(*v)...)
		}
	}
	c.finish(d, root, foreign)
	if len(c.problems) > 0 {
		return nil, c.problems.Sorted()
	}
	return d, nil
}

// Section returns a section of another package, nil when the description has none.
func (d *Description) Section(name string) *grammar.Value { return d.root.Field(name) }

// Has tells whether the description says how to do something, such as sign-in.
func (d *Description) Has(section string) bool { return d.sections[section] != nil }

// Schema returns a JSON Schema of descriptions, for editors.
func Schema(foreign ...Foreign) map[string]any {
	return grammar.Schema("relying party of fido-emu", func() []grammar.Member {
		all := Document()
		for _, f := range foreign {
			all = append(all, f.Member)
		}
		return all
	})
}

func (c *compiler) description(file string, root grammar.Value) *Description {
	can := root.Field("capabilities")
	d := &Description{
		File: file, Name: root.Field("name").Word(""), Server: root.Field("server").Word(""), root: root,
		Capabilities: Capabilities{
			Usernameless: can.Field("usernameless").Yes(), ClosedSignUp: !can.Field("sign-up").Yes() && can.Field("sign-up") != nil, SingleUser: can.Field("single-user").Yes(), Serial: can.Field("serial").Yes(),
			StableUserHandle: can.Field("stable-user-handle").Yes(), TrustsTestAttestation: can.Field("trusts-test-attestation").Yes(),
		},
		bases: c.bindings(root.Field("bases")), origin: c.optional(root.Field("origin")), rpID: c.optional(root.Field("rp-id")),
		userName: c.optional(root.Field("user-name")), headers: c.bindings(root.Field("headers")),
		secure: root.Field("secure-cookies-to-loopback").Yes(), limits: readLimits(root.Field("limits")),
		smtp: c.optional(root.Field("inbox").Field("smtp")), mailbox: c.optional(root.Field("inbox").Field("http")),
		repeat: c.repeat(root.Field("repeat")), sections: map[string]*section{},
	}
	if r := c.refusal(root.Field("refused")); r != nil {
		d.refused = *r
	}
	if v := root.Field("codes"); v != nil {
		for _, f := range v.Fields {
			d.codes = append(d.codes, code{f.Name, f.Value.Word("")})
		}
	}
	if s := root.Field("settings"); s != nil {
		for _, f := range s.Fields {
			d.settings = append(d.settings, readSetting(f))
		}
	}
	for _, b := range d.bases {
		c.baseNames = append(c.baseNames, b.name)
	}
	for _, k := range sectionKinds() {
		if v := root.Field(k.name); v != nil {
			d.sections[k.name] = c.section(k, *v)
		}
	}
	return d
}

func readSetting(f grammar.Field) setting {
	s := setting{name: f.Name, env: f.Value.Field("env").Word(""), text: f.Value.Field("text").Word(""), secret: f.Value.Field("secret").Yes()}
	if v := f.Value.Field("default"); v != nil {
		text := v.Word("")
		s.fallback = &text
	}
	return s
}

func readLimits(v *grammar.Value) limits {
	return limits{
		body: int64(number(v.Field("body"), 4096)) << 10, time: duration(v.Field("time"), 30*time.Second),
		redirects: number(v.Field("redirects"), 5), steps: cmp.Or(number(v.Field("steps"), 0), 100),
	}
}

func number(v *grammar.Value, fallback int) int {
	n, err := strconv.Atoi(v.Word(""))
	if err != nil {
		return fallback
	}
	return n
}

func duration(v *grammar.Value, fallback time.Duration) time.Duration {
	d, err := time.ParseDuration(v.Word(""))
	if err != nil {
		return fallback
	}
	return d
}
