package credential

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// forgery is a credential or a presentation that has to be refused, by one step.
type forgery struct {
	name string
	step string
	make func(*world) string
}

const day = 24 * time.Hour

// credentialForgeries has something for each step of a credential.
func credentialForgeries() []forgery {
	return []forgery{
		{"empty", "credential.form", func(*world) string { return "" }},
		{"truncated in the signature", "credential.form", func(w *world) string { return w.issued.JWT[:strings.LastIndex(w.issued.JWT, ".")] }},
		{"truncated in the claims", "credential.form", func(w *world) string { return w.issued.JWT[:len(w.issued.JWT)/2] }},
		{"with a part too many", "credential.form", func(w *world) string { return w.issued.JWT + ".AA" }},
		{"no base64url", "credential.form", func(w *world) string { return strings.Replace(w.issued.JWT, ".", ".!", 1) }},
		{"too long", "credential.form", func(w *world) string { return w.issued.JWT + strings.Repeat("A", tokenLimit) }},
		{"with critical extensions", "credential.form", func(w *world) string {
			return withHeader(w.issued.JWT, `{"alg":"ES256","kid":"`+w.issuer.kid+`","crit":["b64"],"b64":false}`)
		}},
		{"a presentation in its place", "credential.form", func(w *world) string { return w.presented(w.issued.JWT) }},
		{"without an issuer", "credential.form", func(w *world) string { return w.byIssuer(set("iss", "")) }},
		{"without a subject", "credential.form", func(w *world) string { return w.byIssuer(set("sub", "")) }},
		{"of no type of credential", "credential.form", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { vc["type"] = []string{TypeVerifiedIdentity} }))
		}},
		{"with claims that are a list", "credential.form", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { vc["credentialSubject"] = []string{"a"} }))
		}},
		{"algorithm none", "credential.algorithm", func(w *world) string {
			return withHeader(w.issued.JWT[:strings.LastIndex(w.issued.JWT, ".")+1], `{"alg":"none","kid":"`+w.issuer.kid+`"}`)
		}},
		{"HS256 with the public key", "credential.algorithm", func(w *world) string { return w.hs256(w.issued.JWT, w.issuer.kid, w.issuer.key) }},
		{"another issuer's", "credential.issuer", func(w *world) string { return w.issuedBy(w.other) }},
		{"key of another issuer", "credential.key.issuer", func(w *world) string {
			return w.resigned(w.issued.JWT, w.other.key, w.other.kid, nil)
		}},
		{"key of the holder", "credential.key.issuer", func(w *world) string {
			return w.resigned(w.issued.JWT, w.holder, w.holder.DID()+"#0", nil)
		}},
		{"no key named", "credential.key.issuer", func(w *world) string { return w.resigned(w.issued.JWT, w.issuer.key, "", nil) }},
		{"issuer down", "credential.key.document", func(w *world) string { w.net.Down("issuer.test"); return w.issued.JWT }},
		{"issuer answers with another's document", "credential.key.document", func(w *world) string {
			w.net.Handle("issuer.test", w.other)
			return w.issued.JWT
		}},
		{"key that the issuer has not", "credential.key", func(w *world) string {
			return w.resigned(w.issued.JWT, w.issuer.key, w.issuer.did+"#key-2", nil)
		}},
		{"issuer's name, thief's key", "credential.signature", func(w *world) string {
			return w.resigned(w.issued.JWT, w.thief, w.issuer.kid, nil)
		}},
		{"a name changed", "credential.signature", func(w *world) string {
			parts := strings.Split(w.byIssuer(vc(func(vc map[string]any) {
				vc["credentialSubject"].(map[string]any)[LastName] = "Byron"
			})), ".")
			return strings.Join([]string{parts[0], parts[1], strings.Split(w.issued.JWT, ".")[2]}, ".")
		}},
		{"issuer's key was exchanged", "credential.signature", func(w *world) string {
			w.newIssuer("issuer.test", seeded(99))
			return w.issued.JWT
		}},
		{"inner issuer differs", "credential.agreement", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { vc["issuer"] = w.other.did }))
		}},
		{"inner subject differs", "credential.agreement", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { vc["credentialSubject"].(map[string]any)["id"] = w.thief.DID() }))
		}},
		{"inner expiry differs", "credential.agreement", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { vc["expirationDate"] = "2099-01-01T00:00:00Z" }))
		}},
		{"of another type", "credential.type", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { vc["type"] = []string{typeVerifiable, "VerifiedEmployee"} }))
		}},
		{"status list in its place", "credential.type", func(w *world) string { return w.statusList() }},
		{"from tomorrow on", "credential.not-before", func(w *world) string {
			return w.byIssuer(set("nbf", w.clock.now.Add(day).Unix()))
		}},
		{"issued tomorrow", "credential.not-before", func(w *world) string {
			return w.byIssuer(set("iat", w.clock.now.Add(day).Unix()))
		}},
		{"expired", "credential.expiry", func(w *world) string { w.clock.pass(366 * day); return w.issued.JWT }},
		{"without expiry", "credential.expiry", func(w *world) string {
			return w.byIssuer(func(c map[string]any) { delete(c, "exp") })
		}},
		{"without status", "credential.status", func(w *world) string {
			return w.byIssuer(vc(func(vc map[string]any) { delete(vc, "credentialStatus") }))
		}},
		{"status elsewhere", "credential.status", func(w *world) string {
			return w.byIssuer(status("statusListCredential", "https://other.test/status/1"))
		}},
		{"status beyond the list", "credential.status", func(w *world) string { return w.byIssuer(status("statusListIndex", "131072")) }},
		{"status below the list", "credential.status", func(w *world) string { return w.byIssuer(status("statusListIndex", "-1")) }},
		{"status of another kind", "credential.status", func(w *world) string { return w.byIssuer(status("type", "Other")) }},
		{"status list down", "credential.status", func(w *world) string { w.net.DieAfter("issuer.test", 1); return w.issued.JWT }},
		{"status list is an error page", "credential.status", func(w *world) string { w.serveStatus("<html>"); return w.issued.JWT }},
		{"status list of another issuer", "credential.status", func(w *world) string {
			list, _ := w.other.StatusList()
			w.serveStatus(list)
			return w.issued.JWT
		}},
		{"status without a number", "credential.status", func(w *world) string { return w.byIssuer(status("statusListIndex", "first")) }},
		{"status for suspension", "credential.status", func(w *world) string { return w.byIssuer(status("statusPurpose", "suspension")) }},
		{"nobody looks up status", "credential.status", func(w *world) string { w.verifier.Status = nil; return w.issued.JWT }},
		{"status list of another address", "credential.status", func(w *world) string {
			w.serveStatus(w.resigned(w.statusList(), w.issuer.key, w.issuer.kid, set("jti", "https://issuer.test/status/2")))
			return w.issued.JWT
		}},
		{"status list for suspension", "credential.status", func(w *world) string {
			w.serveStatus(w.resigned(w.statusList(), w.issuer.key, w.issuer.kid, subject("statusPurpose", "suspension")))
			return w.issued.JWT
		}},
		{"status list without bits", "credential.status", func(w *world) string {
			w.serveStatus(w.resigned(w.statusList(), w.issuer.key, w.issuer.kid, subject("encodedList", "AAAA")))
			return w.issued.JWT
		}},
		{"status list of yesterday", "credential.status", func(w *world) string {
			w.serveStatus(w.statusList())
			w.clock.pass(day)
			return w.issued.JWT
		}},
		{"revoked", "credential.revocation", func(w *world) string {
			if err := w.issuer.Revoke(w.issued.ID); err != nil {
				w.t.Fatal(err)
			}
			return w.issued.JWT
		}},
	}
}

// presentationForgeries has something for each step of a presentation.
func presentationForgeries() []forgery {
	whole := func(w *world) string { return w.presented(w.issued.JWT) }
	byHolder := func(change func(map[string]any)) func(*world) string {
		return func(w *world) string { return w.resigned(whole(w), w.holder, w.holder.DID()+"#0", change) }
	}
	return []forgery{
		{"truncated", "presentation.form", func(w *world) string { return whole(w)[:100] }},
		{"a credential in its place", "presentation.form", func(w *world) string { return w.issued.JWT }},
		{"without a holder", "presentation.form", byHolder(set("iss", ""))},
		{"algorithm none", "presentation.algorithm", func(w *world) string {
			return withHeader(whole(w), `{"alg":"none","kid":"`+w.holder.DID()+`#0"}`)
		}},
		{"HS256 with the public key", "presentation.algorithm", func(w *world) string { return w.hs256(whole(w), w.holder.DID()+"#0", w.holder) }},
		{"key of a thief", "presentation.key.holder", func(w *world) string {
			return w.resigned(whole(w), w.thief, w.thief.DID()+"#0", nil)
		}},
		{"holder without a document", "presentation.key.document", func(w *world) string {
			return w.resigned(whole(w), w.holder, "did:web:nowhere.test#0", set("iss", "did:web:nowhere.test"))
		}},
		{"key that the holder has not", "presentation.key", func(w *world) string {
			return w.resigned(whole(w), w.holder, w.holder.DID()+"#1", nil)
		}},
		{"holder's name, thief's key", "presentation.signature", func(w *world) string {
			return w.resigned(whole(w), w.thief, w.holder.DID()+"#0", nil)
		}},
		{"meant for another", "presentation.audience", func(w *world) string {
			return w.presentedBy(w.holder, "did:web:phish.test", nonce, w.issued.JWT)
		}},
		{"with an unknown nonce", "presentation.nonce", func(w *world) string {
			return w.presentedBy(w.holder, audience, "another", w.issued.JWT)
		}},
		{"without a nonce", "presentation.nonce", byHolder(set("nonce", ""))},
		{"from tomorrow on", "presentation.not-before", func(w *world) string {
			return byHolder(set("nbf", w.clock.now.Add(day).Unix()))(w)
		}},
		{"expired", "presentation.expiry", func(w *world) string {
			vp := whole(w)
			w.clock.pass(7 * time.Minute)
			return vp
		}},
		{"without expiry", "presentation.expiry", byHolder(set("exp", 0))},
		{"stale, and good for a day", "presentation.freshness", func(w *world) string {
			vp, err := Present(w.holder, audience, nonce, "urn:uuid:1", w.clock.Now(), day, w.issued.JWT)
			if err != nil {
				w.t.Fatal(err)
			}
			w.clock.pass(7 * time.Minute)
			return vp
		}},
		{"with a credential too many", "presentation.extra", func(w *world) string { return w.presented(w.issued.JWT, w.issued.JWT) }},
		{"with no credential", "presentation.missing", func(w *world) string { return w.presented() }},
		{"with a forged credential", "credential.signature", func(w *world) string {
			return w.presented(w.resigned(w.issued.JWT, w.thief, w.issuer.kid, nil))
		}},
		{"with somebody else's credential", "presentation.holder", func(w *world) string {
			return w.presentedBy(w.thief, audience, nonce, w.issued.JWT)
		}},
		{"replayed", "presentation.replay", func(w *world) string {
			vp := whole(w)
			if _, err := w.verifier.Presentation(w.t.Context(), vp, w.demand()); err != nil {
				w.t.Fatal(err)
			}
			return vp
		}},
	}
}

func (w *world) issuedBy(i *Issuer) string {
	w.t.Helper()
	issued, err := i.Issue(w.holder.DID(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return issued.JWT
}

func (w *world) statusList() string {
	w.t.Helper()
	list, err := w.issuer.StatusList()
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// serveStatus puts another status list in place of the issuer's.
func (w *world) serveStatus(list string) {
	w.net.Handle("issuer.test", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/status/") {
			rw.Write([]byte(list)) //nolint:errcheck // it is a buffer
			return
		}
		w.issuer.ServeHTTP(rw, r)
	}))
}

func subject(name, value string) func(map[string]any) {
	return vc(func(vc map[string]any) { vc["credentialSubject"].(map[string]any)[name] = value })
}

func status(name, value string) func(map[string]any) {
	return vc(func(vc map[string]any) { vc["credentialStatus"].(map[string]any)[name] = value })
}

// verify runs one forgery past the verifier with a step left out, "" for none.
func (f forgery) verify(t *testing.T, presentation bool, without string) error {
	w := newWorld(t)
	text := f.make(w)
	w.verifier.without = without
	var err error
	if presentation {
		_, err = w.verifier.Presentation(t.Context(), text, w.demand())
	} else {
		_, err = w.verifier.Credential(t.Context(), text, w.want())
	}
	return err
}

// TestForgeries: each is refused at its step and for that step's reason, and would not
// be if the verifier left that step out.
func TestForgeries(t *testing.T) {
	reasons := map[string]Reason{}
	for _, s := range Steps() {
		reasons[s.Name] = s.Reason
	}
	for _, kind := range []struct {
		name         string
		presentation bool
		forgeries    []forgery
	}{{"credential", false, credentialForgeries()}, {"presentation", true, presentationForgeries()}} {
		for _, f := range kind.forgeries {
			t.Run(kind.name+" "+f.name, func(t *testing.T) {
				err := f.verify(t, kind.presentation, "")
				if refusal, ok := asRefusal(err); !ok || refusal.Step.Name != f.step || refusal.Reason != reasons[f.step] {
					t.Fatalf("%v, want a refusal at %s", err, f.step)
				}
				if strings.HasSuffix(f.step, ".form") || strings.HasSuffix(f.step, ".key.document") || strings.HasSuffix(f.step, ".key") {
					return // what they read the other steps need
				}
				if mutant, ok := asRefusal(f.verify(t, kind.presentation, f.step)); ok && mutant.Step.Name == f.step {
					t.Errorf("refused at %s although it was left out", f.step)
				}
			})
		}
	}
}

// TestEveryStepHasAForgery finds steps that nothing tests.
func TestEveryStepHasAForgery(t *testing.T) {
	tested := map[string]bool{"presentation.credentials": true} // its refusals are those of credentials
	for _, f := range append(credentialForgeries(), presentationForgeries()...) {
		tested[f.step] = true
	}
	for _, s := range Steps() {
		if !tested[s.Name] {
			t.Errorf("no forgery for %d %s", s.Number, s.Name)
		}
		if s.Says == "" || s.Where == "" || s.Reason == "" {
			t.Errorf("%s is not described: %+v", s.Name, s)
		}
	}
}
