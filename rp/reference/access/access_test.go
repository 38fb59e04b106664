package access_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/rp"
	"fido-emu/rp/reference/access"
)

func TestEvaluate(t *testing.T) {
	codes := []string{rp.Password, rp.SMS}
	resistant := rp.AccessRule{Name: "resistant", Groups: []string{"admins"}, Strength: rp.PhishingResistant}
	for _, tt := range []struct {
		name    string
		rules   []rp.AccessRule
		request access.Request
		want    string // code
		status  string
		life    time.Duration
		results []string
	}{
		{name: "no rules", status: "notApplied"},
		{name: "for others", rules: []rp.AccessRule{resistant}, request: access.Request{Proven: codes}, status: "notApplied", results: []string{"notApplied"}},
		{name: "a code is not resistant", rules: []rp.AccessRule{resistant}, request: access.Request{Groups: []string{"admins"}, Proven: codes}, want: access.StrengthMissing, status: "failure", results: []string{"failure"}},
		{name: "a passkey is", rules: []rp.AccessRule{resistant}, request: access.Request{Groups: []string{"admins"}, Proven: []string{rp.PasskeySynced}}, status: "success", results: []string{"success"}},
		{name: "left out", rules: []rp.AccessRule{{Name: "x", Block: true, ExcludeGroups: []string{"break-glass"}}}, request: access.Request{Groups: []string{"admins", "break-glass"}}, status: "notApplied", results: []string{"notApplied"}},
		{name: "a block wins", rules: []rp.AccessRule{{Name: "d", Compliant: true}, {Name: "b", Block: true}}, want: access.Blocked, status: "failure", results: []string{"failure", "failure"}},
		{name: "device", rules: []rp.AccessRule{{Name: "d", Compliant: true}}, request: access.Request{Signals: rp.Signals{Compliant: true}}, status: "success", results: []string{"success"}},
		{name: "place", rules: []rp.AccessRule{{Name: "abroad", Block: true, ExceptLocations: []string{"DE"}}}, request: access.Request{Signals: rp.Signals{Location: "DE"}}, status: "notApplied", results: []string{"notApplied"}},
		{name: "unknown place is abroad", rules: []rp.AccessRule{{Name: "abroad", Block: true, ExceptLocations: []string{"DE"}}}, want: access.Blocked, status: "failure", results: []string{"failure"}},
		{name: "risk", rules: []rp.AccessRule{{Name: "r", Block: true, Risk: []string{rp.RiskMedium, rp.RiskHigh}}}, request: access.Request{Risk: rp.RiskMedium}, want: access.Blocked, status: "failure", results: []string{"failure"}},
		{name: "shortest life", rules: []rp.AccessRule{{Name: "a", SessionLifetime: time.Hour}, {Name: "b", SessionLifetime: time.Minute}, {Name: "c", SessionLifetime: time.Second, State: "disabled"}}, status: "success", life: time.Minute, results: []string{"success", "success", "notEnabled"}},
		{name: "no rule makes it longer", rules: []rp.AccessRule{{Name: "a", SessionLifetime: time.Minute}, {Name: "b", SessionLifetime: time.Hour}, {Name: "c"}}, status: "success", life: time.Minute, results: []string{"success", "success", "success"}},
		{name: "nothing said of risk is none", rules: []rp.AccessRule{{Name: "r", Block: true, Risk: []string{rp.RiskNone}}}, want: access.Blocked, status: "failure", results: []string{"failure"}},
		{name: "only reported", rules: []rp.AccessRule{{Name: "r", Block: true, State: "reportOnly"}, {Name: "s", Groups: []string{"x"}, State: "reportOnly"}, {Name: "t", State: "reportOnly", SessionLifetime: 1}}, status: "notApplied", results: []string{"reportOnlyFailure", "reportOnlyNotApplied", "reportOnlySuccess"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := access.Evaluate(tt.rules, tt.request)
			got := ""
			if d.Refused != nil {
				got = d.Refused.Code
			}
			var results []string
			for i, a := range d.Applied {
				results = append(results, a.Result)
				if a.DisplayName != tt.rules[i].Name {
					t.Errorf("rule %d is called %q", i, a.DisplayName)
				}
			}
			if d.Applied == nil { // null where Microsoft Graph has a list
				t.Error("there is no list of rules")
			}
			if got != tt.want || d.Status != tt.status || d.Lifetime != tt.life || !slices.Equal(results, tt.results) {
				t.Errorf("got %q %q %s %v", got, d.Status, d.Lifetime, results)
			}
		})
	}
}

func TestReaches(t *testing.T) {
	for _, tt := range []struct {
		proven []string
		want   string // strengths that are reached
	}{
		{[]string{rp.Password}, ""},
		{[]string{rp.SMS, rp.Voice}, ""},
		{[]string{rp.Password, rp.Push}, "m"},
		{[]string{rp.AccessPass}, "m"},
		{[]string{rp.PasskeySynced}, "mpr"},
		{[]string{rp.PasskeyWindowsHello}, "mpr"},
	} {
		got := ""
		for _, s := range []string{rp.Multifactor, rp.Passwordless, rp.PhishingResistant} {
			if access.Reaches(s, tt.proven) {
				got += map[string]string{rp.Multifactor: "m", rp.Passwordless: "p", rp.PhishingResistant: "r"}[s]
			}
		}
		if got != tt.want {
			t.Errorf("%v reaches %q, want %q", tt.proven, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, rules := range [][]rp.AccessRule{
		{{}}, {{Name: "a"}, {Name: "a"}}, {{Name: "a", State: "on"}}, {{Name: "a", Strength: "strong"}},
		{{Name: "a", Block: true, Compliant: true}}, {{Name: "a", SessionLifetime: -1}}, {{Name: "a", Risk: []string{"some"}}},
	} {
		var no *rp.Refused
		if err := access.Check(rules); !errors.As(err, &no) || no.Code != access.BadRule {
			t.Errorf("%+v: %v", rules, err)
		}
	}
}

// One more rule never grants what was refused, nor makes a session longer.
func TestMoreRulesGrantNoMore(t *testing.T) {
	rule := rapid.Custom(func(t *rapid.T) rp.AccessRule {
		return rp.AccessRule{
			Groups: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 2).Draw(t, "groups"),
			Block:  rapid.Bool().Draw(t, "block"), Compliant: rapid.Bool().Draw(t, "compliant"),
			SessionLifetime: time.Duration(rapid.IntRange(0, 3).Draw(t, "life")),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rule, 1, 5).Draw(t, "rules")
		r := access.Request{Groups: []string{"a"}, Signals: rp.Signals{Compliant: rapid.Bool().Draw(t, "managed")}}
		fewer, all := access.Evaluate(rules[1:], r), access.Evaluate(rules, r)
		longer := fewer.Lifetime != 0 && (all.Lifetime == 0 || all.Lifetime > fewer.Lifetime)
		if fewer.Refused != nil && all.Refused == nil || longer && all.Refused == nil {
			t.Fatalf("with %+v: %+v, without: %+v", rules[0], all, fewer)
		}
	})
}
