package methods_test

import (
	"slices"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

func TestEnough(t *testing.T) {
	all := everything(t).List()
	only := func(kinds ...string) []rp.Method {
		return slices.DeleteFunc(slices.Clone(all), func(m rp.Method) bool { return !slices.Contains(kinds, m.Kind) })
	}
	for _, tt := range []struct {
		name, purpose string
		proven        []string
		has           []rp.Method
		policy        rp.MethodPolicy
		done          bool
		next          []string
		want          string
	}{
		{name: "a password asks for more, strongest first", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: all, next: []string{rp.Push, rp.SMS, rp.Voice}},
		{name: "switched off", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: all, policy: rp.MethodPolicy{Disabled: []string{rp.SMS, rp.Voice}}, next: []string{rp.Push}},
		{name: "a text asks for the password", purpose: rp.ToSignIn, proven: []string{rp.SMS}, has: all, next: []string{rp.Password}},
		{name: "both", purpose: rp.ToSignIn, proven: []string{rp.Password, rp.SMS}, has: all, done: true},
		{name: "one will do", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: all, policy: rp.MethodPolicy{SingleFactor: true}, done: true},
		{name: "nothing is not one", purpose: rp.ToSignIn, has: only(rp.Password), policy: rp.MethodPolicy{SingleFactor: true}, next: []string{rp.Password}},
		{name: "no second", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: only(rp.Password, rp.Email), want: methods.SecondMissing},
		{name: "reset by one", purpose: rp.ToReset, proven: []string{rp.Email}, has: all, done: true},
		{name: "reset by two", purpose: rp.ToReset, proven: []string{rp.Email}, has: only(rp.Email, rp.SecurityQuestions, rp.Password), policy: rp.MethodPolicy{ResetMethods: 2}, next: []string{rp.SecurityQuestions}},
		{name: "reset with a passkey alone", purpose: rp.ToReset, has: []rp.Method{methods.Describe(rp.PasskeySynced, "")}, want: methods.ResetNeedsMethods},
	} {
		t.Run(tt.name, func(t *testing.T) {
			done, next, err := methods.Enough(tt.purpose, tt.proven, tt.has, tt.policy)
			if done != tt.done || !slices.Equal(next, tt.next) || code(err) != tt.want {
				t.Errorf("got %v %v %v", done, next, err)
			}
			if all[0].Kind != rp.Password {
				t.Error("the list that was given is in another order")
			}
		})
	}
}

func TestOffer(t *testing.T) {
	has := append(everything(t).List(), methods.Describe(rp.PasskeySynced, ""), methods.Describe(rp.PasskeyDeviceBound, ""))
	for i := range has {
		if has[i].Kind == rp.SMS {
			has[i].LastUsedAt = start
		}
	}
	strongest := []string{rp.PasskeyDeviceBound, rp.PasskeySynced, rp.SMS, rp.Password}
	for _, tt := range []struct {
		name       string
		preference rp.SystemPreference
		want       string
	}{
		{"left alone", rp.SystemPreference{}, strongest[0]},
		{"enabled", rp.SystemPreference{State: "enabled", Include: []string{"staff"}}, strongest[0]},
		{"for others", rp.SystemPreference{State: "enabled", Include: []string{"admins"}}, rp.SMS},
		{"but not for these", rp.SystemPreference{State: "enabled", Include: []string{"staff"}, Exclude: []string{"staff"}}, rp.SMS},
		{"disabled", rp.SystemPreference{State: "disabled"}, rp.SMS},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := methods.Offer(has, []string{"staff"}, rp.MethodPolicy{SystemPreferences: tt.preference}, start)
			if len(got) != len(strongest) || got[0].Kind != tt.want || !got[0].Default || got[1].Default {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestUnneeded(t *testing.T) {
	has := everything(t).List()
	if got := methods.Unneeded(has, start); got != nil {
		t.Errorf("without a passkey: %v", got)
	}
	has = append(has, methods.Describe(rp.PasskeySynced, ""))
	has[0].LastUsedAt = start.Add(time.Hour)
	has[1].AddedAt = start.Add(1)
	has = append(has, methods.Describe(rp.AccessPass, ""))
	if got := methods.Unneeded(has, start); len(got) != len(has)-4 {
		t.Errorf("got %d of %d", len(got), len(has))
	}
}

func TestFits(t *testing.T) {
	for _, tt := range []struct {
		purpose, kind string
		proven        []string
		want          string
	}{
		{rp.ToSignIn, rp.Password, nil, ""}, {rp.ToSignIn, rp.SMS, nil, ""}, {rp.ToSignIn, rp.Push, []string{rp.Password}, ""}, {rp.ToReset, rp.Email, nil, ""},
		{rp.ToSignIn, "smoke-signals", nil, methods.BadMethod},
		{rp.ToSignIn, rp.Password, []string{rp.Password}, methods.MethodUnfit},
		{rp.ToSignIn, rp.Push, nil, methods.MethodUnfit},
		{rp.ToSignIn, rp.Email, []string{rp.Password}, methods.MethodUnfit},
		{rp.ToSignIn, rp.SecurityQuestions, []string{rp.SMS}, methods.MethodUnfit},
		{rp.ToReset, rp.Password, nil, methods.MethodUnfit}, {rp.ToReset, rp.PasskeySynced, nil, methods.MethodUnfit},
	} {
		if got := code(methods.Fits(tt.purpose, tt.kind, tt.proven)); got != tt.want {
			t.Errorf("%s with %s after %v: %q, want %q", tt.purpose, tt.kind, tt.proven, got, tt.want)
		}
	}
}

func TestPolicies(t *testing.T) {
	for _, tt := range []struct {
		policy rp.MethodPolicy
		want   string
	}{
		{rp.MethodPolicy{}, ""}, {rp.MethodPolicy{Disabled: []string{rp.SMS, rp.PasskeySynced}, ResetMethods: 2, SystemPreferences: rp.SystemPreference{State: "default"}}, ""},
		{rp.MethodPolicy{Disabled: []string{rp.SMS, "smoke-signals"}}, methods.BadMethod},
		{rp.MethodPolicy{ResetMethods: 3}, methods.BadMethod}, {rp.MethodPolicy{ResetMethods: -1}, methods.BadMethod},
		{rp.MethodPolicy{SystemPreferences: rp.SystemPreference{State: "on"}}, methods.BadMethod},
	} {
		if got := code(methods.CheckPolicy(tt.policy)); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.policy, got, tt.want)
		}
	}
}
