package reference_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"fido-emu/rp/reference"
	"fido-emu/state"
)

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
