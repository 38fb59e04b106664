package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/identity/document"
	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/identity/services"
	"fido-emu/state"
)

// TestIdentityServeRefuses starts what cannot be served: each error says what to do.
func TestIdentityServeRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b string) string {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(b), 0o600))
		return filepath.Dir(path)
	}
	newer := filepath.Join(dir, "newer")
	file, err := state.Open(filepath.Join(newer, "identity.db"), state.Format{Kind: "identity-services", Version: 99})
	must(t, err)
	must(t, file.Close())
	elsewhere := filepath.Join(dir, "elsewhere")
	store, err := services.OpenStore(elsewhere)
	must(t, err)
	must(t, store.Save("about", []byte(`{"baseURL":"http://localhost:1","tenant":"relying-party"}`)))
	must(t, store.Close())
	held := filepath.Join(dir, "held")
	holder, err := services.OpenStore(held)
	must(t, err)
	defer holder.Close()
	for _, test := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"a file", []string{"--state", filepath.Join(write("x/file", "x"), "file")}, exitUsage, []string{"it is a file", "name a directory"}},
		{"no state", []string{"--state", write("y/identity.db", "rubbish")}, exitBench, []string{"y/identity.db", "It was left as it is"}},
		{"a newer one", []string{"--state", newer}, exitBench, []string{"version 99", "a newer one"}},
		{"one in use", []string{"--state", held}, exitBench, []string{"in use by another process"}},
		{"of another address", []string{"--state", elsewhere}, exitBench, []string{"http://localhost:1", "another directory"}},
		{"no address for browsers", []string{"--public-url", "phone"}, exitUsage, []string{`"phone"`, "http://192.168.1.20:8070"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said bytes.Buffer
			args := append([]string{"identity", "serve", "--listen", "127.0.0.1:0"}, test.args...)
			code := execute(t.Context(), args, ui{out: io.Discard, err: &said, getenv: func(string) string { return "" }})
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.says {
				if !strings.Contains(said.String(), want) {
					t.Errorf("%q lacks %q", said.String(), want)
				}
			}
		})
	}
}

// TestOnLoopback tells addresses apart by which the services may be named.
func TestOnLoopback(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1": "http://localhost:8070", "0.0.0.0": "http://localhost:8070", "::": "http://localhost:8070",
		"192.168.1.20": "--listen 0.0.0.0:8070 --public-url http://192.168.1.20:8070",
	} {
		got, err := onLoopback(at(address))
		if err != nil {
			got = err.Error() + " " + err.(*exit).hint
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// at is a listener at port 8070 of an address.
type at string

func (at) Accept() (net.Conn, error) { return nil, io.EOF }
func (at) Close() error              { return nil }
func (a at) Addr() net.Addr          { return &net.TCPAddr{IP: net.ParseIP(string(a)), Port: 8070} }

// offered proves to be Anna at idemia, and returns the link of the offer.
func offered(t *testing.T, address string) string {
	t.Helper()
	ctx := t.Context()
	c := proofing.Client{Base: address, Provider: "idemia", Key: "the-key"}
	ticket, err := c.Create(ctx, proofing.Request{Reference: "case"}, "")
	must(t, err)
	all, err := person.Shipped()
	must(t, err)
	who, err := person.Find(all, "anna-eriksson")
	must(t, err)
	passport, err := who.Document(person.Passport)
	must(t, err)
	picture, err := document.Draw(who, passport)
	must(t, err)
	a := &proofing.Applicant{Link: ticket.URL}
	must(t, a.Start(ctx))
	_, err = a.Proceed(ctx, proofing.Person{Person: who, Pictures: [][]byte{picture}, Condition: person.Daylight, Rand: rand.Reader})
	must(t, err)
	o, err := a.Offer(ctx)
	must(t, err)
	return o.Link
}

// TestIdentityServeComesBack kills the services and starts them again: the Verified ID is
// still in the wallet, and verifies.
func TestIdentityServeComesBack(t *testing.T) {
	dir, listen := filepath.Join(t.TempDir(), "identity"), "127.0.0.1:0"
	for i := range 2 {
		process, address := launch(t, os.Stderr, "harness", "identity", "serve", "--listen", listen, "--state", dir)
		listen = strings.TrimPrefix(address, "http://")
		if i == 0 {
			answer, err := http.PostForm(address+"/wallet/anna-eriksson/accept", url.Values{"link": {offered(t, address)}})
			must(t, err)
			must(t, answer.Body.Close())
		}
		answer, err := http.Get(address + "/wallet/anna-eriksson/")
		must(t, err)
		page, err := io.ReadAll(answer.Body)
		must(t, errors.Join(err, answer.Body.Close()))
		for _, want := range []string{"L898902C3", `badge good">valid`} {
			if !strings.Contains(string(page), want) {
				t.Errorf("start %d: the wallet lacks %q", i+1, want)
			}
		}
		must(t, process.Process.Kill())
		if err := process.Wait(); err == nil {
			t.Fatal("it ended by itself")
		}
	}
}
