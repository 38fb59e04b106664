package credential

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
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

// TestTokens: what becomes of a pre-authorised code, and who gets an access token.
func TestTokens(t *testing.T) {
	for _, c := range []struct {
		name   string
		coded  bool
		change func(*world, *offer, url.Values)
		want   string
	}{
		{name: "whole"},
		{name: "with its transaction code", coded: true, change: func(_ *world, o *offer, v url.Values) { v.Set("tx_code", o.TxCode) }},
		{name: "at the last moment", change: func(w *world, _ *offer, _ url.Values) { w.clock.pass(10*time.Minute - 1) }},
		{name: "with the code at the last try", coded: true, change: func(_ *world, o *offer, v url.Values) { o.WrongCodes = txCodeTries - 1; v.Set("tx_code", o.TxCode) }},
		{name: "another grant", change: func(_ *world, _ *offer, v url.Values) { v.Set("grant_type", "authorization_code") }, want: "unsupported_grant_type"},
		{name: "no grant", change: func(_ *world, _ *offer, v url.Values) { v.Del("grant_type") }, want: "unsupported_grant_type"},
		{name: "another code", change: func(_ *world, _ *offer, v url.Values) { v.Set("pre-authorized_code", "x") }, want: "invalid_grant"},
		{name: "no code", change: func(_ *world, _ *offer, v url.Values) { v.Del("pre-authorized_code") }, want: "invalid_grant"},
		{name: "too late", change: func(w *world, _ *offer, _ url.Values) { w.clock.pass(10 * time.Minute) }, want: "invalid_grant"},
		{name: "code that was used", change: func(_ *world, o *offer, _ url.Values) { o.Token = "t" }, want: "invalid_grant"},
		{name: "offer that was taken", change: func(_ *world, o *offer, _ url.Values) { o.Credential = "urn:uuid:1" }, want: "invalid_grant"},
		{name: "without its transaction code", coded: true, want: "invalid_request"},
		{name: "with a transaction code too many", change: func(_ *world, _ *offer, v url.Values) { v.Set("tx_code", "1234") }, want: "invalid_request"},
		{name: "with another transaction code", coded: true, change: func(_ *world, _ *offer, v url.Values) { v.Set("tx_code", "x") }, want: "invalid_grant"},
		{name: "with the code after three wrong ones", coded: true, change: func(_ *world, o *offer, v url.Values) { o.WrongCodes = txCodeTries; v.Set("tx_code", o.TxCode) }, want: "invalid_grant"},
		{name: "no form", change: func(_ *world, _ *offer, v url.Values) { v.Set("%", "") }, want: "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.issuer.Offer(nil, c.coded); err != nil {
				t.Fatal(err)
			}
			o := w.issuer.find(func(*offer) bool { return true })
			form := url.Values{"grant_type": {grantPreAuthorized}, "pre-authorized_code": {o.Code}}
			if c.change != nil {
				c.change(w, o, form)
			}
			body := strings.ReplaceAll(form.Encode(), "%25", "%")
			wrong := o.WrongCodes
			status, answer := w.call("/token", "", "application/x-www-form-urlencoded", []byte(body))
			if c.want == "" && status != http.StatusOK || c.want != "" && !strings.Contains(answer, `"error":"`+c.want+`"`) {
				t.Errorf("%d %s", status, answer)
			}
			if counted := o.WrongCodes > wrong; counted != (c.name == "with another transaction code") {
				t.Errorf("%d wrong codes", o.WrongCodes)
			}
		})
	}
}

// TestFetches: what has to be asked for, by whom, and how often.
func TestFetches(t *testing.T) {
	const issuer = "https://issuer.test"
	w := newWorld(t)
	token := w.token()
	one := w.proof(w.holder, issuer, w.freshNonce(token))
	ask := func(token, kind string, proofs ...string) string {
		body, err := json.Marshal(CredentialRequest{kind, map[string][]string{"jwt": proofs}})
		if err != nil {
			t.Fatal(err)
		}
		_, answer := w.call("/credential", token, "application/json", body)
		return answer
	}
	for _, c := range []struct{ what, answer, want string }{
		{"another type", ask(token, "VerifiedEmployee", one), "unknown_credential_configuration"},
		{"no proof", ask(token, TypeVerifiedIdentity), "invalid_proof"},
		{"two proofs", ask(token, TypeVerifiedIdentity, one, one), "invalid_proof"},
		{"no token", ask("", TypeVerifiedIdentity, one), "invalid_token"},
		{"another token", ask("x", TypeVerifiedIdentity, one), "invalid_token"},
	} {
		if !strings.Contains(c.answer, `"error":"`+c.want+`"`) {
			t.Errorf("%s: %s", c.what, c.answer)
		}
	}
	if _, answer := w.call("/credential", token, "application/json", []byte("{")); !strings.Contains(answer, "invalid_credential_request") {
		t.Errorf("half a request: %s", answer)
	}
	if _, answer := w.call("/credential", token, "application/json", append([]byte(`{"proofs":"`), make([]byte, bodyLimit)...)); !strings.Contains(answer, "invalid_credential_request") {
		t.Errorf("a long request: %s", answer)
	}
	if answer := ask(token, TypeVerifiedIdentity, one[:40]); !strings.Contains(answer, "invalid_proof") {
		t.Errorf("half a proof: %s", answer)
	}
	if answer := ask(token, TypeVerifiedIdentity, one); !strings.Contains(answer, "invalid_nonce") {
		t.Errorf("a nonce that was tried: %s", answer)
	}
	nonce := w.freshNonce(token)
	early, err := Proof(w.holder, issuer, nonce, w.clock.now.Add(skew+time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if answer := ask(token, TypeVerifiedIdentity, early); !strings.Contains(answer, "invalid_proof") {
		t.Errorf("a proof of the future: %s", answer)
	}
	nonce = w.freshNonce(token)
	if early, err = Proof(w.holder, issuer, nonce, w.clock.now.Add(skew)); err != nil {
		t.Fatal(err)
	}
	if answer := ask(token, TypeVerifiedIdentity, early); !strings.Contains(answer, `"credential":"`) {
		t.Errorf("within the skew: %s", answer)
	}
	if status, answer := w.call("/nonce", token, "", nil); status != http.StatusUnauthorized {
		t.Errorf("a token that was used: %s", answer)
	}
	w.issuer.offers = map[string]*offer{}
	if _, err := w.issuer.Offer(nil, false); err != nil { // nobody has taken it up: its token is empty
		t.Fatal(err)
	}
	if status, answer := w.call("/nonce", "", "", nil); status != http.StatusUnauthorized {
		t.Errorf("an empty token: %s", answer)
	}
	w.clock.pass(10 * time.Minute)
	if _, err := w.issuer.Offer(nil, false); err != nil || len(w.issuer.offers) != 1 {
		t.Errorf("%d offers are kept, %v", len(w.issuer.offers), err)
	}
}

// TestListIsFull: half of a list is given out.
func TestListIsFull(t *testing.T) {
	w := newWorld(t)
	for index := range statusEntries/2 - 1 {
		w.issuer.used[index] = true
	}
	w.issuer.used[statusEntries-1] = false
	for len(w.issuer.used) < statusEntries/2 {
		if _, err := w.issuer.Issue(w.holder.DID(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.issuer.Issue(w.holder.DID(), nil); err == nil {
		t.Error("one more was issued")
	}
}

// TestNothingRandom: an issuer without randomness makes nothing that could be guessed.
func TestNothingRandom(t *testing.T) {
	w := newWorld(t)
	if _, err := NewIssuer(IssuerConfig{Now: w.clock.Now, Rand: strings.NewReader("x"), BaseURL: "https://issuer.test"}); err == nil {
		t.Error("an issuer has a key")
	}
	if _, err := NewIssuer(IssuerConfig{Now: w.clock.Now, Rand: seeded(1), BaseURL: "issuer.test"}); err == nil {
		t.Error("an issuer has no address")
	}
	token := w.token()
	proof := w.proof(w.holder, "https://issuer.test", w.freshNonce(token))
	for drawn, what := range map[int]func() error{
		15: func() error { _, err := w.issuer.Offer(nil, false); return err }, 31: func() error { _, err := w.issuer.Offer(nil, false); return err },
		35: func() error { _, err := w.issuer.Offer(nil, true); return err },
		16: func() error { _, err := w.issuer.Issue(w.holder.DID(), nil); return err }, 19: func() error { _, err := w.issuer.Issue(w.holder.DID(), nil); return err },
	} {
		w.issuer.config.Rand = strings.NewReader(strings.Repeat("x", drawn))
		if what() == nil {
			t.Errorf("after %d bytes: no error", drawn)
		}
	}
	w.issuer.config.Rand = strings.NewReader("x")
	for _, path := range []string{"/token", "/nonce"} {
		if status, body := w.call(path, token, "application/x-www-form-urlencoded", []byte("grant_type="+url.QueryEscape(grantPreAuthorized))); status != http.StatusInternalServerError {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := w.fetch(token, proof); status != http.StatusInternalServerError {
		t.Errorf("a credential: %d %s", status, body)
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
	config, before := w.issuer.config, w.issuer
	if w.issuer, err = RestoreIssuer(config, b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(w.issuer.issued, before.issued) || !reflect.DeepEqual(w.issuer.used, before.used) {
		t.Error("what was issued is forgotten, or its places in the list")
	}
	w.net.Handle("issuer.test", w.issuer)
	if _, err := w.verifier.Credential(t.Context(), w.issued.JWT, w.want()); ReasonOf(err) != Revoked {
		t.Errorf("what was revoked: %v", err)
	}
	if status, body := w.fetch(token, w.proof(w.holder, "https://issuer.test", w.freshNonce(token))); status != http.StatusOK {
		t.Errorf("an offer that was open: %d %s", status, body)
	}
	if err := w.issuer.Revoke(w.issued.ID); err != nil {
		t.Error(err)
	}
	replace := func(old, with string) string {
		t.Helper()
		if !strings.Contains(string(b), old) {
			t.Fatalf("%s is not in %s", old, b)
		}
		return strings.Replace(string(b), old, with, 1)
	}
	long, _ := EncodeStatusList(make([]byte, statusEntries/4))
	status, _ := EncodeStatusList(before.bits)
	for _, damaged := range []string{
		"", "{}", string(b[:len(b)/2]), replace(`"version":1`, `"version":2`), replace(`"version":1`, `"version":0`), replace(`"issued":{`, `"issued":{"a":131072,`), replace(`"issued":{`, `"issued":{"a":-1,`),
		replace(status, "AAAA"), replace(status, long), replace(`"offers":{`, `"offers":{"a":null,`), replace(`"key":"`, `"key":"AAAA`),
	} {
		if _, err := RestoreIssuer(config, []byte(damaged)); err == nil {
			t.Errorf("%.30q: no error", damaged)
		}
	}
	if _, err := RestoreIssuer(config, []byte(replace(`"issued":{`, `"issued":{"a":131071,"b":0,`))); err != nil {
		t.Errorf("the first and the last place: %v", err)
	}
	config.BaseURL = "issuer.test"
	if _, err := RestoreIssuer(config, b); err == nil {
		t.Error("without an address: no error")
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
