package language

import (
	"fmt"
	"time"

	"fido-emu/grammar"
	"fido-emu/scenarios/measure"
)

// Scenario is one variant of a scenario file, checked.
type Scenario struct {
	ID       string // unique in a run once the loader of many files has set it
	Title    string
	Purpose  string
	Labels   []string
	Covers   []string // rows of the coverage table
	Focus    bool
	Skip     string
	At       grammar.Place
	Limits   []measure.Limit
	Matrix   []Choice // this variant's values, in the order of the file
	Site     Site
	People   []Person
	Accounts []Account
	Devices  []Device
	Steps    []Call
}

// Choice is a value that the matrix gave to a variant.
type Choice struct{ Name, Value string }

// Site is the relying party.
type Site struct {
	ID, Origin, Name string
	SignUp           bool
	RelatedOrigins   []string // beside Origin
	EmbeddedBy       []string // origins whose frames are accepted
	Policies         []GroupPolicy
	Recovery         *Recovery // nil for none
	Profiles         []PasskeyProfile
	Metadata         []string      // models that its metadata tells of
	RegisterWithin   time.Duration // of a sign-in; 0 for no limit
}

// Origins returns all origins whose pages may use the passkeys of the site.
func (s Site) Origins() []string { return append([]string{s.Origin}, s.RelatedOrigins...) }

// GroupPolicy is the passkey policy of one group.
type GroupPolicy struct {
	Group               string
	Types               []string // deviceBound, synced
	Algorithms          []string // names, preferred first; empty for the relying party's own
	RequireAttestation  bool
	AllowedModels       []string
	BlockedModels       []string
	UserVerification    string
	RejectCounterRewind bool
}

// Person is somebody who takes part.
type Person struct {
	Name, UserName, DisplayName string
	Groups                      []string
	Identity                    *Identity // nil for nobody in particular
}

// Account is a sync account.
type Account struct {
	Name, Provider, Owner string
	Behaviour             string // file that says how the provider behaves; empty for the built-in description
}

// Device is a device as the file describes it.
type Device struct {
	Name, Profile, Owner, Account string
	PIN, Passcode                 string
	Touch                         string
	Tags                          []string // of the slot of a bench that it is to be in
	Quirks                        []string
	Faults                        []Fault // in the order of the file
	At                            grammar.Place
}

// ProviderOf returns the sync provider of an account: the one it names, or that of
// its devices. of returns the provider of a device profile, empty for none.
func (s *Scenario) ProviderOf(account string, of func(profile string) string) (string, error) {
	for _, a := range s.Accounts {
		if a.Name == account && a.Provider != "" {
			return a.Provider, nil
		}
	}
	for _, own := range []string{account, ""} {
		for _, d := range s.Devices {
			if provider := of(d.Profile); provider != "" && d.Account == own {
				return provider, nil
			}
		}
	}
	return "", fmt.Errorf("account %s has no provider and no device; give it a provider", account)
}

// builder makes typed values of a tree that was found to be in order.
type builder struct{ grammar Grammar }

func (b builder) scenario(root Value, settings []Setting) *Scenario {
	s := &Scenario{
		At: root.At, Title: root.Field("title").Word(""), Purpose: root.Field("purpose").Word(""),
		Labels: root.Field("labels").Words(), Covers: root.Field("covers").Words(), Focus: root.Field("focus").Yes(), Skip: root.Field("skip").Word(""),
		Site: site(root.Field("relying-party")), Limits: limits(root.Field("limits")),
	}
	for _, set := range settings {
		s.Matrix = append(s.Matrix, Choice{set.Name, set.Value.Text})
	}
	for _, f := range named(root.Field("people")) {
		s.People = append(s.People, Person{
			Name: f.Name, UserName: f.Value.Field("user-name").Word(f.Name + "@" + s.Site.ID),
			DisplayName: f.Value.Field("display-name").Word(f.Name), Groups: f.Value.Field("groups").Words(),
			Identity: identityOf(f.Value.Field("identity")),
		})
	}
	for _, f := range named(root.Field("accounts")) {
		s.Accounts = append(s.Accounts, Account{f.Name, f.Value.Field("provider").Word(""), f.Value.Field("owner").Word(""), f.Value.Field("behaviour").Word("")})
	}
	for _, f := range named(root.Field("devices")) {
		s.Devices = append(s.Devices, device(f))
	}
	for _, v := range root.Field("steps").Items {
		s.Steps = append(s.Steps, b.call(v))
	}
	return s
}

func device(f Field) Device {
	d := Device{
		Name: f.Name, At: f.At, Profile: f.Value.Field("profile").Word(""), Owner: f.Value.Field("owner").Word(""),
		Account: f.Value.Field("account").Word(""), PIN: f.Value.Field("pin").Word(""),
		Passcode: f.Value.Field("passcode").Word(""), Touch: f.Value.Field("touch").Word("yes"),
		Quirks: f.Value.Field("quirks").Words(), Tags: f.Value.Field("tags").Words(),
	}
	for _, v := range named(f.Value.Field("faults")) {
		fault, _ := FaultOf(v.Name, v.Value) // what is wrong with it is found with what cannot work
		d.Faults = append(d.Faults, fault)
	}
	return d
}

func site(v *Value) Site {
	if v == nil {
		v = &Value{}
	}
	s := Site{ID: v.Field("id").Word("example.com"), Name: v.Field("name").Word("Example"), SignUp: v.Field("sign-up").Word("open") == "open"}
	s.Origin = v.Field("origin").Word("https://" + s.ID)
	s.RelatedOrigins, s.EmbeddedBy = v.Field("related-origins").Words(), v.Field("embedded-by").Words()
	s.Recovery = recoveryOf(v.Field("recovery"))
	for _, f := range named(v.Field("policies")) {
		s.Policies = append(s.Policies, PolicyOf(f.Name, f.Value))
	}
	for _, f := range named(v.Field("passkey-profiles")) {
		s.Profiles = append(s.Profiles, ProfileOf(f.Name, f.Value))
	}
	s.Metadata, s.RegisterWithin = v.Field("metadata").Words(), duration(v.Field("register-within"))
	return s
}

// PolicyOf reads a passkey policy out of a mapping or a step.
func PolicyOf(group string, v Value) GroupPolicy {
	p := GroupPolicy{
		Group: group, Algorithms: v.Field("algorithms").Words(), RequireAttestation: v.Field("require-attestation").Yes(),
		AllowedModels: v.Field("allowed-models").Words(), BlockedModels: v.Field("blocked-models").Words(),
		UserVerification: v.Field("user-verification").Word(""), RejectCounterRewind: v.Field("reject-counter-rewind").Yes(),
	}
	p.Types = passkeyTypes(v.Field("types").Words())
	return p
}

// number, duration and named read members that were checked when the file was loaded;
// v may be nil.

func number(v *Value) int {
	n, _ := parseNumber(v.Word("0"))
	return n
}

func duration(v *Value) time.Duration {
	d, _ := ParseDuration(v.Word("0s"))
	return d
}

func named(v *Value) []Field {
	if v == nil {
		return nil
	}
	return v.Fields
}
