package methods

import (
	"cmp"
	"slices"
	"time"

	"fido-emu/rp"
)

// Enough tells whether what was proved suffices, and otherwise which of the methods
// that somebody has would help. A sign-in takes two factors, unless the policy says
// that one will do; a reset takes as many methods as the policy says.
func Enough(purpose string, proven []string, has []rp.Method, policy rp.MethodPolicy) (done bool, next []string, err error) {
	var missing func(Facts) bool
	if purpose == rp.ToReset {
		done = len(proven) >= max(1, policy.ResetMethods)
		missing = func(f Facts) bool { return f.For(rp.Reset) && !slices.Contains(proven, f.Kind) }
	} else {
		knows, owns := Factors(proven)
		done = knows && owns || policy.SingleFactor && len(proven) > 0
		missing = func(f Facts) bool {
			return (f.For(rp.Secondary) || f.For(rp.Primary)) && f.Factor != Both && (f.Factor == Knowledge) != knows
		}
	}
	if done {
		return true, nil, nil
	}
	for _, m := range byStrength(has) {
		if f, _ := About(m.Kind); missing(f) && !slices.Contains(policy.Disabled, m.Kind) {
			next = append(next, m.Kind)
		}
	}
	switch {
	case len(next) > 0:
		return false, next, nil
	case purpose == rp.ToReset:
		return false, nil, refuse(ResetNeedsMethods, "a reset takes %d registered methods that are good for it, and there are not as many left", max(1, policy.ResetMethods))
	}
	return false, nil, refuse(SecondMissing, "one factor is not enough to sign in, and no method for another is registered")
}

// Factors tells which factors methods prove together.
func Factors(kinds []string) (knows, owns bool) {
	for _, kind := range kinds {
		f, _ := About(kind)
		knows = knows || f.Factor != Possession
		owns = owns || f.Factor != Knowledge
	}
	return knows, owns
}

// Fits tells why a method cannot begin or continue an attempt, nil when it can.
func Fits(purpose, kind string, proven []string) error {
	f, ok := About(kind)
	switch {
	case !ok:
		return refuse(BadMethod, "there is no method %q", kind)
	case slices.Contains(proven, kind):
		return refuse(MethodUnfit, "%s was proved already", kind)
	case purpose == rp.ToReset && !f.For(rp.Reset):
		return refuse(MethodUnfit, "%s is not good for a reset", kind)
	case purpose == rp.ToSignIn && len(proven) == 0 && !f.For(rp.Primary):
		return refuse(MethodUnfit, "a sign-in does not begin with %s", kind)
	case purpose == rp.ToSignIn && !f.For(rp.Primary) && !f.For(rp.Secondary):
		return refuse(MethodUnfit, "%s is not good for a sign-in", kind)
	}
	return nil
}

// Offer returns the methods with which somebody in these groups can begin to sign
// in, in the order in which a page offers them, the first marked. Where the system prefers,
// the strongest comes first; elsewhere what was used last.
func Offer(has []rp.Method, groups []string, policy rp.MethodPolicy, now time.Time) []rp.Method {
	has = slices.DeleteFunc(slices.Clone(has), func(m rp.Method) bool {
		return !slices.Contains(m.Uses, rp.Primary) || Allowed(m.Kind, policy, now) != nil
	})
	if SystemPrefers(policy.SystemPreferences, groups) {
		has = byStrength(has)
	} else {
		slices.SortStableFunc(has, func(a, b rp.Method) int { return b.LastUsedAt.Compare(a.LastUsedAt) })
	}
	for i := range has {
		has[i].Default = i == 0
	}
	return has
}

// byStrength returns methods with the strongest first.
func byStrength(list []rp.Method) []rp.Method {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b rp.Method) int { return cmp.Compare(b.Strength, a.Strength) })
	return list
}

// SystemPrefers tells whether somebody in these groups is asked for the strongest
// method: systemCredentialPreferences of Microsoft Graph, whose state default is
// Microsoft's choice, enabled.
func SystemPrefers(p rp.SystemPreference, groups []string) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(g string) bool { return slices.Contains(groups, g) })
	}
	return p.State != "disabled" && !in(p.Exclude) && (len(p.Include) == 0 || in(p.Include))
}

// CheckPolicy finds what a policy cannot mean.
func CheckPolicy(p rp.MethodPolicy) error {
	for _, kind := range p.Disabled {
		if _, ok := About(kind); !ok {
			return refuse(BadMethod, "policy: there is no method %q to switch off", kind)
		}
	}
	switch {
	case !slices.Contains([]string{"", "default", "enabled", "disabled"}, p.SystemPreferences.State):
		return refuse(BadMethod, "policy: systemCredentialPreferences has state %q: want default, enabled or disabled", p.SystemPreferences.State)
	case p.ResetMethods < 0 || p.ResetMethods > 2:
		return refuse(BadMethod, "policy: a reset takes 1 or 2 methods, not %d", p.ResetMethods)
	}
	return nil
}

// Unneeded returns the phishable methods of somebody who has a passkey that were
// not used since: fallbacks that serve attackers only.
func Unneeded(has []rp.Method, since time.Time) []rp.Method {
	if !slices.ContainsFunc(has, func(m rp.Method) bool { return IsPasskey(m.Kind) }) {
		return nil
	}
	var found []rp.Method
	for _, m := range has {
		last := m.LastUsedAt
		if last.IsZero() {
			last = m.AddedAt
		}
		if m.Phishable && m.Kind != rp.AccessPass && !last.After(since) {
			found = append(found, m)
		}
	}
	return found
}
