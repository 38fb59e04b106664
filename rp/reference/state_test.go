package reference_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/methods"
	"fido-emu/state"
)

const stateFile = "relying-party.db"

// reopened returns what was made of a file; its directory is closed at the end.
func reopened(t testing.TB, content []byte, change ...func(*reference.Config)) (core *reference.Core, dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, stateFile), content, 0o600); err != nil {
		t.Fatal(err)
	}
	kept, err := reference.OpenState(dir)
	if err != nil {
		return nil, dir, err
	}
	t.Cleanup(func() { _ = kept.Close() })
	_, clk := newCore(t)
	config := reference.Config{RPID: "example.com", Name: "Example", Origins: []string{origin}, Now: clk.now, Rand: rand.NewChaCha8([32]byte{7}), AdminToken: adminToken, State: kept}
	for _, f := range change {
		f(&config)
	}
	core, err = reference.New(config)
	return core, dir, err
}

// lived is the file of a relying party that has something of everything.
func lived(t testing.TB) []byte {
	t.Helper()
	dir, config := t.TempDir(), reference.Config{}
	core, _ := newCore(t, inFiles(t, dir), func(c *reference.Config) { config = *c })
	live(t, core)
	if err := errors.Join(core.Save(), config.State.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func live(t testing.TB, core *reference.Core) {
	t.Helper()
	adapter := reference.InProcess(core, origin)
	_, err := adapter.Register(t.Context(), ada, newToy(t))
	for _, err := range []error{
		err,
		core.AddPerson(rp.Person{Name: "Grace", Groups: []string{"staff"}}),
		core.Expect("Alan", []string{"staff"}),
		core.AddGroup("nobody yet"),
		core.SetIdentity(ada.Name, rp.Identity{GivenName: "Ada", FamilyName: "Lovelace", Country: "GB"}),
		core.SetPolicy("staff", rp.Policy{UserVerification: "required"}),
		core.SetMethodPolicy(rp.MethodPolicy{Disabled: []string{rp.Voice}}),
		core.SetAccessRules([]rp.AccessRule{{Name: "at home", ExceptLocations: []string{"GB"}, Strength: rp.Multifactor}}),
		core.SetRisk("Grace", rp.RiskLow),
		core.EnrolMethod("Grace", rp.Enrolment{Kind: rp.Password, Secret: password}),
		core.EnrolMethod("Grace", rp.Enrolment{Kind: rp.Email, Address: "grace@mail.example"}),
		core.EnrolMethod("Grace", rp.Enrolment{Kind: rp.SecurityQuestions, Answers: map[string]string{"one": "1", "two": "2", "three": "3"}}),
		core.HandOver("grace@mail.example", rp.Thief),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := core.IssuePass(reference.PassRequest{Person: "Grace", Lifetime: time.Hour, Once: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := core.RedeemPass("Grace", "WRNG-WRNG-WRNG"); err == nil {
		t.Fatal("a wrong pass was taken")
	}
}

// wantStateError wants an error about a file that says what to do.
// TestInUse refuses a directory that another has, and names the process.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	inFiles(t, dir)
	_, err := reference.OpenState(dir)
	wantStateError(t, err, state.InUse, dir, fmt.Sprintf("process %d", os.Getpid()))
}

// TestCannotSave wants 503 for what cannot be saved and for all that follows, and the server
// to end.
func TestCannotSave(t *testing.T) {
	dir, config := t.TempDir(), reference.Config{}
	core, _ := newCore(t, inFiles(t, dir), func(c *reference.Config) { config = *c })
	h := reference.Handler(core)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- reference.Serve(t.Context(), l, core) }()
	if err := config.State.Close(); err != nil {
		t.Fatal(err)
	}
	for _, request := range [][2]string{{"POST", "people"}, {"GET", "people"}, {"POST", "groups"}} {
		answer, body := visit(t, h, request[0], "/api/admin/"+request[1], `{"name":"ada"}`, "Authorization", bearer)
		if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, config.State.Path()) || len(answer.Cookies()) > 0 {
			t.Errorf("%v: %d %s", request, answer.StatusCode, body)
		}
	}
	if err := <-ended; err == nil || err != core.Save() {
		t.Errorf("the server ends with %v", err)
	}
	if differ, err := restarted(t, dir, &config).Forgotten(); err != nil || len(differ) > 0 {
		t.Errorf("%v, %v", differ, err)
	}
}

// TestWhatEnds says what a restart ends, and what it does not.
func TestWhatEnds(t *testing.T) {
	dir, config := t.TempDir(), reference.Config{}
	core, clk := newCore(t, inFiles(t, dir), func(c *reference.Config) { config = *c })
	live(t, core)
	key := newToy(t)
	s := site{reference.InProcess(core, ""), t, t.Context(), core, clk}
	pass, err := core.IssuePass(reference.PassRequest{Person: "Grace", Lifetime: time.Hour})
	s.ok(err)
	limited, err := core.RedeemPass("Grace", pass)
	s.ok(err)
	grace := rp.Person{Name: "Grace Hopper"}
	begun, err := core.BeginRegistration("", grace)
	s.ok(err)
	response, err := key.Create(t.Context(), origin, begun.Options)
	s.ok(err)
	registered, err := core.FinishRegistration("", begun.Ceremony, response)
	s.ok(err)
	ended := registered.Grant.Token
	signIn := func(core *reference.Core) (string, []byte) {
		begun, err := core.BeginSignIn(grace.Name)
		s.ok(err)
		response, err := key.Get(t.Context(), origin, begun.Options)
		s.ok(err)
		return begun.Ceremony, response
	}
	used, assertion := signIn(core)
	grant, err := core.FinishSignIn(used, assertion)
	s.ok(err)
	s.ok(core.SignOut(ended))
	for range 4 { // beside the one of live
		_, err = core.RedeemPass("ada@example.com", "WRNG")
		s.refused(err, reference.PassWrong)
	}
	s.ok(core.EnrolMethod(grace.Name, rp.Enrolment{Kind: rp.Email, Address: "hopper@mail.example"}))
	prompt, err := core.BeginMethod(rp.Signals{}, grace.Name, rp.ToReset, "", rp.Email)
	s.ok(err)
	mail, err := core.Outbox(grace.Name)
	s.ok(err)
	open, unused := signIn(core)
	s.ok(core.Save())

	core = restarted(t, dir, &config)
	for what, token := range map[string]string{"full": grant.Token, "limited": limited.Token} {
		if _, err := core.Session(token); err != nil {
			t.Errorf("the %s session ended: %v", what, err)
		}
	}
	_, err = core.Session(ended)
	s.refused(err, reference.SignInRequired)
	for ceremony, response := range map[string][]byte{used: assertion, open: unused} {
		_, err = core.FinishSignIn(ceremony, response)
		s.refused(err, reference.ChallengeUnknown)
	}
	_, _, err = core.FinishMethod(prompt.Attempt, mail[len(mail)-1].Code)
	s.refused(err, reference.AttemptUnknown)
	_, err = core.RedeemPass("ada@example.com", "WRNG")
	s.refused(err, reference.PassWrong) // the fifth
	_, err = core.RedeemPass("ada@example.com", "WRNG")
	s.refused(err, reference.TooManyTries)
	if _, err = core.RedeemPass("Grace", pass); err != nil {
		t.Errorf("a pass for many uses: %v", err)
	}
	ceremony, response := signIn(core)
	if _, err := core.FinishSignIn(ceremony, response); err != nil {
		t.Errorf("the passkey: %v", err)
	}
}

// TestLocksOutlastRestart counts wrong passwords across restarts.
func TestLocksOutlastRestart(t *testing.T) {
	dir, config := t.TempDir(), reference.Config{}
	core, _ := newCore(t, inFiles(t, dir), func(c *reference.Config) { config = *c })
	live(t, core)
	for try := range 11 {
		prompt, err := core.BeginMethod(rp.Signals{}, "grace", rp.ToSignIn, "", rp.Password)
		if err == nil {
			_, _, err = core.FinishMethod(prompt.Attempt, "wrong password")
		}
		want := methods.PasswordWrong
		if try == 10 {
			want = methods.MethodLocked
		}
		wantRefusal(t, err, want)
		if err := core.Save(); err != nil {
			t.Fatal(err)
		}
		core = restarted(t, dir, &config)
	}
}

// TestEverySettingIsKept changes, over HTTP, what no other test changes there.
func TestEverySettingIsKept(t *testing.T) {
	dir, config := t.TempDir(), reference.Config{}
	vouching := authority(t, 1)
	core, clk := newCore(t, inFiles(t, dir), func(c *reference.Config) {
		c.MetadataRoots = vouching.Pool()
		config = *c
	})
	h := remembering(t, core)
	send := func(method, path, body string) {
		t.Helper()
		answer, text := visit(t, h, method, "/api/admin/"+path, body, "Authorization", bearer)
		if answer.StatusCode >= 300 {
			t.Errorf("%s %s: %s", method, path, text)
		}
	}
	blob := listing(t, vouching, 7, clk.now())
	send(http.MethodPut, "metadata", `{"blob":"`+string(blob)+`"}`)
	send(http.MethodPost, "groups", `{"name":"empty"}`)
	send(http.MethodPost, "people", `{"name":"grace","groups":["staff"]}`)
	send(http.MethodPost, "people/grace/methods", `{"kind":"microsoftAuthenticatorPush","address":"Grace's phone"}`)
	send(http.MethodPost, "people/grace/methods", `{"kind":"password","secret":"`+password+`"}`)
	send(http.MethodPut, "holders", `{"address":"Grace's phone","holder":"thief"}`)
	send(http.MethodPut, "people/grace/risk", `{"level":"low"}`)
	_, text := visit(t, h, "POST", "/api/prove/begin", `{"purpose":"sign-in","name":"grace","kind":"password"}`)
	attempt := strings.Split(text, `"`)[3]
	visit(t, h, "POST", "/api/prove/finish", `{"attempt":"`+attempt+`","answer":"`+password+`"}`)
	visit(t, h, "POST", "/api/prove/begin", `{"attempt":"`+attempt+`","kind":"microsoftAuthenticatorPush"}`)
	sent, err := core.Outbox("grace")
	if err != nil {
		t.Fatal(err)
	}
	answer, text := visit(t, h, "POST", "/api/admin/pushes/"+sent[len(sent)-1].ID, `{"answer":"approve","number":"no"}`, "Authorization", bearer)
	if !strings.Contains(text, methods.PushNumberWrong) {
		t.Errorf("a wrong number: %d %s", answer.StatusCode, text)
	}
	core = restarted(t, dir, &config)
	if m := core.Metadata(); m == nil || m.No != 7 {
		t.Errorf("metadata %+v", m)
	}
	if outbox, err := core.Outbox("grace"); err != nil || len(outbox) == 0 || outbox[len(outbox)-1].Holder != rp.Thief {
		t.Errorf("sent %+v, %v", outbox, err)
	}
}

// TestConfigurationAfterRestart starts with another default policy: it holds until an
// administrator has set one.
func TestConfigurationAfterRestart(t *testing.T) {
	good := lived(t)
	only := func(c *reference.Config) { c.DefaultPolicy.Algorithms = []string{"EdDSA"} }
	core, _, err := reopened(t, good, only)
	if err != nil {
		t.Fatal(err)
	}
	if got := core.Policies()[0].Policy.Algorithms; len(got) != 1 || got[0] != "EdDSA" {
		t.Errorf("the default policy has %v", got)
	}
	if len(core.Audit(0, 1000)) < 10 {
		t.Error("the log is gone")
	}
	core, _, err = reopened(t, good, func(c *reference.Config) { c.AuditCapacity = 3 })
	if err != nil {
		t.Fatal(err)
	}
	if got := core.Audit(0, 1000); len(got) != 3 || got[0].Seq < 8 {
		t.Errorf("of a smaller log %+v is kept", got)
	}
	remembers(t, core, "with a smaller log")
	var none ctap.AAGUID
	if list, err := core.Account(ada.Name); err != nil || len(list.Credentials) != 1 || list.Credentials[0].AAGUID != none.String() {
		t.Errorf("the account is %+v, %v", list, err)
	}
}
