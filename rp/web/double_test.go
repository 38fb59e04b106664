package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// double is a server of one shape. The reference relying party verifies behind it;
// the shape of all that goes over the wire is the double's.
type double struct {
	t        *testing.T
	core     *reference.Core
	mux      *http.ServeMux
	page     string // origin of ceremonies
	address  string
	settings map[string]string

	mu       sync.Mutex
	sessions map[string]string // by cookie or token: the user name
	pending  map[string]string // ceremony of a browser, by its cookie or challenge id
	lastID   int
}

// newDouble starts a server whose pages are at localhost and its port.
func newDouble(t *testing.T, build func(d *double)) *double {
	t.Helper()
	d := &double{t: t, mux: http.NewServeMux(), sessions: map[string]string{}, pending: map[string]string{}}
	s := httptest.NewServer(d.mux)
	t.Cleanup(s.Close)
	d.address = s.URL
	d.page = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	d.settings = map[string]string{"address": d.address, "page": d.page}
	build(d)
	var err error
	if d.core, err = reference.New(reference.Config{RPID: "localhost", Origins: []string{d.page}}); err != nil {
		t.Fatal(err)
	}
	return d
}

// on answers requests with what f returns; a refusal is for shape to write.
func (d *double) on(route string, f http.HandlerFunc) { d.mux.HandleFunc(route, f) }

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// in reads a JSON body.
func in(r *http.Request) map[string]any {
	v := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

// ticket remembers a ceremony under a new id.
func (d *double) ticket(ceremony string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastID++
	id := "ticket-" + string(rune('a'+d.lastID%26)) + strings.Repeat("x", d.lastID/26+8)
	d.pending[id] = ceremony
	return id
}

func (d *double) redeem(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.pending[id]
	delete(d.pending, id)
	return c
}

// open begins a session and returns what stands for it.
func (d *double) open(name string) string {
	id := d.ticket("")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions[id] = name
	return id
}

func (d *double) who(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[id]
}

func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// options returns the options of a registration or, for a name that has an account, of
// a sign-in.
func (d *double) registration(name string) (reference.Begun, map[string]any) {
	b, err := d.core.BeginRegistration("", rp.Person{Name: name, DisplayName: name})
	return b, d.object(b.Options, err)
}

func (d *double) signIn(name string) (reference.Begun, map[string]any) {
	b, err := d.core.BeginSignIn(name)
	return b, d.object(b.Options, err)
}

func (d *double) object(options []byte, err error) map[string]any {
	if err != nil {
		return nil
	}
	var v map[string]any
	if err := json.Unmarshal(options, &v); err != nil {
		d.t.Error(err)
	}
	return v
}

func raw(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}
