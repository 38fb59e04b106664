package report

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// clock is a time that goes on by itself: 7 ms every time it is asked.
func clock() func() time.Time {
	t := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	return func() time.Time {
		t = t.Add(7 * time.Millisecond)
		return t
	}
}

// tape keeps the events of a stream.
type tape struct{ events []Event }

func (r *tape) Event(e *Event) error {
	r.events = append(r.events, *e)
	return nil
}

// sample is a run with every outcome, retries, a matrix and many messages.
func sample(t testing.TB, sinks ...Sink) []Event {
	t.Helper()
	rec := &tape{}
	s := NewStream(clock(), append(sinks, rec)...)
	seed := uint64(7)
	scenarios := sampleScenarios()
	var plan []Scenario
	for _, sc := range scenarios {
		plan = append(plan, sc.Scenario)
	}
	s.Emit(Event{Kind: RunStart, Run: &Run{
		Title: "Life of a passkey", Version: "harness 0.3.0", Seed: &seed, Scenarios: len(plan), Plan: plan,
	}})
	for i := range scenarios {
		if scenarios[i].outcome != "" {
			scenarios[i].play(t, s)
		}
	}
	s.Emit(Event{Kind: RunEnd})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return rec.events
}

type sampleScenario struct {
	Scenario
	outcome Outcome // of the last attempt; empty for one that never starts
	tries   int     // attempts, 1 when 0
	failure *Failure
	reason  string
	steps   []sampleStep
}

type sampleStep struct {
	verb, text, device string
	messages           []string // register, sign-in, pin-wrong, info, sync
}

var sampleDevices = map[string]Device{
	"key":    {Name: "key", Profile: "security-key", Reached: "in process"},
	"spare":  {Name: "spare", Profile: "security-key", Reached: "in process"},
	"phone":  {Name: "phone", Profile: "phone-synced", Reached: "in process"},
	"laptop": {Name: "laptop", Profile: "laptop-synced", Reached: "in process"},
	"tpm":    {Name: "tpm", Profile: "tpm-laptop", Reached: "simulated TPM 2.0"},
}

func sampleDevice(names ...string) (list []Device) {
	for _, n := range names {
		list = append(list, sampleDevices[n])
	}
	return list
}

func sampleScenarios() []sampleScenario {
	at := func(file string, line int) Location {
		return Location{File: "library/" + file + ".yaml", Line: line, Column: 5}
	}
	return []sampleScenario{
		{Scenario: Scenario{ID: "basics/register-and-sign-in[device=security-key]", Title: "Security key: register and sign in", Purpose: "A person adds a security key to a new account and signs in with it, with and without saying who they are.", Labels: []string{"smoke", "security-key"}, Location: at("basics", 3), Matrix: map[string]string{"device": "security-key"}, Devices: sampleDevice("key")},
			outcome: Passed, steps: []sampleStep{
				{"register", "ada registers with key", "key", []string{"register"}},
				{"sign-in", "ada signs in with key", "key", []string{"sign-in"}},
				{"sign-in", "somebody signs in with key, and it is ada", "key", []string{"sign-in"}}}},
		{Scenario: Scenario{ID: "sync/new-device", Title: "Synced passkey used on a new device", Purpose: "A passkey made on the phone reaches a laptop that joins the account later.", Labels: []string{"smoke", "sync"}, Location: at("sync", 12), Devices: sampleDevice("phone", "laptop")},
			outcome: Passed, steps: []sampleStep{
				{"register", "ada registers with phone", "phone", []string{"register"}},
				{"join", "laptop joins ada's account", "laptop", []string{"sync"}},
				{"approve", "phone approves laptop", "phone", []string{"sync"}},
				{"sync", "phone and laptop sync", "", []string{"sync", "sync-laptop"}},
				{"sign-in", "ada signs in with laptop", "laptop", []string{"sign-in"}}}},
		{Scenario: Scenario{ID: "loss/all-devices-escrow", Title: "All devices lost, escrow recovery", Purpose: "With every device gone, the passcode opens the escrow and the passkeys come back on a new phone.", Labels: []string{"loss", "sync", "recovery"}, Location: at("loss", 31), Devices: sampleDevice("phone", "laptop"), Attempts: 3},
			outcome: Passed, tries: 2, failure: &Failure{Message: "sync of phone did not finish within 5 s", Location: at("loss", 40), Device: "phone", Hint: "the sync service was partitioned when it began; heal it first or expect a timeout"},
			steps: []sampleStep{
				{"register", "ada registers with phone", "phone", []string{"register"}},
				{"lose", "ada loses phone and laptop", "", []string{"sync"}},
				{"recover", "ada recovers with the passcode", "laptop", []string{"sync-laptop"}},
				{"sign-in", "ada signs in with laptop", "laptop", []string{"sign-in"}}}},
		{Scenario: Scenario{ID: "theft/cloned-key", Title: "Cloned key found by its counter", Purpose: "A copy of a key signs in first; when the original signs in, its counter has gone back and the site must say so.", Labels: []string{"theft", "security-key"}, Location: at("theft", 8), Devices: sampleDevice("key", "spare"), Attempts: 2},
			outcome: Failed, tries: 2, failure: &Failure{Message: "the relying party let ada in although the signature counter went from 5 back to 3;\nexpected: refused, with counter-rewound", Location: at("theft", 19), Device: "key", Hint: "turn on reject-counter-rewind in the policy of the group staff"},
			steps: []sampleStep{
				{"register", "ada registers with key", "key", []string{"info", "register"}},
				{"clone", "key is cloned to spare", "key", nil},
				{"sign-in", "mallory signs in with spare", "spare", []string{"sign-in"}},
				{"sign-in", "ada signs in with key", "key", []string{"sign-in"}}}},
		{Scenario: Scenario{ID: "pin/lock-out", Title: "Wrong PIN to lock-out, power cycle, reset", Purpose: "Three wrong PINs block until the power cycles, eight block for good, and a reset makes a new key of it.", Labels: []string{"pin", "security-key"}, Location: at("pin", 2), Devices: sampleDevice("key")},
			outcome: Timeout, failure: &Failure{Message: "authenticatorReset was not answered within 30 s", Location: at("pin", 27), Device: "key", Hint: "nobody touched the key: the bench has no finger at slot 3"},
			steps: []sampleStep{
				{"set-pin", "ada sets a PIN on key", "key", []string{"info"}},
				{"fail-pin", "three wrong PINs on key", "key", []string{"pin-wrong", "pin-wrong", "pin-wrong"}},
				{"power-cycle", "key is unplugged and plugged in", "key", nil},
				{"reset", "key is reset", "key", []string{"info"}}}},
		{Scenario: Scenario{ID: "tpm/wiped", Title: "TPM laptop wiped", Labels: []string{"loss", "tpm"}, Location: at("tpm", 5), Devices: sampleDevice("tpm")},
			outcome: Error, failure: &Failure{Message: "starting swtpm: exec: \"swtpm\": executable file not found in $PATH", Location: at("tpm", 9), Device: "tpm", Hint: "install it: apt-get install swtpm"},
			steps: []sampleStep{{"register", "ada registers with tpm", "tpm", nil}}},
		{Scenario: Scenario{ID: "origin/look-alike", Title: "Look-alike origin gets nothing", Purpose: "A page at examp1e.org that relays a ceremony of example.org is refused by the client.", Labels: []string{"smoke", "phishing"}, Location: at("origin", 2), Devices: sampleDevice("phone")},
			outcome: Passed, steps: []sampleStep{
				{"register", "ada registers with phone", "phone", []string{"register"}},
				{"sign-in", "ada signs in with phone at https://examp1e.org", "phone", []string{"refused"}}}},
		{Scenario: Scenario{ID: "usb/kernel", Title: "The same over a USB device of the kernel", Labels: []string{"usb"}, Location: at("usb", 2), Devices: sampleDevice("key")},
			outcome: Skipped, reason: "/dev/uhid cannot be opened; harness doctor says what to do"},
		{Scenario: Scenario{ID: "policy/admins", Title: "Admins bring attested keys, staff may sync", Labels: []string{"policy"}, Location: at("policy", 2), Devices: sampleDevice("key", "phone")}},
	}
}

func (sc *sampleScenario) play(t testing.TB, s *Stream) {
	sc.Steps = len(sc.steps)
	tries := max(1, sc.tries)
	for try := 1; try <= tries; try++ {
		failing := try < tries || sc.outcome.Bad()
		base := Event{ScenarioID: sc.ID, Attempt: try}
		start := base
		start.Kind, start.Scenario = ScenarioStart, &sc.Scenario
		s.Emit(start)
		for i := range sc.steps {
			sc.playStep(t, s, base, i, failing)
		}
		end := base
		end.Kind, end.Outcome, end.Text = ScenarioEnd, sc.outcome, sc.reason
		end.Duration = time.Duration(31*len(sc.steps)) * time.Millisecond
		if failing {
			end.Outcome, end.Failure = sc.failedOutcome(), sc.failure
		}
		s.Emit(end)
	}
}

func (sc *sampleScenario) failedOutcome() Outcome {
	if sc.outcome.Bad() {
		return sc.outcome
	}
	return Failed
}

func (sc *sampleScenario) playStep(t testing.TB, s *Stream, base Event, i int, failing bool) {
	st := sc.steps[i]
	step := &Step{Verb: st.verb, Text: st.text, Location: Location{File: sc.Location.File, Line: sc.Location.Line + 2 + 3*i, Column: 7}}
	if st.verb == "fail-pin" {
		step.Expected = "CTAP2_ERR_PIN_AUTH_BLOCKED at the third"
	}
	e := base
	e.StepIndex, e.Device, e.Step, e.Kind = i+1, st.device, step, StepStart
	s.Emit(e)
	for _, m := range st.messages {
		for _, msg := range sampleMessages(t, m) {
			msg.ScenarioID, msg.Attempt, msg.StepIndex = e.ScenarioID, e.Attempt, e.StepIndex
			if msg.Device == "" && msg.Kind != WebAuthn {
				msg.Device = st.device
			}
			s.Emit(msg)
		}
	}
	e.Kind, e.Outcome, e.Duration = StepEnd, Passed, 31*time.Millisecond
	if failing && i == len(sc.steps)-1 {
		e.Outcome, e.Failure = sc.failedOutcome(), sc.failure
	}
	s.Emit(e)
}

func sampleMessages(t testing.TB, kind string) []Event {
	switch kind {
	case "info":
		return []Event{sampleExchange(t, ctap.GetInfo, nil, ctap.OK, sampleInfo)}
	case "register":
		return sampleRegister(t)
	case "sign-in":
		return sampleSignIn(t)
	case "pin-wrong":
		return []Event{sampleExchange(t, ctap.ClientPIN, ctap.ClientPINRequest{
			PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingPin, KeyAgreement: sampleKey(t), PinHashEnc: pattern(32),
		}, ctap.ErrPINInvalid, nil)}
	case "sync":
		return []Event{{Kind: Note, Text: "uploaded 1 entity; the account is at generation 12"}}
	case "sync-laptop":
		return []Event{{Kind: Note, Device: "laptop", Text: "received 1 entity; 1 passkey for example.org"}}
	}
	return []Event{{Kind: WebAuthn, Ceremony: NewCeremony("get", "ada@example.org", "https://examp1e.org",
		[]byte(`{"challenge":"AAEC","rpId":"example.org"}`), nil,
		errors.New("SecurityError at rpId: example.org is not examp1e.org or a suffix of it"))}}
}

var sampleInfo = ctap.Info{
	Versions: []string{"FIDO_2_1", "FIDO_2_3"}, Extensions: []string{"credProtect", "hmac-secret"}, AAGUID: pattern(16),
	Options: map[string]bool{"rk": true, "clientPin": true, "up": true, "credMgmt": true}, MaxMsgSize: 1200,
	PinUvAuthProtocols: []uint{2, 1}, Transports: []string{"usb"}, MinPINLength: 4,
	Algorithms: []ctap.Parameters{{Algorithm: -7, Type: "public-key"}, {Algorithm: -8, Type: "public-key"}},
}

func sampleRegister(t testing.TB) []Event {
	data := ctap.AuthenticatorData{RPIDHash: [32]byte(pattern(32)), Flags: ctap.FlagUP | ctap.FlagUV, SignCount: 1,
		Attested: &ctap.AttestedCredential{AAGUID: ctap.AAGUID(pattern(16)), ID: pattern(64), PublicKey: sampleKey(t)}}
	stmt := sampleEncode(t, map[string]any{"alg": -7, "sig": pattern(71)})
	auth := data.Append(nil)
	object := sampleEncode(t, map[string]any{"fmt": "packed", "attStmt": map[string]any{"alg": -7, "sig": pattern(71)}, "authData": auth})
	options := fmt.Sprintf(`{"rp":{"id":"example.org","name":"Example"},"user":{"id":%q,"name":"ada@example.org","displayName":"Ada Lovelace"},"challenge":%q,"pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}],"timeout":60000,"excludeCredentials":[],"authenticatorSelection":{"residentKey":"required","userVerification":"preferred"},"attestation":"direct","extensions":{"credProps":true}}`, b64([]byte("user-1")), b64(pattern(32)))
	client := `{"type":"webauthn.create","challenge":"` + b64(pattern(32)) + `","origin":"https://example.org","crossOrigin":false}`
	response := sampleJSON(t, map[string]any{"id": b64(pattern(64)), "rawId": b64(pattern(64)), "type": "public-key", "authenticatorAttachment": "cross-platform",
		"response":               map[string]any{"clientDataJSON": b64([]byte(client)), "attestationObject": b64(object), "transports": []string{"usb", "nfc"}},
		"clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": true}}})
	return []Event{
		sampleExchange(t, ctap.GetInfo, nil, ctap.OK, sampleInfo),
		sampleExchange(t, ctap.MakeCredential, ctap.MakeCredentialRequest{
			ClientDataHash: pattern(32), RP: &ctap.RelyingParty{ID: "example.org", Name: "Example"},
			User:             &ctap.User{ID: []byte("user-1"), Name: "ada@example.org", DisplayName: "Ada Lovelace"},
			PubKeyCredParams: []ctap.Parameters{{Algorithm: -7, Type: "public-key"}, {Algorithm: -257, Type: "public-key"}},
			Options:          map[string]bool{"rk": true}, PinUvAuthParam: pattern(32), PinUvAuthProtocol: 2,
		}, ctap.OK, ctap.MakeCredentialResponse{Format: "packed", AuthData: auth, AttStmt: stmt}),
		{Kind: WebAuthn, Ceremony: NewCeremony("create", "ada@example.org", "https://example.org", []byte(options), response, nil)},
	}
}

func sampleSignIn(t testing.TB) []Event {
	data := ctap.AuthenticatorData{RPIDHash: [32]byte(pattern(32)), Flags: ctap.FlagUP | ctap.FlagUV, SignCount: 5}
	auth := data.Append(nil)
	options := `{"challenge":"` + b64(pattern(32)) + `","timeout":60000,"rpId":"example.org","allowCredentials":[],"userVerification":"preferred"}`
	client := `{"type":"webauthn.get","challenge":"` + b64(pattern(32)) + `","origin":"https://example.org","crossOrigin":false}`
	response := sampleJSON(t, map[string]any{"id": b64(pattern(64)), "rawId": b64(pattern(64)), "type": "public-key",
		"response":               map[string]any{"clientDataJSON": b64([]byte(client)), "authenticatorData": b64(auth), "signature": b64(pattern(71)), "userHandle": b64([]byte("user-1"))},
		"clientExtensionResults": map[string]any{}})
	return []Event{
		sampleExchange(t, ctap.GetAssertion, ctap.GetAssertionRequest{
			RPID: "example.org", ClientDataHash: pattern(32), Options: map[string]bool{"up": true}, PinUvAuthParam: pattern(32), PinUvAuthProtocol: 2,
		}, ctap.OK, ctap.GetAssertionResponse{
			Credential: &ctap.Descriptor{ID: pattern(64), Type: "public-key"}, AuthData: auth, Signature: pattern(71), User: &ctap.User{ID: []byte("user-1")},
		}),
		{Kind: WebAuthn, Ceremony: NewCeremony("get", "ada@example.org", "https://example.org", []byte(options), response, nil)},
	}
}

func sampleExchange(t testing.TB, c ctap.Command, params any, s ctap.Status, answer any) Event {
	t.Helper()
	request, err := ctap.NewRequest(c, params)
	if err != nil {
		t.Fatal(err)
	}
	response := []byte{byte(s)}
	if answer != nil {
		response = append(response, sampleEncode(t, answer)...)
	}
	return Event{Kind: CTAP, Exchange: NewExchange(request, response)}
}

func sampleEncode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := ctap.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleKey(testing.TB) []byte {
	return cose.MarshalP256(cose.ES256, append([]byte{4}, pattern(64)...))
}

// pattern is n bytes that are no key and look like one.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*73 + 41)
	}
	return b
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
