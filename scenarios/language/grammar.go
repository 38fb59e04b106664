package language

// Kind says what a value stands for, and so what may be written there.
type Kind string

// The kinds of value.
const (
	Text       Kind = "text"       // any text; ${name} puts in a saved value
	Word       Kind = "word"       // one of Member.Allowed
	YesNo      Kind = "yes or no"  // also true or false
	Number     Kind = "number"     // a whole number from 0
	Duration   Kind = "duration"   // 10 minutes, 30s, 2 days
	Secret     Kind = "secret"     // a PIN, passcode or pass: masked wherever it would be shown
	Reason     Kind = "reason"     // pattern for the reason of a refusal
	Pattern    Kind = "pattern"    // * and ? as in file names, or /a regular expression/
	Count      Kind = "count"      // a number, or a comparison such as "at least 3"
	Origin     Kind = "origin"     // scheme, host and port of a page
	Label      Kind = "label"      // lower-case letters, digits, - . _
	NewName    Kind = "new name"   // a name for something that the step makes
	PersonName Kind = "person"     // somebody under people
	DeviceName Kind = "device"     // something under devices, or made by an earlier step
	AccountRef Kind = "account"    // something under accounts
	GroupName  Kind = "group"      // a group that somebody belongs to
	Profile    Kind = "profile"    // a device profile
	Provider   Kind = "provider"   // a sync provider
	Model      Kind = "model"      // a device profile, or an AAGUID
	CoverRow   Kind = "row"        // a row of the coverage table
	SavedValue Kind = "saved"      // ${name} of what an earlier step saved, of kind Member.Saved
	Anything   Kind = "anything"   // a person, device or account by name, or ${name}
	Mapping    Kind = "mapping"    // members of its own: Member.Members
	Named      Kind = "named list" // names of the writer's own, each with Member.Members
	Steps      Kind = "steps"      // a list of steps
	Values     Kind = "values"     // names, each with a list of values: the matrix
)

// Member is one thing that may be written in a file or behind a verb.
type Member struct {
	Name     string   `json:"name,omitempty"`
	Kind     Kind     `json:"kind,omitempty"`
	Text     string   `json:"text,omitempty"`     // one sentence for people
	Required bool     `json:"required,omitempty"` //
	List     bool     `json:"list,omitempty"`     // one value or a list of them
	Allowed  []string `json:"allowed,omitempty"`  // for Word
	Default  string   `json:"default,omitempty"`  // in words, where leaving it out means something
	Members  []Member `json:"members,omitempty"`  // for Mapping and Named
	Saved    Saved    `json:"saved,omitempty"`    // for SavedValue
	Of       []Kind   `json:"of,omitempty"`       // for claims: the kinds of subject it can be said of
	OfSaved  []Saved  `json:"ofSaved,omitempty"`  // for claims: the kinds of saved value it can be said of
}

// Usage describes a step: the verb that begins it and what may follow.
type Usage struct {
	Verb    string   `json:"verb,omitempty"`
	Group   string   `json:"group,omitempty"`   // heading under which it is listed
	Summary string   `json:"summary,omitempty"` // one sentence
	Text    string   `json:"text,omitempty"`    // more, where one sentence is not enough
	Subject Member   `json:"subject,omitempty"` // what stands behind the verb itself; its Name is what explain calls it
	Members []Member `json:"members,omitempty"`
	Saves   Saved    `json:"saves,omitempty"`   // what "save" keeps; empty when there is nothing to keep
	Makes   string   `json:"makes,omitempty"`   // member whose value names a device that the step makes
	Claims  bool     `json:"claims,omitempty"`  // it looks and does nothing: it cannot be refused
	Example string   `json:"example,omitempty"` // YAML of one step, with its leading "- "
}

// Saved is what kind of thing a step saves.
type Saved string

// The kinds of saved value.
const (
	SavedNothing Saved = ""
	SavedPasskey Saved = "passkey"
	SavedSession Saved = "session"
	SavedPass    Saved = "pass"
	SavedCode    Saved = "code"
	SavedCase    Saved = "recovery" // a case of account recovery
)

// members lists what ${name.member} may ask of a saved value.
func (s Saved) members() []string {
	switch s {
	case SavedPasskey:
		return []string{"id", "name", "aaguid", "type", "attestation", "counter"}
	case SavedSession:
		return []string{"person", "method", "passkey", "counter", "acts", "seconds"}
	}
	return nil
}

// Grammar is what the language knows of the world around it.
type Grammar struct {
	Verbs     []Usage           // in the order in which they are listed
	Profiles  []string          // device profiles
	About     map[string]string // what each profile is, for people
	Providers []string          // sync providers
	Reasons   []string          // known reasons of refusals; see Reason
	Rows      []string          // rows of the coverage table
	AboutRow  map[string]string // the rule of each row, for people
	Labels    []Term            // labels that the library uses; others are as good
}

// Term is a word with what it means.
type Term struct{ Name, About string }

// verb finds a step's usage.
func (g Grammar) verb(name string) *Usage {
	for i := range g.Verbs {
		if g.Verbs[i].Verb == name {
			return &g.Verbs[i]
		}
	}
	return nil
}

func (g Grammar) verbs() []string {
	names := make([]string, len(g.Verbs))
	for i := range g.Verbs {
		names[i] = g.Verbs[i].Verb
	}
	return names
}

// member finds what may follow the verb by name, the members that every step has
// included.
func (u *Usage) member(name string) *Member {
	return find(u.All(), name)
}

// All returns every member that may follow the verb, the ones common to all
// steps last.
func (u *Usage) All() []Member {
	all := append([]Member(nil), u.Members...)
	if !u.Claims {
		all = append(all, outcomeMembers()...)
	}
	if u.Saves != SavedNothing {
		all = append(all, Member{Name: "save", Kind: NewName, Text: "A name for the " + string(u.Saves) + " that comes of it; later steps write ${name}."})
	}
	return append(all, Member{Name: "timeout", Kind: Duration, Text: "How long the step may take in real time.", Default: "30 s, or what --timeout says"})
}

func outcomeMembers() []Member {
	return []Member{
		{Name: "expect", Kind: Word, Allowed: []string{Success, Refused}, Default: Success,
			Text: "How the step should end. A refusal that was not expected fails the scenario, and so does an expected one that did not come."},
		{Name: "reason", Kind: Reason,
			Text: "Why it should be refused: a code of the relying party or the keychain, a DOMException name or a CTAP status. * and ? stand for any text, /…/ is a regular expression."},
	}
}

// The outcomes that a step may expect.
const (
	Success = "success"
	Refused = "refused"
)

func find(members []Member, name string) *Member {
	for i := range members {
		if members[i].Name == name {
			return &members[i]
		}
	}
	return nil
}

func memberNames(members []Member) []string {
	names := make([]string, len(members))
	for i := range members {
		names[i] = members[i].Name
	}
	return names
}
