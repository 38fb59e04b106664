package credential

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// call sends a request to the issuer and reads what it answers.
func (w *world) call(path, token, contentType string, body []byte) (int, string) {
	req, err := http.NewRequest("POST", "https://issuer.test"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.net.Client().Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	b.ReadFrom(resp.Body) //nolint:errcheck // it is a buffer
	return resp.StatusCode, b.String()
}

// token takes up a new offer as far as the access token.
func (w *world) token() string {
	w.t.Helper()
	link, err := w.issuer.Offer(Claims{FirstName: "Ada"}, false)
	if err != nil {
		w.t.Fatal(err)
	}
	id := link.Link[strings.LastIndex(link.Link, "%2F")+3:]
	form := url.Values{"grant_type": {grantPreAuthorized}, "pre-authorized_code": {w.issuer.offers[id].Code}}
	status, body := w.call("/token", "", "application/x-www-form-urlencoded", []byte(form.Encode()))
	var t TokenResponse
	if err := json.Unmarshal([]byte(body), &t); err != nil || status != http.StatusOK {
		w.t.Fatal(status, body)
	}
	return t.AccessToken
}

func (w *world) freshNonce(token string) string {
	w.t.Helper()
	status, body := w.call("/nonce", token, "application/json", nil)
	var n NonceResponse
	if err := json.Unmarshal([]byte(body), &n); err != nil || status != http.StatusOK {
		w.t.Fatal(status, body)
	}
	return n.Nonce
}

func (w *world) fetch(token, proof string) (int, string) {
	body, err := json.Marshal(CredentialRequest{TypeVerifiedIdentity, map[string][]string{"jwt": {proof}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.call("/credential", token, "application/json", body)
}

func (w *world) proof(key *Key, issuer, nonce string) string {
	w.t.Helper()
	proof, err := Proof(key, issuer, nonce, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return proof
}

// TestProofsOfPossession: who gets a credential has the key, and proves it now, to
// this issuer.
func TestProofsOfPossession(t *testing.T) {
	const issuer = "https://issuer.test"
	for _, c := range []struct {
		name  string
		proof func(w *world, nonce string) string
		want  string
	}{
		{"whole", func(w *world, n string) string { return w.proof(w.holder, issuer, n) }, ""},
		{"for another issuer", func(w *world, n string) string { return w.proof(w.holder, "https://other.test", n) }, "invalid_proof"},
		{"with another nonce", func(w *world, _ string) string { return w.proof(w.holder, issuer, "other") }, "invalid_nonce"},
		{"without a nonce", func(w *world, _ string) string { return w.proof(w.holder, issuer, "") }, "invalid_nonce"},
		{"of yesterday", func(w *world, n string) string {
			proof := w.proof(w.holder, issuer, n)
			w.clock.pass(defaultMaxAge + 1)
			return proof
		}, "invalid_proof"},
		{"a presentation in its place", func(w *world, n string) string { return w.presentedBy(w.holder, issuer, n) }, "invalid_proof"},
		{"with a thief's key", func(w *world, n string) string {
			proof, err := w.thief.sign(typeProof, w.holder.DID()+"#0", proofToken{Audience: issuer, IssuedAt: dateOf(w.clock.now), Nonce: n})
			if err != nil {
				w.t.Fatal(err)
			}
			return proof
		}, "invalid_proof"},
		{"by a did:web", func(w *world, n string) string {
			proof, err := w.other.key.sign(typeProof, w.other.kid, proofToken{Audience: issuer, IssuedAt: dateOf(w.clock.now), Nonce: n})
			if err != nil {
				w.t.Fatal(err)
			}
			return proof
		}, "invalid_proof"},
		{"truncated", func(w *world, n string) string { return w.proof(w.holder, issuer, n)[:40] }, "invalid_proof"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			token := w.token()
			status, body := w.fetch(token, c.proof(w, w.freshNonce(token)))
			if c.want == "" && status != http.StatusOK || c.want != "" && !strings.Contains(body, `"error":"`+c.want+`"`) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

func TestOneOfManyGetsTheCredential(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	proof := w.proof(w.holder, "https://issuer.test", w.freshNonce(token))
	var all sync.WaitGroup
	got := make([]int, 8)
	for i := range got {
		all.Go(func() { got[i], _ = w.fetch(token, proof) })
	}
	all.Wait()
	taken := 0
	for _, status := range got {
		if status == http.StatusOK {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("answers %v", got)
	}
	if status, body := w.call("/nonce", "guess", "application/json", nil); status != http.StatusUnauthorized {
		t.Errorf("a guessed token: %d %s", status, body)
	}
}

func TestIssuerIsRestored(t *testing.T) {
	w := newWorld(t)
	if err := w.issuer.Revoke(w.issued.ID); err != nil {
		t.Fatal(err)
	}
	token := w.token()
	b, err := w.issuer.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	config := w.issuer.config
	if w.issuer, err = RestoreIssuer(config, b); err != nil {
		t.Fatal(err)
	}
	w.net.Handle("issuer.test", w.issuer)
	if _, err := w.verifier.Credential(t.Context(), w.issued.JWT, w.want()); ReasonOf(err) != Revoked {
		t.Errorf("what was revoked: %v", err)
	}
	if status, body := w.fetch(token, w.proof(w.holder, "https://issuer.test", w.freshNonce(token))); status != http.StatusOK {
		t.Errorf("an offer that was open: %d %s", status, body)
	}
	for _, damaged := range []string{"", "{}", string(b[:len(b)/2]), strings.Replace(string(b), `"issued":{`, `"issued":{"a":131072,`, 1)} {
		if _, err := RestoreIssuer(config, []byte(damaged)); err == nil {
			t.Errorf("%.30q: no error", damaged)
		}
	}
}

func FuzzRestoreIssuer(f *testing.F) {
	config := IssuerConfig{Now: newClock().Now, Rand: seeded(1), BaseURL: "https://issuer.test"}
	f.Add([]byte(`{"version":1,"status":"AAAA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := RestoreIssuer(config, b); err == nil && i.DID() != "did:web:issuer.test" {
			t.Error(i.DID())
		}
	})
}
