package credential

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestShapes holds what is signed and served against testdata/shapes.txt: the claims of
// every kind of token, and every document.
func TestShapes(t *testing.T) {
	w := newWorld(t)
	var got bytes.Buffer
	write := func(name, text string) {
		t.Helper()
		got.WriteString(name + "\n")
		if err := json.Indent(&got, []byte(text), "", " "); err != nil {
			t.Fatal(name, err)
		}
		got.WriteString("\n")
	}
	token := func(name, text string) {
		t.Helper()
		parsed, err := parseToken(text)
		if err != nil {
			t.Fatal(name, err)
		}
		header, _, _ := strings.Cut(text, ".")
		head, _ := decode(header)
		write(name+", header", string(head))
		body := parsed.body
		if list, _ := EncodeStatusList(w.issuer.bits); name == "status list" { // how it is compressed is the library's business
			body = bytes.Replace(body, []byte(list), []byte("…"), 1)
		}
		write(name, string(body))
	}
	fetch := func(path, kind string) string {
		t.Helper()
		resp, err := w.net.Client().Get("https://issuer.test" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(resp.Body) //nolint:errcheck // it is a buffer
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		if path == "/status/1" && resp.Header.Get("Cache-Control") != "max-age=300" {
			t.Errorf("a status list with %q", resp.Header)
		}
		return b.String()
	}
	token("Verified ID", w.issued.JWT)
	token("presentation", w.presented())
	token("proof of possession", w.proof(w.holder, "https://issuer.test", "n"))
	token("status list", fetch("/status/1", "application/jwt"))
	write("DID document", fetch("/.well-known/did.json", "application/json"))
	var linkage Configuration
	if err := json.Unmarshal([]byte(fetch("/.well-known/did-configuration.json", "application/json")), &linkage); err != nil || linkage.Context != contextLinkage {
		t.Fatal(linkage, err)
	}
	token("domain linkage", linkage.LinkedDIDs[0])
	write("issuer's metadata", fetch("/.well-known/openid-credential-issuer", "application/json"))
	for _, coded := range []bool{false, true} {
		o, err := w.issuer.Offer(nil, coded)
		if err != nil || !o.Expires.Equal(w.clock.now.Add(10*time.Minute)) || coded != (len(o.TxCode) == txCodeDigits) || strings.Trim(o.TxCode, "0123456789") != "" {
			t.Fatal(o, err)
		}
		write("offer", fetch("/offers/"+o.Link[strings.LastIndex(o.Link, "%2F")+3:], "application/json"))
	}
	want, err := os.ReadFile("testdata/shapes.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s", &got)
	}
}
