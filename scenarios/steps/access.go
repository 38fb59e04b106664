package steps

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupAccess = "Conditional Access and risk"

func conditionalAccess() []Step {
	risk := []string{rp.RiskNone, rp.RiskLow, rp.RiskMedium, rp.RiskHigh}
	return []Step{
		{language.Usage{
			Verb: "access-rule", Group: groupAccess, Summary: "An administrator sets a rule of Conditional Access.",
			Text:    "All rules that apply must be met. They hold for sessions that stand, too. A rule of the same name is replaced.",
			Subject: language.Member{Name: "name", Kind: language.Text, Text: "What the rule is called."},
			Members: []language.Member{
				{Name: "groups", Kind: language.GroupName, List: true, Default: "everybody", Text: "To whom it applies."},
				{Name: "except-groups", Kind: language.GroupName, List: true, Text: "To whom it does not."},
				{Name: "risk", Kind: language.Word, List: true, Allowed: risk, Default: "any", Text: "At which user risk it applies."},
				{Name: "locations", Kind: language.Text, List: true, Default: "anywhere", Text: "From which countries it applies."},
				{Name: "except-locations", Kind: language.Text, List: true, Text: "From which it does not."},
				{Name: "block", Kind: language.YesNo, Default: "no", Text: "Whether it lets nobody in."},
				{Name: "compliant-device", Kind: language.YesNo, Default: "no", Text: "Whether the device has to be managed and in order."},
				{Name: "strength", Kind: language.Word, Allowed: []string{"multifactor", "passwordless", "phishing-resistant"}, Text: "What the methods have to be together."},
				{Name: "session", Kind: language.Duration, Text: "How long a session lasts at most."},
				{Name: "state", Kind: language.Word, Allowed: []string{"enabled", "report-only", "disabled"}, Default: "enabled", Text: "Whether it is enforced, only reported, or neither."},
			},
			Example: "- access-rule: Staff resists phishing\n  groups: staff\n  strength: phishing-resistant",
		}, accessRule},
		{language.Usage{
			Verb: "whereabouts", Group: groupAccess, Summary: "Where a person signs in from, and on what kind of computer; or an attacker in their name.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Who."},
			Members: []language.Member{
				{Name: "location", Kind: language.Text, Default: "unknown", Text: "Country, such as DE."},
				{Name: "compliant-device", Kind: language.YesNo, Default: "no", Text: "Whether the computer is managed and in order."},
				{Name: "of", Kind: language.Word, Allowed: []string{"person", "attacker"}, Default: "person", Text: "Whose: the person's own, or those of relays and strangers."},
			},
			Example: "- whereabouts: ada\n  location: DE\n  compliant-device: yes",
		}, whereabouts},
		{language.Usage{
			Verb: "risk", Group: groupAccess, Summary: "The user risk of a person changes, as when an administrator confirms that the account is compromised.",
			Text:    "At high, all sessions end at once, and only a passkey signs in, which brings the risk back to none.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whose."},
			Members: []language.Member{{Name: "level", Kind: language.Word, Required: true, Allowed: risk, Text: "The new level."}},
			Example: "- risk: ada\n  level: high",
		}, setRisk},
	}
}

func accessRule(ctx context.Context, w *world.World, c language.Call) error {
	rule := rp.AccessRule{
		Name: c.Subject, Groups: c.Texts("groups"), ExcludeGroups: c.Texts("except-groups"), Risk: c.Texts("risk"),
		Locations: c.Texts("locations"), ExceptLocations: c.Texts("except-locations"), Block: c.Yes("block"),
		Compliant: c.Yes("compliant-device"), Strength: strings.Replace(c.Text("strength"), "phishing-resistant", rp.PhishingResistant, 1),
		SessionLifetime: c.Duration("session", 0), State: strings.Replace(c.Text("state"), "report-only", "reportOnly", 1),
	}
	return w.SetAccessRule(ctx, rule)
}

func whereabouts(_ context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	s := rp.Signals{Location: c.Text("location"), Compliant: c.Yes("compliant-device")}
	if c.Text("of") == "attacker" {
		p.StrangerSignals = s
	} else {
		p.Signals = s
	}
	return nil
}

func setRisk(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	site, err := w.Site.Access()
	if err != nil {
		return err
	}
	return site.SetRisk(ctx, p.RP, c.Text("level"))
}

// accessClaims are the claims on a person that are about methods and access.
func accessClaims(person []language.Kind) []language.Member {
	return []language.Member{
		{Name: "stranger-signed-in", Kind: language.YesNo, Of: person, Text: "Whether a session stands that a relay or a stranger got in the person's name."},
		{Name: "fallbacks", Kind: language.Count, Of: person, Text: "How many ways to sign in the account has that are no passkeys."},
		{Name: "dormant-fallbacks", Kind: language.Count, Of: person, Text: "How many of them the audit finds that were not used for 90 days, beside a passkey."},
		{Name: "offered-first", Kind: language.Pattern, Of: person, Text: "What the sign-in page asks for first, as the log names methods: passKeySynced, password …"},
		{Name: "risk-level", Kind: language.Pattern, Of: person, Text: "The user risk at the last sign-in."},
		{Name: "last-sign-in", Kind: language.Pattern, Of: person, Text: "The last entry of the sign-in log: its methods, and success or why it was refused, as in password+sms success."},
		{Name: "last-from", Kind: language.Pattern, Of: person, Text: "Where that entry says that it came from: the country, and a managed or an unmanaged computer, as in DE, unmanaged."},
		{Name: "last-rules", Kind: language.Pattern, Of: person, Text: "What became of the rules of Conditional Access in that entry, as in At home only: failure."},
		{Name: "told", Kind: language.Pattern, Of: person, Text: "A notice that the person can read about what was done to the account."},
	}
}

func (s *subject) access(p *world.Person) []claim {
	return []claim{
		{"stranger-signed-in", func() (string, error) {
			sessions, err := s.w.Site.Sessions()
			if err != nil {
				return "", err
			}
			return yesNo(sessions.SignedIn(rp.WithSignals(s.ctx, p.Attackers()), p.RP))
		}},
		{"fallbacks", func() (string, error) {
			all, err := s.methods(p)
			return number(len(slices.DeleteFunc(all, func(m rp.Method) bool { return strings.HasPrefix(m.Kind, "passKey") })), err)
		}},
		{"dormant-fallbacks", func() (string, error) {
			found, err := dormantOf(s.ctx, s.w, p, 90*24*time.Hour)
			return number(len(found), err)
		}},
		{"offered-first", func() (string, error) { return s.offeredFirst(p) }},
		{"risk-level", func() (string, error) {
			e, err := s.lastSignIn(p)
			return e.RiskLevel, err
		}},
		{"last-sign-in", func() (string, error) {
			e, err := s.lastSignIn(p)
			return summary(e), err
		}},
		{"last-from", func() (string, error) {
			e, err := s.lastSignIn(p)
			return whence(e), err
		}},
		{"last-rules", func() (string, error) {
			e, err := s.lastSignIn(p)
			return spoke(e), err
		}},
		{"told", func() (string, error) { return s.notices(p) }},
	}
}

func (s *subject) methods(p *world.Person) ([]rp.Method, error) {
	admin, err := s.w.Site.MethodAdministration()
	if err != nil {
		return nil, err
	}
	return admin.PersonMethods(s.ctx, p.RP)
}

func (s *subject) offeredFirst(p *world.Person) (string, error) {
	site, err := s.w.Site.Fallbacks()
	if err != nil {
		return "", err
	}
	list, err := site.SignInMethods(s.ctx, p.RP)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].Kind, nil
}

func (s *subject) lastSignIn(p *world.Person) (rp.SignInEntry, error) {
	site, err := s.w.Site.Access()
	if err != nil {
		return rp.SignInEntry{}, err
	}
	all, err := site.SignIns(s.ctx, p.RP)
	if err != nil || len(all) == 0 {
		return rp.SignInEntry{}, err
	}
	return all[len(all)-1], nil
}

// summary is an entry of the sign-in log in a few words.
func summary(e rp.SignInEntry) string {
	var kinds []string
	for _, d := range e.Details {
		kinds = append(kinds, d.Method)
	}
	outcome := e.Status.FailureReason
	if outcome == "" {
		outcome = "success"
	}
	return strings.Join(kinds, "+") + " " + outcome
}

// whence is where an entry of the sign-in log says that it came from.
func whence(e rp.SignInEntry) string {
	country, computer := cmp.Or(e.Location.CountryOrRegion, "unknown"), "unmanaged"
	if e.DeviceDetail.IsCompliant {
		computer = "managed"
	}
	return country + ", " + computer
}

// spoke is what became of the rules in an entry of the sign-in log, in their order.
func spoke(e rp.SignInEntry) string {
	var all []string
	for _, r := range e.AppliedPolicies {
		all = append(all, r.DisplayName+": "+r.Result)
	}
	return strings.Join(all, "; ")
}

// notices are what the person was told and can read, one a line. The claim is met
// by any of them.
func (s *subject) notices(p *world.Person) (string, error) {
	admin, err := s.w.Site.MethodAdministration()
	if err != nil {
		return "", err
	}
	all, err := admin.Outbox(s.ctx, p.RP)
	if err != nil {
		return "", err
	}
	var texts []string
	for _, m := range all {
		if m.Kind == rp.Notice && m.Holder == rp.Owner && !slices.Contains(texts, m.Text) {
			texts = append(texts, m.Text)
		}
	}
	return strings.Join(texts, " "), nil
}
