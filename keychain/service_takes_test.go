package keychain

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestServiceTakes what is just good enough, and what has to follow from it.
func TestServiceTakes(t *testing.T) {
	b := newBare(t, nil)
	me := b.first.Bearer
	other := createRequest{login{strings.Repeat("CD", 16), bytesOf(1), ""}, deviceInfo{strings.Repeat("x", maxName), point(20)}, bytesOf(maxBox)}
	stranger := b.in(OpCreate, other)
	for _, r := range []struct {
		op   Operation
		body any
		want Code
	}{
		{OpDeposit, deposit(func(r *depositRequest) { r.Salt, r.Proof, r.Sealed = bytesOf(64), bytesOf(64), bytesOf(maxBox) }), ""},
		{OpDeposit, deposit(func(r *depositRequest) { r.Iterations, r.Box = maxIterations, bytesOf(maxBox) }), ""},
		{OpLeave, spareOf(ByCode, func(r *spareRequest) {
			r.Salt, r.Proof, r.Sealed, r.Iterations = bytesOf(64), bytesOf(64), bytesOf(maxBox), maxIterations
		}), ""},
		{OpLeave, spareOf(ByContact, func(r *spareRequest) { r.ID = string(ByContact) + "/" + strings.Repeat("x", maxName) }), ""},
		{OpLeave, spareOf(ByGroup, func(*spareRequest) {}), ""},
		{OpLeave, spareOf(ByLogin, func(*spareRequest) {}), ""},
		{OpTake, spareTake{b.login, string(ByGroup), nil, dev(23)}, WayNotAllowed},
		{OpTake, spareTake{b.login, string(ByCode), bytesOf(63), dev(23)}, WrongProof},
		{OpGroup, groupRequest{"", point(9), 1, bytesOf(9)}, ""},
		{OpGroup, groupRequest{"", point(10), 1, bytesOf(9)}, AccountExists},
		{OpCaseBox, caseRequest{b.login.Account}, NotConfirmed},
		{OpCaseFinish, caseFinish{b.login.Account, 1, bytesOf(9)}, NotConfirmed},
		{OpSync, entityOf(func(e *sealedEntity) { e.Ciphertext = bytesOf(maxCiphertext) }), ""},
		{OpRevoke, revokeRequest{Member: b.second.Member, Epoch: 2, Link: bytesOf(9), Boxes: []wrapped{{b.first.Member, bytesOf(9)}}}, StaleEpoch}, // without those of escrow and spare keys
	} {
		if code := b.ask(r.op, me, r.body); code != r.want {
			t.Errorf("%s %+v: %q, want %q", r.op, r.body, code, r.want)
		}
	}
	for _, op := range []Operation{OpCaseStart, OpCaseBox} { // of an account that trusts another group
		if code := b.ask(op, stranger.Bearer, caseRequest{b.login.Account}); code != NoRecovery {
			t.Errorf("a stranger's %s: %q", op, code)
		}
	}
	if code := b.ask(OpCaseFinish, stranger.Bearer, caseFinish{b.login.Account, 1, bytesOf(9)}); code != NoRecovery {
		t.Errorf("a stranger finishes: %q", code)
	}
	spares := func(change func([]rewrapped) []rewrapped) revokeRequest {
		all := []rewrapped{}
		for _, s := range b.accounts[b.login.Account].spares {
			all = append(all, rewrapped{s.ID, bytesOf(9), bytesOf(keyLen)})
		}
		return revokeRequest{Member: b.second.Member, Epoch: 2, Link: bytesOf(9), Boxes: []wrapped{{b.first.Member, bytesOf(9)}}, EscrowBox: bytesOf(9), Spares: change(all)}
	}
	for name, change := range map[string]func([]rewrapped) []rewrapped{
		"one less":         func(s []rewrapped) []rewrapped { return s[1:] },
		"one twice":        func(s []rewrapped) []rewrapped { s[0].ID = s[1].ID; return s },
		"one without box":  func(s []rewrapped) []rewrapped { s[2].Box = nil; return s },
		"one without tag":  func(s []rewrapped) []rewrapped { s[3].Tag = nil; return s },
		"in another order": func(s []rewrapped) []rewrapped { slices.Reverse(s); return s },
	} {
		if code := b.ask(OpRevoke, me, spares(change)); code != StaleEpoch {
			t.Errorf("spare keys, %s: %q", name, code)
		}
	}
	if code := b.ask(OpRevoke, me, spares(func(s []rewrapped) []rewrapped { return s })); code != "" {
		t.Errorf("with all of them: %q", code)
	}
	if code := b.ask(OpKeys, b.second.Bearer, nothing{}); code != Revoked {
		t.Errorf("who was removed: %q", code)
	}
	if code := b.ask(OpRevoke, me, spares(func(s []rewrapped) []rewrapped { return s })); code != UnknownMember {
		t.Errorf("removed twice: %q", code)
	}
	if code := b.ask(OpReset, nil, createRequest{b.login, dev(30), bytesOf(9)}); code != "" {
		t.Errorf("reset: %q", code)
	}
	for key := range b.dump() {
		if strings.Contains(key, b.login.Account) && !strings.HasPrefix(key, "account/") && !strings.HasPrefix(key, "member/") {
			t.Errorf("%s is left of what was destroyed", key)
		}
	}
	if code := b.ask(OpKeys, me, nothing{}); code != NotAMember {
		t.Errorf("a device from before the reset: %q", code)
	}
}

// TestWaysAreTheProviders: what a provider does not have, its service does not do.
func TestWaysAreTheProviders(t *testing.T) {
	b := newBare(t, func(p *Provider) { p.Join = []JoinWay{BySponsor} })
	me := b.first.Bearer
	for _, r := range []struct {
		op   Operation
		body any
	}{
		{OpDeposit, deposit(func(*depositRequest) {})}, {OpParams, paramsRequest{b.login}}, {OpOpen, openRequest{b.login, bytesOf(16), dev(22)}},
		{OpLeave, spareOf(ByCode, func(*spareRequest) {})}, {OpLeave, spareOf(ByLogin, func(*spareRequest) {})},
		{OpSpare, spareLook{b.login, string(ByCode)}}, {OpTake, spareTake{b.login, string(ByContact) + "/Bob", nil, dev(23)}},
		{OpGroup, groupRequest{"", point(9), 1, bytesOf(9)}}, {OpCaseStart, caseRequest{b.login.Account}},
		{OpSecret, secretRequest{bytesOf(32), []spareRequest{spareOf(BySecretKey, func(*spareRequest) {})}}},
	} {
		if code := b.ask(r.op, me, r.body); code != WayNotAllowed {
			t.Errorf("%s: %q", r.op, code)
		}
	}
}

// TestCodesAreGuessedThrice: after three wrong ones the right one is no good any more, and
// after ten minutes no code is.
func TestCodesAreGuessedThrice(t *testing.T) {
	p, err := LookupProvider("apple")
	if err != nil {
		t.Fatal(err)
	}
	at, sent := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), ""
	b := &bare{t: t, login: login{Account: strings.Repeat("ab", 16), Proof: bytesOf(32)}}
	b.Service, err = NewService(ServiceConfig{Provider: p, Now: func() time.Time { return at }, Rand: rand.NewChaCha8([32]byte{1}), OnMessage: func(m Message) { sent = m.Code }})
	if err != nil {
		t.Fatal(err)
	}
	b.in(OpCreate, createRequest{b.login, dev(1), bytesOf(9)})
	key := byte(1)
	try := func(code string, want Code) {
		t.Helper()
		l := b.login
		l.Code, key = code, key+1
		if got := b.ask(OpRequest, nil, joinRequest{l, dev(key)}); got != want {
			t.Errorf("with %q: %q, want %q", code, got, want)
		}
	}
	fresh := func() {
		t.Helper()
		if code := b.ask(OpCode, nil, paramsRequest{b.login}); code != "" {
			t.Fatal(code)
		}
	}
	try("", SecondFactor)
	fresh()
	for range 2 {
		try("x", SecondFactor)
	}
	try(sent, "")
	fresh()
	for range 3 {
		try("x", SecondFactor)
	}
	try(sent, SecondFactor)
	fresh()
	at = at.Add(codeLifetime)
	try(sent, "")
	at = at.Add(1)
	try(sent, SecondFactor)
}

func TestPINs(t *testing.T) {
	for secret, weak := range map[string]bool{"": true, "abc": true, "123": true, "12345": true, "abcd": false, "123456": false, "12345a": false} {
		if err := (Provider{Escrow: Escrow{Secret: PIN, Digits: 6}}).takes(secret); (err != nil) != weak {
			t.Errorf("%q: %v", secret, err)
		}
	}
	if err := (Provider{Escrow: Escrow{Secret: Passcode, Digits: 6}}).takes("1"); err != nil {
		t.Errorf("a passcode: %v", err)
	}
}
