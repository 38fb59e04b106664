package keychain_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/keychain"
)

// TestOverHTTP runs a life of an account over HTTP with a service that is stopped
// and started again from its file at every turn.
func TestOverHTTP(t *testing.T) {
	path := filepath.Join(t.TempDir(), "service")
	var w *world
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		keychain.Handler(w.Service).ServeHTTP(rw, r)
	}))
	defer server.Close()
	stop, starts := func() error { return nil }, 0
	restart := func() {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		store, err := keychain.OpenStore(path)
		if err != nil {
			t.Fatal(err)
		}
		starts++
		w = newWorld(t, keychain.ServiceConfig{Store: store})
		w.random.Seed([32]byte{byte(starts)})
		stop = store.Close
	}
	restart()
	defer func() { w.must(stop()) }()
	cloud := keychain.Dial(server.URL + "/")
	phone := w.founder("phone", cloud)
	w.must(phone.SetPasscode(ctx(), passcode))
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone)
	restart()
	laptop, tablet := w.device("laptop", cloud), w.device("tablet", cloud)
	w.joins(laptop, phone)
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 ada true]")
	restart()
	w.must(laptop.Credentials().Delete([]byte("c1")))
	w.sync(laptop)
	w.must(laptop.Revoke(ctx(), "phone"))
	restart()
	_, err := phone.Sync(ctx())
	w.refused(err, keychain.Revoked)
	e := w.refused(tablet.RecoverFromEscrow(ctx(), account, secret, "0000"), keychain.WrongPasscode)
	if *e.TriesLeft != 9 {
		t.Fatalf("%d tries left, want 9", *e.TriesLeft)
	}
	restart()
	e = w.refused(tablet.RecoverFromEscrow(ctx(), account, secret, "0000"), keychain.WrongPasscode)
	if *e.TriesLeft != 8 {
		t.Fatalf("a restart gave tries back: %d left, want 8", *e.TriesLeft)
	}
	w.must(tablet.RecoverFromEscrow(ctx(), account, secret, passcode))
	w.sync(tablet)
	w.expect(tablet, "example.com", "")
	server.Close()
	_, err = tablet.Sync(ctx())
	w.refused(err, keychain.Unreachable)
}

func TestHTTPRefusals(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	handler := keychain.Handler(w.Service)
	tests := []struct {
		name, method, path, bearer, body string
		status                           int
		code                             keychain.Code
	}{
		{"no operation", "POST", "/v1/entities/steal", "", "{}", 404, keychain.NotFound},
		{"no version", "POST", "/entities/sync", "", "{}", 404, keychain.NotFound},
		{"wrong method", "GET", "/v1/entities/sync", "", "", 405, keychain.MethodRefused},
		{"no JSON", "POST", "/v1/account/create", "", "hello", 400, keychain.BadRequest},
		{"JSON that breaks off", "POST", "/v1/account/create", "", `{"account":`, 400, keychain.BadRequest},
		{"unknown member", "POST", "/v1/account/create", "", `{"password":"x"}`, 400, keychain.BadRequest},
		{"something behind it", "POST", "/v1/join/request", "", `{} {}`, 400, keychain.BadRequest},
		{"no account", "POST", "/v1/join/request", "", `{"account":"00"}`, 404, keychain.UnknownAccount},
		{"account id", "POST", "/v1/account/create", "", `{"account":"x","proof":"AA=="}`, 400, keychain.BadRequest},
		{"no bearer", "POST", "/v1/entities/sync", "", "{}", 401, keychain.NotAMember},
		{"unknown bearer", "POST", "/v1/entities/sync", "Bearer 00", "{}", 401, keychain.NotAMember},
		{"bearer not hexadecimal", "POST", "/v1/entities/sync", "Bearer xyz", "{}", 400, keychain.BadRequest},
		{"basic authorization", "POST", "/v1/entities/sync", "Basic 00", "{}", 400, keychain.BadRequest},
		{"oversized", "POST", "/v1/entities/sync", "", strings.Repeat(" ", 9<<20), 413, keychain.TooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			if test.bearer != "" {
				r.Header.Set("Authorization", test.bearer)
			}
			rw := httptest.NewRecorder()
			handler.ServeHTTP(rw, r)
			var e keychain.Error
			if err := json.Unmarshal(rw.Body.Bytes(), &e); err != nil {
				t.Fatalf("the answer is not JSON: %q", rw.Body)
			}
			if rw.Code != test.status || e.Code != test.code || e.Message == "" {
				t.Fatalf("answered %d %+v, want %d %s", rw.Code, e, test.status, test.code)
			}
		})
	}
}

func TestDialNoService(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	d := w.device("phone", keychain.Dial(server.URL))
	w.refused(d.CreateAccount(ctx(), account, secret), keychain.BadAnswer)
}

// FuzzHandler sends anything over HTTP, and the operations of a real life with
// other bodies, to a service with an account.
func FuzzHandler(f *testing.F) {
	store := keychain.NewMemoryStore()
	w := newWorld(f, keychain.ServiceConfig{Store: store})
	spy := &spy{Cloud: w.Service}
	w.life(spy)
	for _, c := range spy.calls {
		f.Add("POST", "/v1/"+string(c.op), c.request)
	}
	bearer := hex.EncodeToString(spy.calls[len(spy.calls)-1].bearer)
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		w := newWorld(t, keychain.ServiceConfig{Store: copied(store)})
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path}, Header: http.Header{"Authorization": {"Bearer " + bearer}},
			Body: io.NopCloser(bytes.NewReader(body)),
		}
		rw := httptest.NewRecorder()
		keychain.Handler(w.Service).ServeHTTP(rw, r)
		if !json.Valid(rw.Body.Bytes()) {
			t.Fatalf("the answer is not JSON: %q", rw.Body)
		}
	})
}

func copied(store *keychain.MemoryStore) *keychain.MemoryStore {
	other := keychain.NewMemoryStore()
	_ = store.Load(func(r keychain.Record) error { return other.Commit([]keychain.Record{r}) }) // memory does not fail
	return other
}
