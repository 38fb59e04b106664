package authenticator

import (
	"bytes"
	"context"
	flags "flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
)

var update = flags.Bool("update", false, "write testdata/quirks.golden anew")

// golden says for each quirk which probe shows it, and what that sees on an
// authenticator without quirks and on one with this one.
const golden = "testdata/quirks.golden"

// witness is a platform that notes what it sees and goes on whatever that is.
type witness struct {
	*rig
	seen []string
}

// quietly is a test that a witness does not fail: what would have, ends its probe.
type quietly struct{ testing.TB }

type ended string

func (quietly) Helper()                           {}
func (quietly) Fatal(args ...any)                 { panic(ended(fmt.Sprint(args...))) }
func (quietly) Fatalf(format string, args ...any) { panic(ended(fmt.Sprintf(format, args...))) }

// see runs a probe on a new authenticator.
func see(t *testing.T, probe func(*witness), p Profile, quirks ...string) (seen string) {
	t.Helper()
	p.Quirks = quirks
	w := &witness{rig: newRig(t, p)}
	w.t = quietly{t}
	keys := softkeys.New(rand.NewChaCha8([32]byte{9}), true)
	w.env.Attestation = notary{keys}
	var err error
	if w.auth, err = New(p, w.env); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if why := recover(); why != nil {
			w.note("ended: %v", why) // an answer without what the probe goes on with
		}
		seen = strings.Join(w.seen, "; ")
	}()
	probe(w)
	return
}

func (w *witness) note(format string, args ...any) {
	w.seen = append(w.seen, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

// ask sends a request and reads the answer as far as that goes.
func (w *witness) ask(command ctap.Command, params, into any) ctap.Status {
	return w.askOn(context.Background(), command, params, into)
}

func (w *witness) askOn(ctx context.Context, command ctap.Command, params, into any) ctap.Status {
	request, err := ctap.NewRequest(command, params)
	if err != nil {
		w.t.Fatal(err)
	}
	response := w.raw(ctx, request)
	if into != nil && len(response) > 1 {
		_ = ctap.DecodeLoose(response[1:], into) // what cannot be read is not noted
	}
	return ctap.Status(response[0])
}

func (w *witness) raw(ctx context.Context, request []byte) []byte {
	response, err := w.auth.Exchange(ctx, request)
	if err != nil || len(response) == 0 {
		w.t.Fatalf("no answer: %v", err)
	}
	return response
}

// says sends a request and notes the status under a name.
func (w *witness) says(what string, command ctap.Command, params, into any) ctap.Status {
	status := w.ask(command, params, into)
	w.status(what, status)
	return status
}

func (w *witness) status(what string, s ctap.Status) {
	name := strings.TrimPrefix(strings.TrimPrefix(s.String(), "CTAP2_"), "CTAP1_")
	w.note("%s %s", what, strings.TrimPrefix(name, "ERR_"))
}

// notary attests to registrations of both kinds with one key.
type notary struct{ keys Keys }

var notaryKey = bytes.Repeat([]byte{3}, 32)

func (n notary) Attest(r AttestationRequest) (string, cbor.RawMessage, error) {
	signature, err := n.keys.Sign(cose.ES256, notaryKey, append(bytes.Clone(r.AuthData), r.ClientDataHash...))
	if err != nil {
		return "", nil, err
	}
	statement, err := ctap.Encode(map[string]any{"alg": -7, "sig": signature, "x5c": []ctap.Bytes{{0x30, 0x00}}})
	return "packed", statement, err
}

func (n notary) AttestU2F(message []byte) ([]byte, []byte, error) {
	signature, err := n.keys.Sign(cose.ES256, notaryKey, message)
	return []byte{0x30, 0x00}, signature, err
}

// probeProfiles are authenticators to see quirks on, in order of preference.
func probeProfiles() []Profile {
	everything := fullKeyWithoutFinger()
	everything.Extensions = append(everything.Extensions, ExtCredBlob, ExtLargeBlobKey, ExtPINComplexityPolicy, ExtThirdPartyPayment)
	everything.Attestation, everything.Enterprise.RPIDs = ExternalAttestation, []string{"enterprise.example"}
	finger := everything
	finger.BuiltInUV, finger.Biometrics = Fingerprint, Biometrics{Enrollment: true, Enrolled: 1, MaxTemplates: 2}
	bare := securityKey()
	bare.ClientPIN = false
	return []Profile{everything, finger, managedKey(), securityKey(), bare}
}

// suited is the first profile that a quirk can show on.
func suited(t *testing.T, q Quirk) Profile {
	t.Helper()
	for _, p := range probeProfiles() {
		if q.Suits(&p) {
			return p
		}
	}
	t.Fatalf("there is no profile with %q", q.Needs)
	return Profile{}
}

// TestQuirks holds what each quirk shows against the golden file.
func TestQuirks(t *testing.T) {
	if *update {
		chooseProbes(t)
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	for _, q := range Quirks() {
		t.Run(q.Name, func(t *testing.T) {
			name, ok := probeIn(blocks, q)
			if !ok {
				t.Fatalf("%s has nothing about it, or names a probe that there is not", golden)
			}
			if got := shown(t, q, name, quirkProbes()[name]); !slices.Contains(blocks, got) {
				t.Errorf("%s does not say\n%s\ngo test -update writes it anew", golden, got)
			}
		})
	}
	if len(blocks) != len(Quirks()) {
		t.Errorf("%s tells of %d quirks, there are %d", golden, len(blocks), len(Quirks()))
	}
}

// shown is a block of the golden file.
func shown(t *testing.T, q Quirk, name string, probe func(*witness)) string {
	p := suited(t, q)
	faithful, quirky := see(t, probe, p), see(t, probe, p, q.Name)
	if strings.Contains(faithful, "ended:") {
		t.Errorf("the probe does not come through: %s", faithful)
	}
	if faithful == quirky {
		t.Errorf("nothing changes: %s", faithful)
	}
	return fmt.Sprintf("%s (%s)\n  faithful: %s\n  quirky:   %s", q.Name, name, faithful, quirky)
}

// chooseProbes writes the golden file. A quirk keeps its probe while that shows it;
// otherwise the best is the one that comes through and has the least to say.
func chooseProbes(t *testing.T) {
	old, err := os.ReadFile(golden)
	if err != nil {
		t.Log(err)
	}
	var blocks []string
	for _, q := range Quirks() {
		name, known := probeIn(strings.Split(string(old), "\n\n"), q)
		if p := suited(t, q); !known || see(t, quirkProbes()[name], p) == see(t, quirkProbes()[name], p, q.Name) {
			name = bestProbe(t, q, p)
		}
		if name == "" {
			t.Errorf("%s shows with no probe", q.Name)
			continue
		}
		blocks = append(blocks, shown(t, q, name, quirkProbes()[name]))
	}
	if err := os.WriteFile(golden, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// bestProbe returns a name, empty when no probe shows the quirk.
func bestProbe(t *testing.T, q Quirk, p Profile) (best string) {
	least := 0
	probes := quirkProbes()
	for _, name := range slices.Sorted(maps.Keys(probes)) {
		faithful, quirky := see(t, probes[name], p), see(t, probes[name], p, q.Name)
		cost := len(faithful) + len(quirky)
		if strings.Contains(quirky, "ended:") {
			cost += 10_000
		}
		if faithful != quirky && (best == "" || cost < least) {
			best, least = name, cost
		}
	}
	return best
}

// probeIn finds the probe of a quirk in the golden file.
func probeIn(blocks []string, q Quirk) (name string, ok bool) {
	for _, b := range blocks {
		head, _, _ := strings.Cut(b, "\n")
		if name, ok = strings.CutPrefix(head, q.Name+" ("); ok {
			name = strings.TrimSuffix(name, ")")
			return name, quirkProbes()[name] != nil
		}
	}
	return "", false
}

func TestQuirkCatalogue(t *testing.T) {
	all, names := Quirks(), map[string]bool{}
	for _, q := range all {
		if names[q.Name] || q.Section == "" || q.Breaks == "" || q.Danger == "" || q.Level != Core || strings.HasPrefix(q.Name, WirePrefix) {
			t.Errorf("%+v", q)
		}
		if strings.ToLower(q.Name) != q.Name || strings.ContainsAny(q.Name, " _.") || strings.HasSuffix(q.Breaks, ".") {
			t.Errorf("%s: %s", q.Name, q.Breaks)
		}
		names[q.Name] = true
	}
	if len(all) < 120 {
		t.Errorf("%d quirks", len(all))
	}
}

func TestUnknownQuirk(t *testing.T) {
	p := securityKey()
	p.Quirks = []string{"hid-of-the-wire", "no-such"}
	r := newRig(t, securityKey())
	if _, err := New(p, r.env); err == nil || !strings.Contains(err.Error(), `"no-such"`) {
		t.Errorf("got %v", err)
	}
}
