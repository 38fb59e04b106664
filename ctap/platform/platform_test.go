package platform_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/platform"
)

func TestPINLife(t *testing.T) {
	for name, p := range profiles() {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			_, h := newKey(t, p)
			user := &typist{}
			_, err := h.Authorise(ctx, need(ctap.PermMakeCredential), user.ask)
			if !errors.Is(err, platform.ErrNoVerification) {
				t.Fatalf("without a PIN: %v", err)
			}
			must(t, h.SetPIN(ctx, "1234"))
			if err := h.SetPIN(ctx, "5678"); !refusedWith(err, ctap.ErrPINAuthInvalid) {
				t.Errorf("a second first PIN: %v", err)
			}
			must(t, h.ChangePIN(ctx, "1234", "пароль"))
			if err := h.ChangePIN(ctx, "1234", "5678"); !refusedWith(err, ctap.ErrPINInvalid) {
				t.Errorf("changed with the wrong PIN: %v", err)
			}
			user.pins = []string{"1234", "пароль"}
			auth, err := h.Authorise(ctx, need(ctap.PermMakeCredential), user.ask)
			must(t, err)
			want := []platform.PINPrompt{{rpID, 7, false}, {rpID, 6, true}}
			if fmt.Sprint(user.prompts) != fmt.Sprint(want) {
				t.Errorf("prompts %v, want %v", user.prompts, want)
			}
			r := creation("ada")
			auth.MakeCredential(r)
			made, err := h.MakeCredential(ctx, r)
			must(t, err)
			if made.Data.Flags&ctap.FlagUV == 0 {
				t.Error("not verified")
			}
		})
	}
}

func TestStopsWhenBlocked(t *testing.T) {
	ctx := t.Context()
	k, h := newKey(t, securityKey())
	must(t, h.SetPIN(ctx, "1234"))
	for _, c := range []struct {
		tries  int
		status ctap.Status
		hint   string
	}{
		{3, ctap.ErrPINAuthBlocked, "insert"}, {3, ctap.ErrPINAuthBlocked, "insert"}, {2, ctap.ErrPINBlocked, "reset"},
	} {
		user := &typist{pins: []string{"0000", "0000", "0000", "0000"}}
		_, err := h.Authorise(ctx, need(ctap.PermGetAssertion), user.ask)
		if !refusedWith(err, c.status) || !strings.Contains(err.Error(), c.hint) || len(user.prompts) != c.tries {
			t.Fatalf("after %d prompts: %v, want %v", len(user.prompts), err, c.status)
		}
		_, err = h.Authorise(ctx, need(ctap.PermGetAssertion), user.ask)
		if !refusedWith(err, c.status) || len(user.prompts) != c.tries {
			t.Fatalf("asked again while blocked: %v", err)
		}
		k.PowerCycle()
	}
	must(t, h.Reset(ctx))
	must(t, h.SetPIN(ctx, "5678"))
	if left, err := h.PINRetries(ctx); err != nil || left != (platform.PINRetries{Left: 8}) {
		t.Errorf("after the reset: %+v, %v", left, err)
	}
}

func TestPINsThatAreNotSent(t *testing.T) {
	ctx := t.Context()
	k, h := newKey(t, securityKey())
	if _, err := h.Info(ctx); err != nil {
		t.Fatal(err)
	}
	k.commands = 0
	for _, c := range []struct {
		pin  string
		want error
	}{
		{"", platform.ErrPINTooShort},
		{"123", platform.ErrPINTooShort},
		{"e\u0301e\u0301e\u0301", platform.ErrPINTooShort}, // three code points in normalisation form C
		{strings.Repeat("x", 64), platform.ErrPINTooLong},
		{strings.Repeat("é", 32), platform.ErrPINTooLong}, // 64 bytes
		{"12\x0034", platform.ErrPINEncoding},
		{"1234\xFF", platform.ErrPINEncoding},
	} {
		if err := h.SetPIN(ctx, c.pin); !errors.Is(err, c.want) {
			t.Errorf("SetPIN %q: %v", c.pin, err)
		}
		if err := h.ChangePIN(ctx, "1234", c.pin); !errors.Is(err, c.want) {
			t.Errorf("ChangePIN to %q: %v", c.pin, err)
		}
		if _, err := h.TokenUsingPIN(ctx, c.pin, need(ctap.PermGetAssertion)); !errors.Is(err, c.want) {
			t.Errorf("TokenUsingPIN %q: %v", c.pin, err)
		}
	}
	if k.commands != 0 {
		t.Errorf("%d commands were sent", k.commands)
	}
}

func TestPINIsNormalised(t *testing.T) {
	ctx := t.Context()
	_, h := newKey(t, securityKey())
	must(t, h.SetPIN(ctx, "cafe\u0301"))
	if _, err := h.TokenUsingPIN(ctx, "caf\u00e9", need(ctap.PermGetAssertion)); err != nil {
		t.Error(err)
	}
}

func TestBuiltInUV(t *testing.T) {
	ctx := t.Context()
	p := securityKey()
	p.BuiltInUV = authenticator.Fingerprint
	k, h := newKey(t, p)
	user := &typist{}
	auth, err := h.Authorise(ctx, need(ctap.PermMakeCredential), user.ask)
	if err != nil || auth.Token == nil || len(user.prompts) != 0 {
		t.Fatalf("by finger: %+v, %v", auth, err)
	}
	before, err := h.UVRetries(ctx)
	must(t, err)
	for range 50 {
		k.verify = append(k.verify, authenticator.NotRecognised)
	}
	if _, err = h.Authorise(ctx, need(ctap.PermMakeCredential), nil); !refusedWith(err, ctap.ErrUVInvalid) && !refusedWith(err, ctap.ErrUVBlocked) {
		t.Errorf("a stranger's finger, and no PIN: %v", err)
	}
	if after, err := h.UVRetries(ctx); err != nil || after >= before {
		t.Errorf("%d tries before, %d after, %v", before, after, err)
	}
	must(t, h.SetPIN(ctx, "1234"))
	user.pins = []string{"1234"}
	if auth, err = h.Authorise(ctx, need(ctap.PermMakeCredential), user.ask); err != nil || len(user.prompts) != 1 {
		t.Errorf("PIN after the finger: %d prompts, %v", len(user.prompts), err)
	}
}

func TestNobodyToAsk(t *testing.T) {
	ctx := t.Context()
	_, h := newKey(t, securityKey())
	must(t, h.SetPIN(ctx, "1234"))
	if _, err := h.Authorise(ctx, need(ctap.PermGetAssertion), nil); !errors.Is(err, platform.ErrNoPINEntry) {
		t.Errorf("nobody to ask: %v", err)
	}
	if _, err := h.Authorise(ctx, need(ctap.PermGetAssertion), (&typist{}).ask); err != errGaveUp {
		t.Errorf("a user who gave up: %v", err)
	}
}

func TestEnumeration(t *testing.T) {
	ctx := t.Context()
	_, h := newKey(t, securityKey())
	if _, err := h.Assertions(ctx, assertion()); !refusedWith(err, ctap.ErrNoCredentials) {
		t.Errorf("without credentials: %v", err)
	}
	for _, user := range []string{"ada", "bob", "cyd"} {
		_, err := h.MakeCredential(ctx, creation(user))
		must(t, err)
	}
	all, err := h.Assertions(ctx, assertion())
	must(t, err)
	got := ""
	for _, a := range all {
		got += string(a.User.ID) + " "
	}
	if got != "cyd bob ada " {
		t.Errorf("enumerated %s", got)
	}
	if _, err = h.GetNextAssertion(ctx, assertion()); !refusedWith(err, ctap.ErrNotAllowed) {
		t.Errorf("after the last: %v", err)
	}
}

func TestInfoIsRemembered(t *testing.T) {
	ctx := t.Context()
	k, h := newKey(t, securityKey())
	for range 3 {
		if _, err := h.Info(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if k.commands != 1 {
		t.Errorf("asked %d times", k.commands)
	}
	must(t, h.SetPIN(ctx, "1234"))
	if info, err := h.Info(ctx); err != nil || !info.Options["clientPin"] {
		t.Errorf("after setting a PIN: %v, %v", info.Options, err)
	}
	must(t, h.Selection(ctx))
	must(t, h.Reset(ctx))
	if info, err := h.Info(ctx); err != nil || info.Options["clientPin"] {
		t.Errorf("after a reset: %v, %v", info.Options, err)
	}
}

func refusedWith(err error, status ctap.Status) bool {
	var r *platform.Refused
	return errors.As(err, &r) && r.Status == status && errors.Is(err, status)
}
