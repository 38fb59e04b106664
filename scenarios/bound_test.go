package scenarios

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
	"fido-emu/fixtures/reach"
	"fido-emu/hid"
	"fido-emu/hid/udp"
	"fido-emu/report"
	"fido-emu/scenarios/world"
)

// realPIN is not the one that scenarios write.
const realPIN = "271828"

// foreign is a key that somebody else emulates, behind udp.
type foreign struct {
	*authenticator.Authenticator
	store   authenticator.Credentials
	address string
	cycles  int
	slow    time.Duration // how long it waits for a touch
}

func (f *foreign) Presence(ctx context.Context, _ authenticator.Prompt) authenticator.Answer {
	if f.slow > 0 {
		<-time.After(f.slow)
	}
	return authenticator.Granted
}

func (f *foreign) Verify(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	return f.Presence(ctx, p)
}

// newForeign starts a key with realPIN set.
func newForeign(t *testing.T, change func(*authenticator.Profile)) *foreign {
	t.Helper()
	model, err := world.Model("yubikey-5")
	if err != nil {
		t.Fatal(err)
	}
	p := model.Profile
	if change != nil {
		change(&p)
	}
	p.Attestation = authenticator.SelfAttestation
	p.U2F = false
	f := &foreign{store: authenticator.NewMemoryCredentials(p.CredentialLimit())}
	f.Authenticator, err = authenticator.New(p, authenticator.Env{
		Now: time.Now, Rand: rand.Reader, User: f, Keys: softkeys.New(rand.Reader, false),
		Device: authenticator.NewMemoryDevice(), Credentials: f.store,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.New(f, rand.Reader).SetPIN(context.Background(), realPIN); err != nil {
		t.Fatal(err)
	}
	device, err := udp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = "udp:" + device.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = hid.Serve(ctx, device, hid.Device{Authenticator: f, PowerCycle: func() { f.cycles++; f.PowerCycle() }})
	}()
	t.Cleanup(func() { stop(); <-ended })
	return f
}

// bind returns the options of a run with the key bound to the device key.
func (f *foreign) bind(t *testing.T, pin string) Options {
	t.Helper()
	a, err := reach.ParseAddress(f.address)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Title: "bound", Hand: &noting{}, Bound: map[string]world.Bound{"key": {Address: a, PIN: pin}}}
}

// hold puts somebody else's passkey on the key.
func (f *foreign) hold(t *testing.T) {
	t.Helper()
	c := &authenticator.Credential{ID: []byte("theirs"), RP: ctap.RelyingParty{ID: "example.org"}, User: ctap.User{ID: []byte("u")}, Discoverable: true, Algorithm: cose.ES256}
	if err := f.store.Put(c); err != nil {
		t.Fatal(err)
	}
}

// takes tells whether the key has a PIN.
func (f *foreign) takes(t *testing.T, pin string) bool {
	t.Helper()
	f.PowerCycle()
	_, err := platform.New(f, rand.Reader).TokenUsingPIN(context.Background(), pin, platform.Need{Permissions: ctap.PermGetAssertion, RPID: "example.com"})
	return err == nil
}

// noting is a hand that notes what it is asked for.
type noting struct {
	mu    sync.Mutex
	asked []string
}

func (n *noting) Ask(text string) func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, text)
	return func() {}
}

// life is a scenario that does nothing that a key could not be given back.
const life = `title: Life
people: {ada: }
devices: {key: {profile: security-key, pin: "4711"}}
steps:
  - {register: ada, with: key, save: first}
  - {expect: key, passkeys: 1, pin-set: yes}
  - {expect: "${first}", on: key}
  - {rename: "${first}", to: Ada L., on: key}
  - {expect: "${first}", on: key, shown-as: Ada L.}
  - {power-cycle: key}
  - {sign-in: ada, with: key, pin: "4711"}
  - {sign-in: ada, with: key, without-user-name: yes}
`

// harming is one that does.
const harming = `title: Harming
people: {ada: }
devices: {key: {profile: security-key, pin: "4711"}}
steps:
  - {register: ada, with: key}
  - {fail-pin: key, times: 2}
  - {change-pin: key, to: "16180339"}
  - {sign-in: ada, with: key, pin: "16180339"}
  - {power-cycle: key}
  - {reset: key}
  - {expect: key, pin-set: no}
`

func runBound(t *testing.T, text string, o Options) (report.Event, string) {
	t.Helper()
	events := runAll(t, []Source{{File: "bound.yaml", ID: "bound", Text: []byte(text)}}, o)
	told, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(told), realPIN) {
		t.Error("the PIN of the key is in the events")
	}
	for _, e := range events {
		if e.Kind == report.ScenarioEnd {
			return e, string(told)
		}
	}
	t.Fatal("the scenario did not end")
	return report.Event{}, ""
}

func TestBoundKey(t *testing.T) {
	f := newForeign(t, nil)
	f.hold(t)
	f.slow = 400 * time.Millisecond
	o := f.bind(t, realPIN)
	end, _ := runBound(t, life, o)
	if end.Outcome != report.Passed {
		t.Errorf("%s %s %+v", end.Outcome, end.Text, end.Failure)
	}
	if reached := end.Scenario.Devices[0].Reached; reached != "udp, "+strings.TrimPrefix(f.address, "udp:") {
		t.Errorf("reached %q", reached)
	}
	if f.cycles != 1 {
		t.Errorf("%d power cycles", f.cycles)
	}
	if n, err := f.store.Count(); n != 1 || err != nil {
		t.Errorf("%d passkeys are left, 1 was there: %v", n, err)
	}
	if asked := o.Hand.(*noting).asked; len(asked) == 0 || asked[0] != "touch key now" {
		t.Errorf("the hand was asked %q", asked)
	}
}

// TestBoundKeyWillNotDo skips scenarios, before they begin, that the key is not fit
// for, or that are not for real keys.
func TestBoundKeyWillNotDo(t *testing.T) {
	plain := func(*authenticator.Profile) {}
	for _, tt := range []struct {
		name, text, pin, want string
		change                func(*authenticator.Profile)
	}{
		{"PIN not given", life, "", "--pin-env key=VARIABLE", plain},
		{"another algorithm", life, realPIN, "signs with [ES256 EdDSA]", func(p *authenticator.Profile) { p.Algorithms = []cose.Algorithm{cose.ES384} }},
		{"no discoverable credentials", life, realPIN, "(rk)", func(p *authenticator.Profile) { p.Discoverable = false }},
		{"TPM", strings.Replace(life, `security-key, pin: "4711"`, "windows-hello", 1), realPIN, "in a TPM", plain},
		{"no touch", strings.Replace(life, `"4711"`, `"4711", touch: never`, 1), realPIN, "touch: never", plain},
		{"clone", life + "  - {clone: key, as: twin}\n", realPIN, "in line 13, clone can be done with an emulated device only", plain},
		{"touch", life + "  - {touch: key, answer: no}\n", realPIN, "touch: no", plain},
		{"attestation", life + "  - {expect: '${first}', trusted: yes}\n", realPIN, "the scenario is about attestation", plain},
		{"models", life + "  - {policy: staff, allowed-models: yubikey-5}\n", realPIN, "not of the model security-key", plain},
		{"harm", harming, realPIN, "--allow-destructive lets it", plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(tt.text, "{ada: }", "{ada: {groups: staff}}", 1)
			if strings.Contains(tt.want, "EdDSA") {
				text = strings.Replace(text, "security-key", "yubikey-5", 1)
			}
			f := newForeign(t, tt.change)
			end, _ := runBound(t, text, f.bind(t, tt.pin))
			if end.Outcome != report.Skipped || !strings.Contains(end.Text, tt.want) {
				t.Errorf("%s %q %+v, want %q", end.Outcome, end.Text, end.Failure, tt.want)
			}
		})
	}
}

func TestHarm(t *testing.T) {
	for _, tt := range []struct {
		name   string
		holds  bool
		named  bool
		passes bool
	}{
		{"an empty key", false, false, true},
		{"a key that holds a passkey", true, false, false},
		{"one that is named", true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newForeign(t, nil)
			if tt.holds {
				f.hold(t)
			}
			o := f.bind(t, realPIN)
			o.Harm.Allowed = true
			if tt.named {
				o.Harm.Serials = []string{f.address}
			}
			end, told := runBound(t, harming, o)
			if passed := end.Outcome == report.Passed; passed != tt.passes {
				t.Errorf("%s %q %+v", end.Outcome, end.Text, end.Failure)
			}
			if !tt.passes && !strings.Contains(told, "holds 1 passkeys that this run did not make: --allow-destructive=udp:") {
				t.Errorf("told %s", end.Text)
			}
			if !f.takes(t, realPIN) {
				t.Error("the key has not its PIN back")
			}
		})
	}
}

// TestBoundKeyGone is a fault of the bench.
func TestBoundKeyGone(t *testing.T) {
	a, err := reach.ParseAddress("udp:127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	end, _ := runBound(t, life, Options{Title: "gone", Hand: &noting{}, Bound: map[string]world.Bound{"key": {Address: a}}})
	if end.Outcome != report.Error || !strings.Contains(end.Failure.Message, "nothing answers") {
		t.Errorf("%s %q %+v", end.Outcome, end.Text, end.Failure)
	}
}
