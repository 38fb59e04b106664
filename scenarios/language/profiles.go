package language

// PasskeyProfile is a named set of rules for passkeys, and the groups that may have
// passkeys which meet it.
type PasskeyProfile struct {
	Name          string
	Types         []string // deviceBound, synced
	Attestation   bool     // looked at when a passkey is registered
	AllowedModels []string // at most one of the two lists is given
	BlockedModels []string
	Groups        []string // nil where nothing is said of them
	Default       *bool    // whether it is that of people in no group with a profile; nil where nothing is said
}

// ProfileMembers lists what may be said of a passkey profile.
func ProfileMembers() []Member {
	return []Member{
		{Name: "types", Kind: Word, List: true, Allowed: []string{"device-bound", "synced"}, Default: "both", Text: "Which types of passkey it allows, at registration and at sign-in."},
		{Name: "attestation", Kind: Word, Allowed: []string{"disabled", "registration-only"}, Default: "disabled", Text: "Whether registration needs attestation that the relying party trusts. Sign-ins never do."},
		{Name: "allowed-models", Kind: Model, List: true, Default: "all", Text: "AAGUIDs or profile names of the only models that it allows, at registration and at sign-in."},
		{Name: "blocked-models", Kind: Model, List: true, Text: "AAGUIDs or profile names of the models that it blocks; not together with allowed-models."},
		{Name: "groups", Kind: Label, List: true, Text: "Groups that may have passkeys of this profile. Somebody with several profiles needs to meet one."},
		{Name: "default", Kind: YesNo, Default: "no", Text: "Whether it is the profile of people in no group that has one."},
	}
}

// ProfileOf reads a passkey profile out of a mapping or a step.
func ProfileOf(name string, v Value) PasskeyProfile {
	p := PasskeyProfile{
		Name: name, Types: passkeyTypes(v.Field("types").Words()), Attestation: v.Field("attestation").Word("") == "registration-only",
		AllowedModels: v.Field("allowed-models").Words(), BlockedModels: v.Field("blocked-models").Words(), Groups: v.Field("groups").Words(),
	}
	if len(p.Types) == 0 {
		p.Types = []string{"deviceBound", "synced"}
	}
	if v.Field("default") != nil {
		yes := v.Field("default").Yes()
		p.Default = &yes
	}
	return p
}

// passkeyTypes writes types of passkey as relying parties do.
func passkeyTypes(words []string) (types []string) {
	for _, t := range words {
		if t == "device-bound" {
			t = "deviceBound"
		}
		types = append(types, t)
	}
	return types
}
