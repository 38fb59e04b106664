package proofing

import (
	"flag"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/identity/person"
)

// No order of calls gets a credential without every check passed: what was sent is held
// against what came of it, over restarts, hand-overs, faults and the end of the session.
func TestNoOrderOfCallsGetsACredential(t *testing.T) {
	few(t, "8")
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		ticket, a := b.begin("lexisnexis")
		var consented, documented, seen bool // by what was sent and accepted
		var old person.Capture
		ended := b.now.Add(20 * time.Minute)
		document := func(good bool, file []byte) {
			if v, err := a.Document(t.Context(), file); err == nil && v.Step == Selfie {
				if !good || !consented {
					rt.Fatalf("a bad document was accepted, or before consent: %+v", v)
				}
				documented = true
			}
		}
		selfie := func(l person.Liveness, replay bool) {
			v, err := a.State(t.Context())
			if err != nil {
				return
			}
			anna := *b.who("anna-eriksson")
			anna.Liveness = l
			c, err := anna.Capture(b.rand, person.Daylight, v.Challenge)
			if err != nil {
				rt.Fatal(err)
			}
			if replay = replay && old.Frames != nil; replay {
				c = old
			}
			v, err = a.Selfie(t.Context(), c)
			if err == nil { // it was looked at
				old = c
			}
			if err == nil && v.Status == Verified {
				if !documented || l != person.Live || replay {
					rt.Fatalf("a bad selfie was accepted, or before a document: %+v", v)
				}
				seen = true
			}
		}
		passport := b.picture("anna-eriksson", person.Passport)
		actions := map[string]func(*rapid.T){
			"consent":          func(*rapid.T) { _, err := a.Consent(t.Context()); consented = consented || err == nil },
			"document":         func(*rapid.T) { document(true, passport) },
			"blurred document": func(*rapid.T) { document(false, b.picture("anna-eriksson", person.Passport, person.Blurred)) },
			"card":             func(*rapid.T) { document(false, b.picture("anna-eriksson", person.IdentityCard)) },
			"no document":      func(*rapid.T) { document(false, []byte("document")) },
			"selfie":           func(*rapid.T) { selfie(person.Live, false) },
			"still":            func(*rapid.T) { selfie(person.Still, false) },
			"replay":           func(*rapid.T) { selfie(person.Live, true) },
			"offer": func(rt *rapid.T) {
				_, err := a.Offer(t.Context())
				if all := consented && documented && seen && b.now.Before(ended); err == nil && !all {
					rt.Fatalf("an offer: consent %v, document %v, selfie %v", consented, documented, seen)
				} else if err != nil && all {
					rt.Fatalf("no offer for who passed: %v", err)
				}
			},
			"hand over": func(rt *rapid.T) {
				h, err := a.HandOver(t.Context())
				if err != nil {
					return
				}
				phone, err := Continue(t.Context(), b.net.Client(), "https://proofing.test/lexisnexis", h.Code)
				if err != nil {
					rt.Fatal(err)
				}
				if _, err := a.Offer(t.Context()); err == nil {
					rt.Fatal("the device that handed over got an offer")
				}
				a = phone
			},
			"restart": func(*rapid.T) { b.restart(b.saved) },
			"disk full": func(*rapid.T) {
				b.cannot = true
				_, _ = a.Document(t.Context(), passport) // nothing may come of it
				b.cannot = false
			},
			"wait": func(*rapid.T) { b.now = b.now.Add(3 * time.Minute) },
		}
		rt.Repeat(actions)
		if r := b.result(ticket); (r.Status == Issued || r.Status == Verified) && !(consented && documented && seen) {
			rt.Fatalf("%+v", r)
		}
	})
}

// few lets rapid make fewer checks: each draws and inspects pictures.
func few(t *testing.T, checks string) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	before := f.Value.String()
	if before != f.DefValue { // somebody wants another number
		return
	}
	if err := f.Value.Set(checks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
}

// Many devices at once: one starts, one hands on, and of equal documents one counts.
func TestAtOnce(t *testing.T) {
	b := newBench(t)
	ticket, err := b.client("idemia").Create(t.Context(), Request{Reference: "r"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	devices := make([]*Applicant, 8)
	for i := range devices {
		devices[i] = &Applicant{Link: ticket.URL, HTTP: b.net.Client()}
		wait.Go(func() {
			if err := devices[i].Start(t.Context()); err != nil {
				devices[i] = nil
			}
		})
	}
	wait.Wait()
	var first *Applicant
	for _, d := range devices {
		if d != nil && first != nil {
			t.Fatal("two devices have the session")
		} else if d != nil {
			first = d
		}
	}
	if first == nil {
		t.Fatal("no device has the session")
	}
	blurred := b.picture("anna-eriksson", person.Passport, person.Blurred)
	var counted [4]bool
	for i := range counted {
		wait.Go(func() {
			_, err := first.Document(t.Context(), blurred)
			counted[i] = err == nil
			if code := CodeOf(err); err != nil && code != CodeWrongStep && code != CodeOver {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	tries := 0
	for _, c := range counted {
		if c {
			tries++
		}
	}
	if v, err := first.State(t.Context()); err != nil || v.Status == Pending && v.Left != 3-tries || v.Status == Rejected && tries != 3 {
		t.Errorf("%d attempts counted: %+v %v", tries, v, err)
	}
}

// Callbacks, providers and snapshots are read without a panic, whatever comes.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"frames":["aGVsbG8=",null]}`))
	f.Add([]byte(`{"code":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = VerifyCallback(body, string(body), body, time.Unix(0, 0))
		_, _ = ParseProvider("fuzz.yaml", body)
		s := &Service{sessions: map[string]*record{}}
		_, _ = s.restore(body)
	})
}
