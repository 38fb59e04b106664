package reference_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/loop"
	requests "fido-emu/identity/request"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/recovery"
)

// alike finds every face alike.
type alike struct{}

func (alike) Match(context.Context, []byte, []byte) (requests.FaceMatch, error) {
	return requests.FaceMatch{Live: true, Score: 90}, nil
}

// agreeable holds a wallet and agrees to everything.
type agreeable struct{}

func (agreeable) Consent(context.Context, *wallet.Asked) (bool, error) { return true, nil }
func (agreeable) Selfie(context.Context) ([]byte, error)               { return []byte("selfie"), nil }

// office is a relying party with recovery, the real request service, an issuer for
// each provider, and Ada, who has a Verified ID of idemia's in her wallet.
type office struct {
	site
	issuers map[string]*credential.Issuer
	wallet  *wallet.Wallet
	// presented changes what the relying party is given of a presentation.
	presented func(*requests.Presented)
	before    requests.Presented
}

// once goes through a case and keeps what was presented.
func (o *office) once() {
	o.presented = func(p *requests.Presented) { o.before = *p }
	if status := o.recover(rp.RecoveryAsk{}); status.State != recovery.Issued {
		o.t.Fatalf("the first case is %+v", status)
	}
}

func newOffice(t *testing.T, change func(*rp.RecoveryProfile)) *office {
	t.Helper()
	core, clk := newCore(t)
	o := &office{site: site{reference.InProcess(core, origin), t, t.Context(), core, clk}, issuers: map[string]*credential.Issuer{}}
	network, random := loop.New(), rand.NewChaCha8([32]byte{5})
	service, err := requests.New(requests.Config{
		Now: clk.now, Rand: random, Client: network.Client(), BaseURL: "https://id.example", Faces: alike{},
		Tenants: []requests.Tenant{{Name: "shop", Token: "k"}},
	})
	o.ok(err)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { o.answer(service, w, r) })
	for _, name := range []string{"idemia", "au10tix"} {
		o.issuers[name], err = credential.NewIssuer(credential.IssuerConfig{Now: clk.now, Rand: random, BaseURL: "https://id.example/" + name + "/issuer", Name: name})
		o.ok(err)
		mux.Handle("/"+name+"/issuer/", o.issuers[name])
	}
	network.Handle("id.example", mux)
	network.Handle("login.example.com", reference.Handler(core))
	o.ok(core.EnableRecovery(reference.RecoveryServices{
		Proofing: "https://id.example", ProofingKey: "k", Requests: "https://id.example", RequestsKey: "k",
		Authority: service.Authority("shop"), Callback: origin, HTTP: network.Client(),
	}))
	staff := rp.RecoveryProfile{Name: "staff", Mode: recovery.Production, Reuse: true, Providers: []rp.RecoveryProvider{{Name: "idemia"}}}
	if change != nil {
		change(&staff)
	}
	o.ok(core.SetRecoveryPolicy(rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{staff, {Name: "guests", Groups: []string{"guests"}, Providers: []rp.RecoveryProvider{{Name: "au10tix"}}}}}))
	o.ok(core.SetIdentity(ada.Name, rp.Identity{GivenName: "Ada", FamilyName: "Lovelace", BirthDate: "1815-12-10", Country: "GB"}))
	o.ok(core.AddPerson(ada))
	o.wallet, err = wallet.New(wallet.Config{Now: clk.now, Rand: random, Client: network.Client(), Person: agreeable{}})
	o.ok(err)
	o.hold("idemia", credential.Claims{credential.FirstName: "Ada", credential.LastName: "Lovelace", credential.DateOfBirth: "1815-12-10"})
	return o
}

// answer is the request service's, but for what is changed of a presentation.
func (o *office) answer(service http.Handler, w http.ResponseWriter, r *http.Request) {
	if o.presented == nil || !strings.Contains(r.URL.Path, "/presentations/") {
		service.ServeHTTP(w, r)
		return
	}
	kept := httptest.NewRecorder()
	service.ServeHTTP(kept, r)
	var p requests.Presented
	o.ok(json.Unmarshal(kept.Body.Bytes(), &p))
	o.presented(&p)
	o.ok(json.NewEncoder(w).Encode(p))
}

// hold puts a Verified ID into the wallet, in the place of what it had.
func (o *office) hold(provider string, claims credential.Claims) wallet.Held {
	o.t.Helper()
	for _, h := range o.wallet.List() {
		o.ok(o.wallet.Delete(h.ID))
	}
	m := image.NewGray(image.Rect(0, 0, 240, 240))
	for i := range m.Pix {
		x, y := i%240, i/240
		m.SetGray(x, y, color.Gray{uint8((x*x+y*y)/64) ^ uint8((x/8+y/8)%2*128)})
	}
	var photo bytes.Buffer
	o.ok(png.Encode(&photo, m))
	claims[credential.Portrait] = credential.EncodePhoto(photo.Bytes())
	offer, err := o.issuers[provider].Offer(claims, false)
	o.ok(err)
	held, err := o.wallet.Accept(o.ctx, offer.Link, "")
	o.ok(err)
	return held
}

// recover goes through a whole case and returns how it stands then.
func (o *office) recover(ask rp.RecoveryAsk) rp.RecoveryStatus {
	o.t.Helper()
	ask.Reuse = true
	began, err := o.StartRecovery(o.ctx, ada, ask)
	o.ok(err)
	status, err := o.RecoveryStatus(o.ctx, began)
	o.ok(err)
	err = o.wallet.Present(o.ctx, status.URL)
	status, after := o.RecoveryStatus(o.ctx, began)
	o.ok(after)
	if err != nil && status.State == recovery.Issued {
		o.t.Errorf("a pass was issued, and the wallet was told %v", err)
	}
	return status
}

// TestRecoveryTrustsNobody: the relying party verifies for itself what the request
// service says was verified.
func TestRecoveryTrustsNobody(t *testing.T) {
	for _, test := range []struct {
		name    string
		profile func(*rp.RecoveryProfile)
		do      func(*office) // before the case
		given   func(*office, *requests.Presented)
		state   string
		reason  string
	}{
		{name: "whole", state: recovery.Issued},
		{name: "evaluation", profile: func(p *rp.RecoveryProfile) { p.Mode = recovery.Evaluation }, state: recovery.Evaluated},
		{name: "date of birth", profile: func(p *rp.RecoveryProfile) { p.BirthDate = true }, state: recovery.Issued},
		{name: "nothing", given: func(_ *office, p *requests.Presented) { p.VPToken = "" }, reason: "presentation-malformed"},
		{name: "truncated", given: func(_ *office, p *requests.Presented) { p.VPToken = p.VPToken[:len(p.VPToken)/2] }, reason: "presentation-malformed"},
		{name: "forged", given: func(_ *office, p *requests.Presented) { p.VPToken = p.VPToken[:len(p.VPToken)-4] + "AAAA" }, reason: "presentation-bad-signature"},
		{name: "another nonce", given: func(_ *office, p *requests.Presented) { p.Nonce += "x" }, reason: "presentation-unknown-nonce"},
		{name: "of another case", do: (*office).once, given: func(o *office, p *requests.Presented) { p.VPToken = o.before.VPToken }, reason: "presentation-unknown-nonce"},
		{name: "of another case, with its nonce", do: (*office).once, given: func(o *office, p *requests.Presented) { *p = o.before }, reason: "presentation-replayed"},
		{name: "of another time", given: func(o *office, _ *requests.Presented) { o.clock.pass(7 * time.Minute) }, reason: "presentation-expired"},
		{name: "revoked meanwhile", given: func(o *office, _ *requests.Presented) {
			o.ok(o.issuers["idemia"].Revoke(o.wallet.List()[0].ID))
		}, reason: "credential-revoked"},
		{name: "blocked meanwhile", given: func(o *office, _ *requests.Presented) {
			policy := o.core.RecoveryPolicy()
			policy.BlockedProviders = []string{"idemia"}
			o.ok(o.core.SetRecoveryPolicy(policy))
		}, state: recovery.Issued}, // it was blocked after this Verified ID was looked at
		{name: "blocked before", do: func(o *office) {
			policy := o.core.RecoveryPolicy()
			policy.BlockedProviders = []string{"idemia"}
			o.ok(o.core.SetRecoveryPolicy(policy))
		}, reason: "credential-unknown-issuer"},
		{name: "names of another", do: func(o *office) {
			o.hold("idemia", credential.Claims{credential.FirstName: "Ada", credential.LastName: "Byron"})
		}, reason: recovery.NameMismatch},
		{name: "born on another day", profile: func(p *rp.RecoveryProfile) { p.BirthDate = true }, do: func(o *office) {
			o.hold("idemia", credential.Claims{credential.FirstName: "Ada", credential.LastName: "Lovelace", credential.DateOfBirth: "1990-01-01"})
		}, reason: recovery.ClaimMismatch},
		{name: "somebody of the same names", do: func(o *office) {
			o.ok(o.core.AddPerson(rp.Person{Name: "bob"}))
			o.ok(o.core.SetIdentity("BOB", rp.Identity{GivenName: "Ada", FamilyName: "Lovelace"}))
		}, reason: recovery.AmbiguousName},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOffice(t, test.profile)
			signedIn(t, o.core)
			if test.do != nil {
				test.do(o)
			}
			if test.given != nil {
				o.presented = func(p *requests.Presented) { test.given(o, p) }
			}
			if test.reason != "" {
				test.state = recovery.Ended
			}
			account, err := o.core.Account(ada.Name)
			o.ok(err)
			status := o.recover(rp.RecoveryAsk{})
			if status.State != test.state || status.Reason != test.reason || (status.Pass != "") != (test.state == recovery.Issued) {
				t.Fatalf("the case is %+v, want %s %s", status, test.state, test.reason)
			}
			after, err := o.core.Account(ada.Name)
			o.ok(err)
			if test.state == recovery.Issued {
				account.Pass = after.Pass
			}
			if string(mustJSON(after)) != string(mustJSON(account)) {
				t.Errorf("the account is %s, was %s", mustJSON(after), mustJSON(account))
			}
			log := o.core.RecoveryLog(strings.ToUpper(ada.Name))
			if last := log[len(log)-1]; last.Reason != test.reason || last.Case == "" || !last.Time.Equal(o.clock.now()) || last.Done != (test.reason == "") || last.Person != ada.Name || len(o.core.RecoveryLog("bob")) != 0 {
				t.Errorf("the last entry is %+v", last)
			}
		})
	}
}

// TestVerifiedIDOfAnotherProfile: guests' provider vouches for guests alone, whatever
// the request service lets in.
func TestVerifiedIDOfAnotherProfile(t *testing.T) {
	o := newOffice(t, nil)
	signedIn(t, o.core)
	guest := o.hold("au10tix", credential.Claims{credential.FirstName: "Ada", credential.LastName: "Lovelace"})
	own := o.hold("idemia", credential.Claims{credential.FirstName: "Ada", credential.LastName: "Lovelace"})
	o.presented = func(p *requests.Presented) {
		key, err := credential.NewKey(rand.NewChaCha8([32]byte{6}))
		o.ok(err)
		issued, err := o.issuers["au10tix"].Issue(key.DID(), guest.Claims)
		o.ok(err)
		p.VPToken, err = credential.Present(key, p.Audience, p.Nonce, "urn:uuid:1", o.clock.now(), time.Minute, issued.JWT)
		o.ok(err)
	}
	if status := o.recover(rp.RecoveryAsk{}); status.Reason != "credential-unknown-issuer" {
		t.Errorf("with %s in the place of %s the case is %+v", guest.Issuer, own.Issuer, status)
	}
}

// TestRecoveredWithEverythingRevoked: what was there before goes when the new passkey
// is there, and not before.
func TestRecoveredWithEverythingRevoked(t *testing.T) {
	for _, revoke := range []bool{true, false} {
		o := newOffice(t, nil)
		signedIn(t, o.core)
		for _, e := range []rp.Enrolment{{Kind: rp.Password, Secret: password}, {Kind: rp.SMS, Address: "+49 30 123456"}} {
			o.ok(o.core.EnrolMethod(ada.Name, e))
		}
		o.ok(o.byCode(o.ctx))
		status := o.recover(rp.RecoveryAsk{RevokeOld: revoke})
		person := reference.InProcess(o.core, origin)
		_, err := person.RedeemPass(o.ctx, ada, status.Pass)
		o.ok(err)
		before, err := o.core.Account(ada.Name)
		o.ok(err)
		made, err := person.Register(o.ctx, ada, newToy(t))
		o.ok(err)
		after, err := o.core.Account(ada.Name)
		o.ok(err)
		left, err := o.core.PersonMethods(ada.Name)
		o.ok(err)
		if len(before.Credentials) != 1 || before.Sessions != 3 {
			t.Errorf("before the new passkey: %+v", before)
		}
		want := map[bool]struct{ credentials, sessions, methods int }{true: {1, 1, 1}, false: {2, 3, 4}}[revoke]
		if len(after.Credentials) != want.credentials || after.Sessions != want.sessions || len(left) != want.methods || (after.Pass == nil) != revoke {
			t.Errorf("revoke %v: %d passkeys, %d sessions, methods %+v, pass %+v", revoke, len(after.Credentials), after.Sessions, left, after.Pass)
		}
		if last := after.Credentials[len(after.Credentials)-1]; !bytes.Equal(last.ID, made.ID) {
			t.Errorf("the new passkey is not there: %+v", after.Credentials)
		}
		if in, err := person.SignedIn(o.ctx, ada); err != nil || !in {
			t.Errorf("the new session stands: %v, %v", in, err)
		}
		var removed []string
		for _, e := range o.core.Audit(0, 1000) {
			if e.Detail == "after recovery" {
				removed = append(removed, e.Action+" "+e.Person+" "+e.Outcome+" "+e.Method)
			}
		}
		if got := strings.Join(removed, ", "); revoke && got != "revoke-credential ada@example.com done , remove-method ada@example.com done password, remove-method ada@example.com done sms" || !revoke && got != "" {
			t.Errorf("logged %s", got)
		}
	}
}
