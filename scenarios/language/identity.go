package language

import "time"

// Identity is who a person is outside of the scenario: one of the test people of
// package identity/person, and what the relying party's directory has on them.
type Identity struct {
	Person            string // id of the test person
	FirstName         string // in the directory; the test person's where Named is false
	LastName          string
	Named             bool   // the file gives a name of its own
	BirthDate         string // the test person's when empty
	Country           string // the test person's when empty
	WithoutLicence    bool
	NotInTheDirectory bool // the directory has nothing on them
}

// Recovery is the recovery policy of a relying party.
type Recovery struct {
	Profiles         []RecoveryProfile // in order of priority
	BlockedProviders []string
	PassGroups       []string
}

// RecoveryProfile says for some groups who verifies identity and what comes of it.
type RecoveryProfile struct {
	Name             string
	Groups, Excluded []string
	Mode             string
	Providers        []RecoveryProvider
	Match            string
	BirthDate        bool
	RevokeOld        string
	Reuse            bool
	FaceThreshold    int
	SignedInWithin   time.Duration
	PassLifetime     time.Duration
}

// RecoveryProvider is a verification provider, for all countries or for some.
type RecoveryProvider struct {
	Name      string
	Countries []string
}

// VerificationProviders lists the verification providers that there are.
func VerificationProviders() []string {
	return []string{"au10tix", "idemia", "lexisnexis", "truecredential"}
}

func recoveryMembers() []Member {
	return []Member{
		{Name: "profiles", Kind: Named, Members: RecoveryProfileMembers(), Text: "Identity verification profiles by name. Of a person's profiles the first counts."},
		{Name: "blocked-providers", Kind: Word, List: true, Allowed: VerificationProviders(), Default: "none", Text: "Providers whose word counts for nothing here."},
		{Name: "pass-groups", Kind: Label, List: true, Default: "everybody", Text: "Groups for which Temporary Access Passes are enabled."},
	}
}

// RecoveryProfileMembers lists what an identity verification profile may say.
func RecoveryProfileMembers() []Member {
	return []Member{
		{Name: "groups", Kind: Label, List: true, Default: "everybody", Text: "Groups that are in scope."},
		{Name: "excluded", Kind: Label, List: true, Default: "none", Text: "Groups that are out of scope all the same."},
		{Name: "mode", Kind: Word, Allowed: []string{"evaluation", "production"}, Default: "evaluation", Text: "Whether a verified person gets a Temporary Access Pass, or it is only reported that they would."},
		{Name: "providers", Kind: Word, List: true, Allowed: VerificationProviders(), Default: "idemia", Text: "Providers, of which the first is taken that is for the country."},
		{Name: "countries", Kind: Named, Members: countryMembers(), Text: "For which countries a provider is, by its name; one that is not named is for all."},
		{Name: "match", Kind: Word, Allowed: []string{"exact", "relaxed"}, Default: "exact", Text: "How closely the names of the Verified ID have to be those of the account."},
		{Name: "birth-date", Kind: YesNo, Default: "no", Text: "Whether the date of birth has to be the same, too."},
		{Name: "revoke-old", Kind: Word, Allowed: []string{"on-request", "always", "never"}, Default: "on-request", Text: "When the passkeys and methods from before go."},
		{Name: "reuse", Kind: YesNo, Default: "no", Text: "Whether a Verified ID from an earlier verification will do."},
		{Name: "face-threshold", Kind: Number, Default: "70", Text: "Score that Face Check must reach, from 50 to 100."},
		{Name: "signed-in-within", Kind: Duration, Default: "any time since the scope changed", Text: "How old the last sign-in may be."},
		{Name: "pass-lifetime", Kind: Duration, Default: "1 hour", Text: "How long the pass is good."},
	}
}

func countryMembers() []Member {
	return []Member{{Name: "are", Kind: Label, List: true, Required: true, Text: "Countries by two letters, such as gb."}}
}

func identityMembers() []Member {
	return []Member{
		{Name: "person", Kind: Label, Required: true, Text: "The test person who this is, with documents and a face, such as anna-eriksson."},
		{Name: "first-name", Kind: Text, Default: "the test person's", Text: "First name in the relying party's directory."},
		{Name: "last-name", Kind: Text, Default: "the test person's", Text: "Last name in the directory. With only one of the two given, the other is empty."},
		{Name: "birth-date", Kind: Text, Default: "the test person's", Text: "Date of birth in the directory, such as 1990-12-31."},
		{Name: "country", Kind: Text, Default: "the test person's", Text: "Country in the directory, by two letters."},
		{Name: "licence", Kind: YesNo, Default: "yes", Text: "Whether the account has a licence for recovery."},
		{Name: "in-directory", Kind: YesNo, Default: "yes", Text: "Whether the directory has a name at all; an attacker's has none."},
	}
}

func identityOf(v *Value) *Identity {
	if v == nil {
		return nil
	}
	return &Identity{
		Person: v.Field("person").Word(""), FirstName: v.Field("first-name").Word(""), LastName: v.Field("last-name").Word(""),
		Named:     v.Field("first-name") != nil || v.Field("last-name") != nil,
		BirthDate: v.Field("birth-date").Word(""), Country: v.Field("country").Word(""),
		WithoutLicence: v.Field("licence").Word("yes") == "no", NotInTheDirectory: v.Field("in-directory").Word("yes") == "no",
	}
}

func recoveryOf(v *Value) *Recovery {
	if v == nil {
		return nil
	}
	r := &Recovery{BlockedProviders: v.Field("blocked-providers").Words(), PassGroups: v.Field("pass-groups").Words()}
	for _, f := range named(v.Field("profiles")) {
		r.Profiles = append(r.Profiles, RecoveryProfileOf(f.Name, f.Value))
	}
	return r
}

// RecoveryProfileOf reads a profile out of a mapping or a step.
func RecoveryProfileOf(name string, v Value) RecoveryProfile {
	p := RecoveryProfile{
		Name: name, Groups: v.Field("groups").Words(), Excluded: v.Field("excluded").Words(), Mode: v.Field("mode").Word("evaluation"),
		Match: v.Field("match").Word("exact"), BirthDate: v.Field("birth-date").Yes(), RevokeOld: v.Field("revoke-old").Word("on-request"), Reuse: v.Field("reuse").Yes(),
		FaceThreshold: number(v.Field("face-threshold")), SignedInWithin: duration(v.Field("signed-in-within")), PassLifetime: duration(v.Field("pass-lifetime")),
	}
	names := v.Field("providers").Words()
	if len(names) == 0 {
		names = []string{"idemia"}
	}
	for _, n := range names {
		provider := RecoveryProvider{Name: n}
		for _, f := range named(v.Field("countries")) {
			if f.Name == n {
				provider.Countries = f.Value.Field("are").Words()
			}
		}
		p.Providers = append(p.Providers, provider)
	}
	return p
}
