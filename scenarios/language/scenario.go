package language

import (
	"fmt"
	"time"

	"fido-emu/report"
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
	At       report.Location
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
	At                            report.Location
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
		At: root.At, Title: root.text("title", ""), Purpose: root.text("purpose", ""),
		Labels: root.texts("labels"), Covers: root.texts("covers"), Focus: root.yes("focus"), Skip: root.text("skip", ""),
		Site: site(root.Field("relying-party")), Limits: limits(root.Field("limits")),
	}
	for _, set := range settings {
		s.Matrix = append(s.Matrix, Choice{set.Name, set.Value.Text})
	}
	for _, f := range root.named("people") {
		s.People = append(s.People, Person{
			Name: f.Name, UserName: f.Value.text("user-name", f.Name+"@"+s.Site.ID),
			DisplayName: f.Value.text("display-name", f.Name), Groups: f.Value.texts("groups"),
			Identity: identityOf(f.Value.Field("identity")),
		})
	}
	for _, f := range root.named("accounts") {
		s.Accounts = append(s.Accounts, Account{f.Name, f.Value.text("provider", ""), f.Value.text("owner", ""), f.Value.text("behaviour", "")})
	}
	for _, f := range root.named("devices") {
		s.Devices = append(s.Devices, device(f))
	}
	for _, v := range root.Field("steps").Items {
		s.Steps = append(s.Steps, b.call(v))
	}
	return s
}

func device(f Field) Device {
	d := Device{
		Name: f.Name, At: f.At, Profile: f.Value.text("profile", ""), Owner: f.Value.text("owner", ""),
		Account: f.Value.text("account", ""), PIN: f.Value.text("pin", ""),
		Passcode: f.Value.text("passcode", ""), Touch: f.Value.text("touch", "yes"),
		Quirks: f.Value.texts("quirks"), Tags: f.Value.texts("tags"),
	}
	for _, v := range f.Value.named("faults") {
		fault, _ := FaultOf(v.Name, v.Value) // what is wrong with it is found with what cannot work
		d.Faults = append(d.Faults, fault)
	}
	return d
}

func site(v *Value) Site {
	if v == nil {
		v = &Value{}
	}
	s := Site{ID: v.text("id", "example.com"), Name: v.text("name", "Example"), SignUp: v.text("sign-up", "open") == "open"}
	s.Origin = v.text("origin", "https://"+s.ID)
	s.RelatedOrigins, s.EmbeddedBy = v.texts("related-origins"), v.texts("embedded-by")
	s.Recovery = recoveryOf(v.Field("recovery"))
	for _, f := range v.named("policies") {
		s.Policies = append(s.Policies, PolicyOf(f.Name, f.Value))
	}
	for _, f := range v.named("passkey-profiles") {
		s.Profiles = append(s.Profiles, ProfileOf(f.Name, f.Value))
	}
	s.Metadata, s.RegisterWithin = v.texts("metadata"), v.duration("register-within")
	return s
}

// PolicyOf reads a passkey policy out of a mapping or a step.
func PolicyOf(group string, v Value) GroupPolicy {
	p := GroupPolicy{
		Group: group, Algorithms: v.texts("algorithms"), RequireAttestation: v.yes("require-attestation"),
		AllowedModels: v.texts("allowed-models"), BlockedModels: v.texts("blocked-models"),
		UserVerification: v.text("user-verification", ""), RejectCounterRewind: v.yes("reject-counter-rewind"),
	}
	p.Types = passkeyTypes(v.texts("types"))
	return p
}

func (v *Value) text(name, otherwise string) string {
	if f := v.Field(name); f != nil {
		return f.Text
	}
	return otherwise
}

func (v *Value) texts(name string) []string {
	f := v.Field(name)
	if f == nil {
		return nil
	}
	var all []string
	for _, item := range f.List() {
		all = append(all, item.Text)
	}
	return all
}

func (v *Value) yes(name string) bool {
	t := v.text(name, "")
	return t == "yes" || t == "true"
}

func (v *Value) number(name string) int {
	n, _ := parseNumber(v.text(name, "0")) // checked when the file was loaded
	return n
}

func (v *Value) named(name string) []Field {
	if f := v.Field(name); f != nil {
		return f.Fields
	}
	return nil
}

func (v *Value) duration(name string) time.Duration {
	d, _ := ParseDuration(v.text(name, "0s")) // checked when the file was loaded
	return d
}
