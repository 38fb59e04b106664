package reference_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

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
func wantStateError(t *testing.T, err error, problem state.Problem, dir, text string) {
	t.Helper()
	e, ok := errors.AsType[*state.Error](err)
	if !ok || e.Problem != problem || e.Hint == "" || e.Path != filepath.Join(dir, stateFile) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %s, and %q", err, problem, text)
	}
}

// altered is a file of which something was changed through the database.
func altered(t *testing.T, content []byte, change func(tx *bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), stateFile)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := state.Open(path, state.Format{Kind: "relying-party", Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Update(change), file.Close()); err != nil {
		t.Fatal(err)
	}
	content, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestFilesRefused opens what is none of ours, damaged, newer, or cannot be meant. Every
// file is left as it is.
func TestFilesRefused(t *testing.T) {
	good := lived(t)
	put := func(bucket, key, text string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte(bucket))
			if err != nil {
				return err
			}
			return b.Put([]byte(key), reference.Seal(bucket, key, text))
		}
	}
	remove := func(bucket, key string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Delete([]byte(key)) }
	}
	number := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
	account := func(text string) func(*bbolt.Tx) error { return put("names", "eve", `{"account":{`+text+`}}`) }
	handle := strings.Repeat("A", 43) + "="
	const missing = "there are not the records that there were"
	for name, test := range map[string]struct {
		change  func(*bbolt.Tx) error
		problem state.Problem
		want    string
	}{
		"a bit of a record": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("names"))
			value := bytes.Clone(b.Get([]byte(ada.Name)))
			value[len(value)/2] ^= 1
			return b.Put([]byte(ada.Name), value)
		}, state.Damaged, `"ada@example.com" of names cannot be read`},
		"record cut short": {func(tx *bbolt.Tx) error { return tx.Bucket([]byte("names")).Put([]byte("eve"), []byte("abc")) }, state.Damaged, "checksum"},
		"record of elsewhere": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("names"))
			return b.Put([]byte("eve"), b.Get([]byte("grace")))
		}, state.Damaged, "checksum"},
		"unknown bucket":       {put("secrets", "a", "1"), state.Damaged, `the bucket "secrets"`},
		"unknown setting":      {put("settings", "colour", `"red"`), state.Damaged, "no such setting"},
		"unknown member":       {put("names", "eve", `{"colour":"red"}`), state.Damaged, "colour"},
		"two values":           {put("names", "eve", `{} {}`), state.Damaged, ""},
		"whose it is":          {remove("settings", "site"), state.Damaged, "whose it is"},
		"short key":            {put("settings", "site", `{"rpId":"example.com","key":"AAAA"}`), state.Damaged, "3 bytes"},
		"another's":            {put("settings", "site", `{"rpId":"other.example","key":"AAAA"}`), state.OtherKind, `"other.example", not of "example.com"`},
		"bad policy":           {put("settings", "policies", `{"profiles":{},"own":[{"group":"staff","policy":{"types":["odd"]}}]}`), state.Damaged, "odd"},
		"bad methods":          {put("settings", "methods", `{"resetMethods":9}`), state.Damaged, ""},
		"bad access rule":      {put("settings", "access", `[{"name":""}]`), state.Damaged, "name of its own"},
		"bad group":            {put("settings", "groups", `["\n"]`), state.Damaged, "group"},
		"bad recovery":         {put("settings", "recovery", `{"policy":{"profiles":[{"name":""}]}}`), state.Damaged, "no name"},
		"metadata of nobody":   {put("settings", "metadata", `{"taken":"2026-11-02T09:00:00Z","blob":"x"}`), state.Failed, "--metadata-root"},
		"account is missing":   {remove("names", ada.Name), state.Damaged, ""},
		"account there twice":  {account(`"order":0,"name":"Eve","displayName":"Eve","groups":null,"handle":"` + handle + `"`), state.Damaged, "account 2"},
		"account of another":   {account(`"order":2,"name":"Mallory","displayName":"Eve","groups":null,"handle":"` + handle + `"`), state.Damaged, "Mallory"},
		"short user handle":    {account(`"order":2,"name":"Eve","displayName":"Eve","groups":null,"handle":"AAAA"`), state.Damaged, "user handle"},
		"bad risk":             {account(`"order":2,"name":"Eve","displayName":"Eve","groups":null,"risk":"odd","handle":"` + handle + `"`), state.Damaged, "odd"},
		"pass that is no hash": {account(`"order":2,"name":"Eve","displayName":"Eve","groups":null,"pass":{"hash":"AAAA","issued":"2026-11-02T09:00:00Z","start":"2026-11-02T09:00:00Z","expires":"2026-11-02T09:00:00Z"},"handle":"` + handle + `"`), state.Damaged, "no hash"},
		"no public key":        {account(`"order":2,"name":"Eve","displayName":"Eve","groups":null,"credentials":[{"record":{"id":"AAAA","publicKey":"AAAA","flags":{},"authenticator":{},"attestation":{}},"name":"x","created":"2026-11-02T09:00:00Z"}],"handle":"` + handle + `"`), state.Damaged, "public key"},
		"password without":     {account(`"order":2,"name":"Eve","displayName":"Eve","groups":null,"methods":[{"kind":"password","added":"2026-11-02T09:00:00Z"}],"handle":"` + handle + `"`), state.Damaged, "password"},
		"method of no kind":    {account(`"order":2,"name":"Eve","displayName":"Eve","groups":null,"methods":[{"kind":"odd","added":"2026-11-02T09:00:00Z"}],"handle":"` + handle + `"`), state.Damaged, "odd"},
		"session of nobody":    {put("sessions", strings.Repeat("s", 32), `{"owner":"eve"}`), state.Damaged, "nobody's"},
		"gap in the log":       {remove("audit", number(3)), state.Damaged, "record 4 of audit"},
		"no sessions":          {func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("sessions")) }, state.Damaged, missing},
		"log without a number": {put("sign-ins", "first", `{}`), state.Damaged, "number"},
	} {
		t.Run(name, func(t *testing.T) {
			content := altered(t, good, func(tx *bbolt.Tx) error {
				if err := test.change(tx); err != nil || test.want == missing {
					return err
				}
				return reference.Sum(tx)
			})
			_, dir, err := reopened(t, content)
			if name == "account is missing" { // the session of its owner is seen first
				test.want = "of sessions"
			}
			wantStateError(t, err, test.problem, dir, test.want)
			if after, err := os.ReadFile(filepath.Join(dir, stateFile)); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

// TestOldFiles takes up the files of every version that there was.
func TestOldFiles(t *testing.T) {
	content, err := os.ReadFile("testdata/relying-party-1.db")
	if err != nil {
		t.Fatal(err)
	}
	core, _, err := reopened(t, content)
	if err != nil {
		t.Fatal(err)
	}
	if people, total := core.People(0, 10); total != 2 || people[0].Name != ada.Name || len(people[0].Credentials) != 1 || people[1].Name != "Grace" {
		t.Errorf("there are %+v", people)
	}
	if _, err := core.RedeemPass("Grace", "8PCQ-EYD5-27EV"); err != nil {
		t.Errorf("the pass of then: %v", err)
	}
	if policies := core.Policies(); len(policies) != 2 || policies[1].Group != "staff" {
		t.Errorf("policies %+v", policies)
	}
}

// TestForeignFiles opens files that are refused as a whole.
func TestForeignFiles(t *testing.T) {
	made := func(f state.Format) []byte {
		path := filepath.Join(t.TempDir(), "x")
		file, err := state.Open(path, f)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := lived(t)
	for name, test := range map[string]struct {
		content []byte
		problem state.Problem
	}{
		"empty":       {nil, state.Truncated},
		"cut short":   {good[:2*os.Getpagesize()], state.Truncated},
		"text":        {[]byte(strings.Repeat("accounts:\n", 1000)), state.NotState},
		"of a device": {made(state.DeviceFormat), state.OtherKind},
		"newer":       {made(state.Format{Kind: "relying-party", Version: 2}), state.Newer},
	} {
		_, dir, err := reopened(t, test.content)
		t.Log(name, err)
		wantStateError(t, err, test.problem, dir, stateFile)
	}
}

// TestFlippedBits flips bits in a file: it is refused, or was not touched where it counts.
// The first two pages are left out: they tell which transaction was the last, and where one
// of them is damaged, as by a power cut, the one before counts.
func TestFlippedBits(t *testing.T) {
	good := lived(t)
	core, _, err := reopened(t, good)
	if err != nil {
		t.Fatal(err)
	}
	want, random, refused := core.Everything(), rand.New(rand.NewPCG(1, 2)), 0
	for range 200 {
		content := bytes.Clone(good)
		at, bit := 2*os.Getpagesize()+random.IntN(len(content)-2*os.Getpagesize()), random.IntN(8)
		content[at] ^= 1 << bit
		core, dir, err := reopened(t, content)
		switch _, known := errors.AsType[*state.Error](err); {
		case err == nil && !maps.Equal(core.Everything(), want):
			t.Errorf("bit %d of byte %d: something else is taken up", bit, at)
		case err != nil && (!known || !strings.Contains(err.Error(), dir)):
			t.Errorf("bit %d of byte %d: %v", bit, at, err)
		case err != nil:
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d of 200 were refused", refused)
	}
}

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

// FuzzState takes up one record more, whatever it holds. What is taken up is kept, and taken
// up the same again.
func FuzzState(f *testing.F) {
	good, config := records(f)
	f.Add("names", "eve", `{"tries":{"wrong":1,"until":"2026-11-02T10:00:00Z"}}`)
	f.Add("settings", "access", `[{"name":"x"}]`)
	f.Add("sessions", strings.Repeat("s", 32), `{"owner":"grace","expires":"2026-11-03T09:00:00Z"}`)
	f.Add("messages", "\x00\x00\x00\x00\x00\x00\x00\x63", `{"id":"m99"}`)
	f.Fuzz(func(t *testing.T, bucket, key, text string) {
		once, err := good.Record(bucket, key, text).Taken(config)
		if err != nil {
			return
		}
		if twice, err := once.Taken(config); err != nil || !maps.Equal(once, twice) {
			t.Errorf("taken up once more: %v\n%v\n%v", err, once, twice)
		}
	})
}

// records are those of lived, and a configuration for them.
func records(t testing.TB) (all reference.Records, config reference.Config) {
	t.Helper()
	if _, _, err := reopened(t, lived(t), func(c *reference.Config) { config = *c }); err != nil {
		t.Fatal(err)
	}
	all, err := config.State.Kept()
	if err != nil {
		t.Fatal(err)
	}
	config.State = nil
	return all, config
}
