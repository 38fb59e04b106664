package hid

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var update = flag.Bool("update", false, "write testdata/quirks.golden")

// sees is what a host sees within a time, report by report.
func (w *wire) sees(within time.Duration, names map[uint32]string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	var seen []string
	for {
		r, err := w.conn.ReadReport(ctx)
		if err != nil {
			return strings.Join(seen, ", ")
		}
		p, _ := ParsePacket(r)
		name, known := names[p.Channel]
		if !known {
			name = "elsewhere"
		}
		switch {
		case !p.Initial:
			seen = append(seen, fmt.Sprintf("%s #%d", name, p.Seq))
		case p.Command == Init:
			seen = append(seen, fmt.Sprintf("%s INIT of %d: %x", name, p.Length, p.Data[:initReplySize]))
		default:
			seen = append(seen, fmt.Sprintf("%s %s of %d: %x", name, strings.TrimPrefix(p.Command.String(), "CTAPHID_"), p.Length, p.Data[:min(p.Length, 4)]))
		}
	}
}

// quirkProbes are what a host does to see quirks, by name. one and two are allocated
// channels, two+1 is not.
var quirkProbes = map[string]func(w *wire, one, two uint32){
	"ping":         func(w *wire, one, _ uint32) { w.send(one, Ping, 1, 2, 3) },
	"long ping":    func(w *wire, one, _ uint32) { w.send(one, Ping, make([]byte, 120)...) },
	"too long":     func(w *wire, one, _ uint32) { w.begin(one, Ping, MaxMessage+1) },
	"zero":         func(w *wire, _, _ uint32) { w.send(0, Ping, 1) },
	"broadcast":    func(w *wire, _, _ uint32) { w.send(Broadcast, Ping, 1) },
	"strange":      func(w *wire, _, two uint32) { w.send(two+1, Ping, 1) },
	"strange init": func(w *wire, _, two uint32) { w.send(two+1, Init, nonce...) },
	"busy":         func(w *wire, one, two uint32) { w.keptBusy(one); w.send(two, Ping, 1) },
	"half":         func(w *wire, one, _ uint32) { w.begin(one, Ping, 99) },
	"resync busy":  func(w *wire, one, _ uint32) { w.keptBusy(one); w.send(one, Init, nonce...) },
	"resync":       func(w *wire, one, _ uint32) { w.send(one, Init, nonce...) },
	"open":         func(w *wire, _, _ uint32) { w.send(Broadcast, Init, nonce...); w.send(Broadcast, Init, nonce...) },
	"short nonce":  func(w *wire, _, _ uint32) { w.send(Broadcast, Init, nonce[:7]...) },
	"sequence":     func(w *wire, one, _ uint32) { w.begin(one, Ping, 99); w.more(one, 3) },
	"stray":        func(w *wire, one, _ uint32) { w.more(one, 0) },
	"within":       func(w *wire, one, _ uint32) { w.begin(one, Ping, 99); w.begin(one, Ping, 1) },
	"lock":         func(w *wire, one, two uint32) { w.send(one, Lock, 3); w.send(two, Ping) },
	"lock ends":    func(w *wire, one, two uint32) { w.send(one, Lock, 3); time.Sleep(4 * time.Second); w.send(two, Ping) },
	"long lock":    func(w *wire, one, _ uint32) { w.send(one, Lock, 11) },
	"wink":         func(w *wire, one, _ uint32) { w.send(one, Wink) },
	"wink payload": func(w *wire, one, _ uint32) { w.send(one, Wink, 1) },
	"unknown":      func(w *wire, one, _ uint32) { w.send(one, 0x2A) },
	"empty cbor":   func(w *wire, one, _ uint32) { w.send(one, CBOR) },
	"wait":         func(w *wire, one, _ uint32) { w.send(one, CBOR, 0x0B) },
	"cancel":       func(w *wire, one, _ uint32) { w.keptBusy(one); w.send(one, Cancel) },
	"cancel other": func(w *wire, one, two uint32) { w.keptBusy(one); w.send(two, Cancel) },
	"cancel none":  func(w *wire, one, _ uint32) { w.send(one, Cancel); w.keptBusy(one) },
}

// keptBusy sends a request that waits for the user.
func (w *wire) keptBusy(channel uint32) {
	w.send(channel, CBOR, 0x0B)
	synctest.Wait()
}

// shownBy says by which probe each quirk is seen.
var shownBy = map[string]string{
	"hid-unknown-channel-accepted": "strange", "hid-channel-zero-accepted": "zero", "hid-broadcast-accepted": "broadcast",
	"hid-length-unchecked": "too long", "hid-answer-on-another-channel": "ping", "hid-answer-sequence": "long ping",
	"hid-answer-length": "ping", "hid-busy-not-told": "busy", "hid-busy-status": "busy", "hid-two-at-once": "busy",
	"hid-timeout-never": "half", "hid-timeout-not-told": "half", "hid-timeout-status": "half",
	"hid-init-does-not-abort": "resync busy", "hid-sequence-ignored": "sequence", "hid-sequence-status": "sequence",
	"hid-stray-continuation-answered": "stray", "hid-message-within-message": "within",
	"hid-lock-ignored": "lock", "hid-lock-for-ever": "lock ends", "hid-lock-time-unchecked": "long lock",
	"hid-wink-answer": "wink", "hid-wink-payload-accepted": "wink payload",
	"hid-nonce-changed": "open", "hid-init-answer-short": "resync", "hid-protocol-version": "resync",
	"hid-one-channel-for-all": "open", "hid-resync-changes-channel": "resync", "hid-init-length-unchecked": "short nonce",
	"hid-init-on-unknown-channel": "strange init", "hid-capability-wink-missing": "resync",
	"hid-capability-wink-unearned": "wink", "hid-capability-cbor-missing": "resync", "hid-capability-nmsg-unearned": "resync",
	"hid-capability-reserved": "resync", "hid-unknown-command-status": "unknown", "hid-unknown-command-echoed": "unknown",
	"hid-error-long": "unknown", "hid-channel-status": "strange", "hid-length-status": "too long",
	"hid-cbor-empty-accepted": "empty cbor", "hid-ping-cut": "long ping", "hid-ping-changed": "ping",
	"hid-keepalive-missing": "wait", "hid-keepalive-slow": "wait", "hid-keepalive-no-touch": "wait",
	"hid-keepalive-status-unknown": "wait", "hid-cancel-ignored": "cancel", "hid-cancel-answered": "cancel",
	"hid-cancel-of-another-channel": "cancel other", "hid-cancel-remembered": "cancel none",
}

// probe is what a host sees of a device with quirks.
func probe(t *testing.T, name string, quirks ...string) (seen string) {
	t.Helper()
	d := busy()
	d.Quirks, d.Vendor = quirks, nil
	onWire(t, d, func(w *wire) {
		names := map[uint32]string{0: "zero", Broadcast: "broadcast", 1: "one", 2: "two", 3: "three"}
		w.send(Broadcast, Init, nonce...)
		w.send(Broadcast, Init, nonce...)
		w.sees(time.Nanosecond, names)
		quirkProbes[name](w, 1, 2)
		seen = w.sees(packetTimeout+time.Millisecond, names)
	})
	return seen
}

// TestQuirks holds what each quirk shows against testdata/quirks.golden, which says it
// beside what a device without quirks shows.
func TestQuirks(t *testing.T) {
	var got strings.Builder
	for _, q := range Quirks() {
		t.Run(q.Name, func(t *testing.T) {
			name, ok := shownBy[q.Name]
			if !ok {
				t.Fatal("no probe shows it")
			}
			faithful, quirky := probe(t, name), probe(t, name, q.Name)
			if faithful == quirky {
				t.Errorf("nothing changes: %s", faithful)
			}
			fmt.Fprintf(&got, "%s (%s)\n  faithful: %s\n  quirky:   %s\n", q.Name, name, faithful, quirky)
		})
	}
	const golden = "testdata/quirks.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("what shows is not what %s says; see its difference after go test -update", golden)
	}
}

func TestQuirkCatalogue(t *testing.T) {
	all := Quirks()
	names := map[string]bool{}
	for _, q := range all {
		if names[q.Name] || !strings.HasPrefix(q.Name, "hid-") || !strings.HasPrefix(q.Section, "11.2.") || q.Breaks == "" || q.Danger == "" {
			t.Errorf("%+v", q)
		}
		names[q.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(shownBy)) {
		if !names[name] {
			t.Errorf("%s is probed and not in the catalogue", name)
		}
	}
	if len(all) < 25 {
		t.Errorf("%d quirks", len(all))
	}
}

func TestUnknownQuirk(t *testing.T) {
	device, _ := Pipe()
	if err := Serve(t.Context(), device, Device{Quirks: []string{"hid-no-such"}}); err == nil || !strings.Contains(err.Error(), "hid-no-such") {
		t.Errorf("got %v", err)
	}
}
