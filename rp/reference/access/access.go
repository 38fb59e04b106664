// Package access decides on sign-ins by Conditional Access: rules that say for
// whom, at which risk and from where more is asked than a method, or nothing is
// granted at all. It is pure. [Evaluate] is used when somebody signs in, and again
// while the session stands.
//
// The rules of combination are those of Microsoft Entra Conditional Access: every
// rule that applies must be met; one that blocks wins; of several session lifetimes
// the shortest counts; a rule in report-only mode is evaluated and not enforced.
package access

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// The codes of refusals ([rp.Refused]).
const (
	Blocked           = "access-blocked" // a rule blocks this sign-in
	DeviceRequired    = "compliant-device-required"
	StrengthMissing   = "stronger-method-required"
	PasskeyRequired   = "risk-needs-passkey" // the account is at high risk: only a passkey signs in
	BadRule           = "bad-rule"           // it says what cannot be meant
	stateReportOnly   = "reportOnly"
	stateDisabled     = "disabled"
	resultSuccess     = "success"
	resultFailure     = "failure"
	resultNotApplied  = "notApplied"
	resultNotEnabled  = "notEnabled"
	reportOnlySuccess = "reportOnlySuccess"
	reportOnlyFailure = "reportOnlyFailure"
	reportOnlyNot     = "reportOnlyNotApplied"
)

// Request is what is known of a sign-in, or of a session that stands.
type Request struct {
	Groups  []string // of the person
	Risk    string   // of the person: rp.RiskNone to rp.RiskHigh
	Signals rp.Signals
	Proven  []string // kinds of the methods
}

// Decision is what came of all rules.
type Decision struct {
	Refused  *rp.Refused // nil when access is granted
	Status   string      // success, failure or notApplied
	Applied  []rp.AppliedPolicy
	Lifetime time.Duration // of the session; 0 where no rule says
}

// Evaluate applies rules in their order.
func Evaluate(rules []rp.AccessRule, r Request) Decision {
	d := Decision{Status: resultNotApplied, Applied: []rp.AppliedPolicy{}}
	for _, rule := range rules {
		result, no := judge(rule, r)
		d.Applied = append(d.Applied, rp.AppliedPolicy{DisplayName: rule.Name, Result: result})
		switch {
		case result == resultFailure:
			d.Status = resultFailure
			if d.Refused == nil || no.Code == Blocked {
				d.Refused = no
			}
		case result == resultSuccess:
			if d.Status == resultNotApplied {
				d.Status = resultSuccess
			}
			if l := rule.SessionLifetime; l > 0 && (d.Lifetime == 0 || l < d.Lifetime) {
				d.Lifetime = l
			}
		}
	}
	return d
}

// judge applies one rule.
func judge(rule rp.AccessRule, r Request) (result string, no *rp.Refused) {
	reporting := rule.State == stateReportOnly
	if rule.State == stateDisabled {
		return resultNotEnabled, nil
	}
	if !applies(rule, r) {
		return pick(reporting, reportOnlyNot, resultNotApplied), nil
	}
	if no := refuses(rule, r); no != nil {
		return pick(reporting, reportOnlyFailure, resultFailure), no
	}
	return pick(reporting, reportOnlySuccess, resultSuccess), nil
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// applies tells whether a rule is about a sign-in.
func applies(rule rp.AccessRule, r Request) bool {
	among := func(list []string, x string) bool { return len(list) == 0 || slices.Contains(list, x) }
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(g string) bool { return slices.Contains(r.Groups, g) })
	}
	return (len(rule.Groups) == 0 || in(rule.Groups)) && !in(rule.ExcludeGroups) &&
		among(rule.Risk, level(r.Risk)) && among(rule.Locations, r.Signals.Location) &&
		!slices.Contains(rule.ExceptLocations, r.Signals.Location)
}

func level(risk string) string {
	if risk == "" {
		return rp.RiskNone
	}
	return risk
}

// refuses tells what a rule misses.
func refuses(rule rp.AccessRule, r Request) *rp.Refused {
	say := func(code, format string, args ...any) *rp.Refused {
		return &rp.Refused{Code: code, Reason: fmt.Sprintf("rule %q ", rule.Name) + fmt.Sprintf(format, args...)}
	}
	switch {
	case rule.Block:
		return say(Blocked, "blocks this sign-in")
	case rule.Compliant && !r.Signals.Compliant:
		return say(DeviceRequired, "asks for a compliant device")
	case rule.Strength != "" && !Reaches(rule.Strength, r.Proven):
		return say(StrengthMissing, "asks for strength %s, which %s does not have", rule.Strength, strings.Join(r.Proven, " with "))
	}
	return nil
}

// Reaches tells whether methods together have an authentication strength. The
// built-in strengths of Microsoft Entra: multifactor is two factors, passwordless
// is without anything that one knows, phishingResistant is a passkey. A Temporary
// Access Pass is multifactor alone.
func Reaches(strength string, proven []string) bool {
	passkey := slices.ContainsFunc(proven, methods.IsPasskey)
	switch strength {
	case rp.PhishingResistant, rp.Passwordless:
		return passkey
	}
	knows, owns := methods.Factors(proven)
	return knows && owns
}

// Check finds what rules cannot mean.
func Check(rules []rp.AccessRule) error {
	names := map[string]bool{}
	for _, r := range rules {
		bad := func(format string, args ...any) error {
			return &rp.Refused{Code: BadRule, Reason: fmt.Sprintf("rule %q: ", r.Name) + fmt.Sprintf(format, args...)}
		}
		switch {
		case strings.TrimSpace(r.Name) == "" || names[r.Name]:
			return bad("a rule has a name of its own")
		case !slices.Contains([]string{"", "enabled", stateReportOnly, stateDisabled}, r.State):
			return bad("state %q: want enabled, reportOnly or disabled", r.State)
		case !slices.Contains([]string{"", rp.Multifactor, rp.Passwordless, rp.PhishingResistant}, r.Strength):
			return bad("strength %q: want %s, %s or %s", r.Strength, rp.Multifactor, rp.Passwordless, rp.PhishingResistant)
		case r.Block && (r.Compliant || r.Strength != "" || r.SessionLifetime != 0):
			return bad("it blocks, and asks for something too")
		case r.SessionLifetime < 0:
			return bad("a session cannot last %s", r.SessionLifetime)
		}
		for _, risk := range r.Risk {
			if !IsRisk(risk) {
				return bad("risk %q: want none, low, medium or high", risk)
			}
		}
		names[r.Name] = true
	}
	return nil
}

// IsRisk tells whether a word is a level of user risk.
func IsRisk(word string) bool {
	return slices.Contains([]string{rp.RiskNone, rp.RiskLow, rp.RiskMedium, rp.RiskHigh}, word)
}
