package reference_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fido-emu/identity/loop"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/recovery"
)

// provider answers as a verification provider and a request service do, or as the
// test says.
type provider struct {
	status int
	body   string
	asked  []string
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	p.asked = append(p.asked, r.Method+" "+r.URL.Path+" "+string(b))
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.body)
}

// recoverable is a core with recovery by a provider, and an account in its scope.
func recoverable(t *testing.T) (*reference.Core, *provider, *loop.Network) {
	t.Helper()
	core, _ := newCore(t)
	network, p := loop.New(), &provider{status: http.StatusCreated, body: `{"session":"s1","url":"https://id.example/s1"}`}
	network.Handle("id.example", p)
	network.Handle("login.example.com", reference.Handler(core))
	err := core.EnableRecovery(reference.RecoveryServices{
		Proofing: "https://id.example", ProofingKey: "k", Requests: "https://id.example", RequestsKey: "k",
		Authority: "did:web:id.example:shop", Callback: origin, HTTP: network.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		core.SetRecoveryPolicy(rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{{Name: "all", Mode: "production", Providers: []rp.RecoveryProvider{{Name: "idemia"}}}}}),
		core.SetIdentity(ada.Name, rp.Identity{GivenName: "Ada", FamilyName: "Lovelace", Country: "GB"}),
		core.AddPerson(ada),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return core, p, network
}

// signedIn gives an account a full session, by way of a passkey.
func signedIn(t *testing.T, core *reference.Core) *reference.Adapter {
	t.Helper()
	adapter := reference.InProcess(core, origin)
	pass, err := core.IssuePass(reference.PassRequest{Person: ada.Name, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := adapter.RedeemPass(t.Context(), ada, pass); err != nil {
		t.Fatal(err)
	}
	if _, err := adapter.Register(t.Context(), ada, newToy(t)); err != nil {
		t.Fatal(err)
	}
	return adapter
}

func wantRefusal(t *testing.T, err error, code string) {
	t.Helper()
	no, ok := err.(*rp.Refused)
	if !ok || no.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func TestRecoveryIsOff(t *testing.T) {
	core, _ := newCore(t)
	_, err := core.StartRecovery(t.Context(), ada.Name, "", rp.RecoveryAsk{})
	wantRefusal(t, err, recovery.Off)
	wantRefusal(t, core.SetRecoveryPolicy(rp.RecoveryPolicy{}), recovery.Off)
	answer := httptest.NewRecorder()
	reference.Handler(core).ServeHTTP(answer, httptest.NewRequest("POST", reference.CallbackPath, strings.NewReader("{}")))
	if answer.Code < 400 {
		t.Errorf("a callback is answered with %d where nothing was asked", answer.Code)
	}
}

func TestRecoveryNeedsAddresses(t *testing.T) {
	core, _ := newCore(t)
	good := reference.RecoveryServices{Proofing: "https://a.example", Requests: "https://a.example", Callback: "https://a.example", Authority: "did:web:a.example"}
	for name, change := range map[string]func(*reference.RecoveryServices){
		"proofing":  func(s *reference.RecoveryServices) { s.Proofing = "a" },
		"requests":  func(s *reference.RecoveryServices) { s.Requests = "" },
		"callback":  func(s *reference.RecoveryServices) { s.Callback = "://" },
		"authority": func(s *reference.RecoveryServices) { s.Authority = "a" },
	} {
		s := good
		change(&s)
		if err := core.EnableRecovery(s); err == nil || core.HasRecovery() {
			t.Errorf("%s: recovery is on, %v", name, err)
		}
	}
}

// TestProvidersAnswers starts a case and reads what the provider says to it.
func TestProvidersAnswers(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		code   string // of the start
	}{
		{"a session", 201, `{"session":"s1","url":"https://id.example/s1"}`, ""},
		{"not in the country", 422, `{"error":{"code":"country_not_served","message":"no"}}`, recovery.CountryNotCovered},
		{"down", 503, `{"error":{"code":"provider_down","message":"no"}}`, recovery.ProviderUnavailable},
		{"no reason", 500, `<html>`, recovery.ProviderUnavailable},
		{"no JSON", 200, `<html>`, recovery.ProviderUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			core, p, _ := recoverable(t)
			signedIn(t, core)
			p.status, p.body = test.status, test.body
			_, err := core.StartRecovery(t.Context(), ada.Name, "", rp.RecoveryAsk{})
			if test.code != "" {
				wantRefusal(t, err, test.code)
			} else if err != nil {
				t.Fatal(err)
			}
			if want := `POST /idemia/sessions {"country":"GB","reference":"`; !strings.HasPrefix(p.asked[0], want) {
				t.Errorf("asked %s, want %s…", p.asked[0], want)
			}
		})
	}
}

// TestProofingResults reads what the provider says later.
func TestProofingResults(t *testing.T) {
	for _, test := range []struct {
		name, body, state, reason string
		status                    int
	}{
		{"pending", `{"status":"pending"}`, recovery.Proofing, "", 200},
		{"rejected", `{"status":"rejected","reasons":[{"code":"image_blurred"}]}`, recovery.Ended, "image_blurred", 200},
		{"expired", `{"status":"expired"}`, recovery.Ended, "proofing-expired", 200},
		{"forgotten", `{"error":{"code":"not_found"}}`, recovery.Ended, recovery.ProofingLost, 404},
		{"down", `{"error":{"code":"provider_down"}}`, recovery.Proofing, "", 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			core, p, _ := recoverable(t)
			signedIn(t, core)
			began, err := core.StartRecovery(t.Context(), ada.Name, "", rp.RecoveryAsk{})
			if err != nil {
				t.Fatal(err)
			}
			p.status, p.body = test.status, test.body
			status, err := core.RecoveryStatus(t.Context(), began.ID, began.Secret)
			if err != nil || status.State != test.state || status.Reason != test.reason {
				t.Errorf("the case is %+v, %v; want %s %s", status, err, test.state, test.reason)
			}
		})
	}
}

func TestCallbacksOverHTTP(t *testing.T) {
	for _, test := range []struct {
		name, kind string
		body       io.Reader
		status     int
		reason     string
	}{
		{"not JSON", "application/json", strings.NewReader("<"), 400, recovery.CallbackMalformed},
		{"truncated", "application/json", strings.NewReader(`{"requestId":"r1","state":"s"`), 400, recovery.CallbackMalformed},
		{"cut off", "application/json", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("{}"))), 400, recovery.CallbackMalformed},
		{"nobody's", "application/json; charset=utf-8", strings.NewReader(`{"requestId":"r1","requestStatus":"presentation_verified","state":"s"}`), 404, recovery.CallbackUnknown},
		{"too large", "application/json", strings.NewReader(`{"state":"` + strings.Repeat("a", 5<<20) + `"}`), 413, reference.TooLarge},
		{"a form", "application/x-www-form-urlencoded", strings.NewReader("state=s"), 400, recovery.CallbackMalformed},
		{"of no type", "", strings.NewReader("{}"), 400, recovery.CallbackMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			core, _, _ := recoverable(t)
			r, answer := httptest.NewRequest("POST", reference.CallbackPath, test.body), httptest.NewRecorder()
			r.Header.Set("Content-Type", test.kind)
			reference.Handler(core).ServeHTTP(answer, r)
			if answer.Code != test.status {
				t.Errorf("answered %d %s; want %d", answer.Code, answer.Body, test.status)
			}
			if log := core.RecoveryLog(""); len(log) != 1 || log[0].Step != recovery.StepCallback || log[0].Done || log[0].Reason != test.reason || log[0].Detail == "" {
				t.Errorf("logged %+v", log)
			}
		})
	}
}

func TestIdentityIsChecked(t *testing.T) {
	core, _, _ := recoverable(t)
	for name, id := range map[string]rp.Identity{
		"control character": {GivenName: "A\n"}, "spaces": {FamilyName: " "}, "day": {BirthDate: "1990-13-01"}, "country": {Country: "GBR"},
	} {
		if err := core.SetIdentity(ada.Name, id); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if got := core.Identity("ADA@example.com").GivenName; got != "Ada" {
		t.Errorf("the first name is %q, want what was set before", got)
	}
}

func TestOwnersAreTold(t *testing.T) {
	core, _, _ := recoverable(t)
	signedIn(t, core)
	if err := core.EnrolMethod(ada.Name, rp.Enrolment{Kind: rp.Email, Address: "ada@mail.example"}); err != nil {
		t.Fatal(err)
	}
	if _, err := core.StartRecovery(t.Context(), ada.Name, "", rp.RecoveryAsk{}); err != nil {
		t.Fatal(err)
	}
	notices, err := core.RecoveryNotices(ada.Name)
	if err != nil || len(notices) != 1 || notices[0].Kind != recovery.NoticeStarted {
		t.Errorf("told %+v, %v", notices, err)
	}
	mail, err := core.Outbox(ada.Name)
	if err != nil || len(mail) == 0 || !strings.Contains(mail[len(mail)-1].Text, "asked to recover your account") {
		t.Errorf("sent %+v, %v", mail, err)
	}
}
