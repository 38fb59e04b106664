package methods_test

import (
	"reflect"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// What is saved comes back, locks and counts with it, and takes the same secrets.
func TestSaved(t *testing.T) {
	a := everything(t)
	for range 9 {
		c, err := a.Begin(rp.Password, rp.MethodPolicy{}, nil, start)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Finish(c, "wrong", rp.MethodPolicy{}, start) // refused
	}
	c, err := a.Begin(rp.SMS, rp.MethodPolicy{}, random(1), start)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Finish(c, c.Code, rp.MethodPolicy{}, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	back, err := methods.Restore("ada@example.com", []byte("key"), a.Save())
	if err != nil || !reflect.DeepEqual(back.Save(), a.Save()) || !reflect.DeepEqual(back.List(), a.List()) {
		t.Fatalf("%+v, %v", back, err)
	}
	answers, err := back.Begin(rp.SecurityQuestions, rp.MethodPolicy{}, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Finish(answers, "rex\nnorth\nelm street", rp.MethodPolicy{}, start); err != nil {
		t.Error(err)
	}
	last, err := back.Begin(rp.Password, rp.MethodPolicy{}, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	_ = back.Finish(last, "wrong", rp.MethodPolicy{}, start) // the tenth
	locked, err := methods.Restore("ada@example.com", []byte("key"), back.Save())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := locked.Begin(rp.Password, rp.MethodPolicy{}, nil, start); code(err) != methods.MethodLocked {
		t.Errorf("a restart unlocks: %v", err)
	}
	other, err := methods.Restore("ada@example.com", []byte("another key"), a.Save())
	if err != nil {
		t.Fatal(err)
	}
	c, err = other.Begin(rp.Password, rp.MethodPolicy{}, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	if got := code(other.Finish(c, secret, rp.MethodPolicy{}, start)); got != methods.PasswordWrong {
		t.Errorf("hashes are of use under another key: %q", got)
	}
}

func TestSavedRefuses(t *testing.T) {
	hash := make([]byte, 32)
	good := methods.Saved{Kind: rp.Password, Secret: hash}
	for name, saved := range map[string][]methods.Saved{
		"twice":                 {good, good},
		"no kind":               {{Kind: "smoke-signals"}},
		"a passkey":             {{Kind: rp.PasskeySynced}},
		"password of nothing":   {{Kind: rp.Password}},
		"password cut":          {{Kind: rp.Password, Secret: hash[:31]}},
		"text with a secret":    {{Kind: rp.SMS, Address: "+49 30 123456", Secret: hash}},
		"text to nowhere":       {{Kind: rp.SMS, Address: "nowhere"}},
		"fewer than none wrong": {{Kind: rp.Password, Secret: hash, Wrong: -1}},
		"password with answers": {{Kind: rp.Password, Secret: hash, Answers: map[string][]byte{"a": hash}}},
		"questions without":     {{Kind: rp.SecurityQuestions}},
		"an answer cut":         {{Kind: rp.SecurityQuestions, Answers: map[string][]byte{"a": hash, "b": hash[:31]}}},
	} {
		if _, err := methods.Restore("ada", nil, saved); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
	if a, err := methods.Restore("ada", nil, []methods.Saved{good, {Kind: rp.SMS, Address: "+49 30 123456"}}); err != nil || len(a.List()) != 2 {
		t.Errorf("what can be: %v", err)
	}
}
