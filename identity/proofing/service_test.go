package proofing

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/document"
	"fido-emu/identity/loop"
	"fido-emu/identity/person"
	"fido-emu/identity/wallet"
)

// shared are the drawings that every test uses: they cost more than the tests.
type shared struct {
	people []*person.Person
	mu     sync.Mutex
	drawn  map[string][]byte
}

var drawings = sync.OnceValue(func() *shared {
	people, err := person.Shipped()
	if err != nil {
		panic(err) // of a test
	}
	few := []string{"anna-eriksson", "sreejith-pillai", "john-smith", "john-smith-younger", "zoe-mueller", "victor-thief", "olena-shevchenko"}
	people = slices.DeleteFunc(people, func(p *person.Person) bool { return !slices.Contains(few, p.ID) })
	return &shared{people: people, drawn: map[string][]byte{}}
})

// bench is a service and a relying party on a network in memory.
type bench struct {
	*testing.T
	now       time.Time
	net       *loop.Network
	service   *Service
	config    Config
	callbacks []Result
	refuse    bool // callbacks are answered 500
	saved     []byte
	cannot    bool // save
	rand      *rand.ChaCha8
}

var secret = []byte("callback secret")

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), net: loop.New(), rand: rand.NewChaCha8(sha256.Sum256([]byte(t.Name())))}
	b.config = Config{
		Now: func() time.Time { return b.now }, Rand: rand.NewChaCha8([32]byte{1}), Client: b.net.Client(),
		BaseURL: "https://proofing.test", People: drawings().people, AdminKey: "admin",
		Relying: []RelyingParty{{"site", "key", secret}, {"other", "other key", []byte("other")}},
		Save: func(s []byte) error {
			if b.cannot {
				return errors.New("disk full")
			}
			b.saved = s
			return nil
		},
	}
	b.restart(nil)
	b.net.Handle("site.test", http.HandlerFunc(b.callback))
	return b
}

func (b *bench) restart(snapshot []byte) {
	b.Helper()
	b.config.Snapshot = snapshot
	s, err := New(b.config)
	if err != nil {
		b.Fatal(err)
	}
	if b.service != nil { // a gallery draws its people once
		s.gallery = b.service.gallery
	} else {
		s.gallery = gallery()
	}
	b.service = s
	b.net.Handle("proofing.test", s)
}

var gallery = sync.OnceValue(func() *person.Gallery { return person.NewGallery(drawings().people) })

func (b *bench) callback(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.Error(err)
	}
	if b.refuse {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	result, err := VerifyCallback(secret, r.Header.Get(SignatureHeader), body, b.now)
	if err != nil {
		b.Errorf("callback: %v", err)
	}
	b.callbacks = append(b.callbacks, result)
}

func (b *bench) client(provider string) *Client {
	return &Client{Base: "https://proofing.test", Provider: provider, Key: "key", HTTP: b.net.Client()}
}

// begin makes a session and starts it on a device.
func (b *bench) begin(provider string) (Ticket, *Applicant) {
	b.Helper()
	t, err := b.client(provider).Create(b.Context(), Request{Reference: "case 1", Callback: "https://site.test/callback"}, "")
	if err != nil {
		b.Fatal(err)
	}
	a := &Applicant{Link: t.URL, HTTP: b.net.Client()}
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	return t, a
}

func (b *bench) who(id string) *person.Person {
	b.Helper()
	p, err := person.Find(drawings().people, id)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *bench) picture(id string, kind person.Kind, defects ...person.Defect) []byte {
	b.Helper()
	d := drawings()
	d.mu.Lock()
	defer d.mu.Unlock()
	name := id + string(kind)
	for _, defect := range defects {
		name += string(defect)
	}
	if d.drawn[name] == nil {
		p := b.who(id)
		doc, err := p.Document(kind)
		if err != nil {
			b.Fatal(err)
		}
		doc.Defects = defects
		if d.drawn[name], err = document.Draw(p, doc); err != nil {
			b.Fatal(err)
		}
	}
	return d.drawn[name]
}

// shows is a person before a device who shows documents.
func (b *bench) shows(id string, pictures ...[]byte) Person {
	return Person{Person: b.who(id), Pictures: pictures, Condition: person.Daylight, Rand: b.rand}
}

// state is where a session stands, as its relying party is told.
func (b *bench) result(t Ticket) Result {
	b.Helper()
	r, err := b.client(t.Provider).Result(b.Context(), t.Session)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// camera is nobody: this wallet is asked for nothing.
type camera struct{}

func (camera) Consent(context.Context, *wallet.Asked) (bool, error) { return true, nil }
func (camera) Selfie(context.Context) ([]byte, error)               { return nil, nil }

func TestFromDocumentToWallet(t *testing.T) {
	for _, test := range []struct {
		provider, who string
		kinds         []person.Kind
		names         [2]string
	}{
		{"idemia", "anna-eriksson", []person.Kind{person.Passport}, [2]string{"Anna Maria", "Eriksson"}},
		{"lexisnexis", "john-smith", []person.Kind{person.DrivingLicence}, [2]string{"John", "Smith"}},
		{"au10tix", "olena-shevchenko", []person.Kind{person.IdentityCard}, [2]string{"Olena", "Shevchenko"}},
		{"truecredential", "zoe-mueller", []person.Kind{person.Passport, person.IdentityCard}, [2]string{"Zoë", "Müller-Strauß"}},
	} {
		t.Run(test.provider, func(t *testing.T) {
			b := newBench(t)
			ticket, a := b.begin(test.provider)
			p := b.shows(test.who)
			for _, k := range test.kinds {
				p.Pictures = append(p.Pictures, b.picture(test.who, k))
			}
			v, err := a.Proceed(t.Context(), p)
			if err != nil || v.Status != Verified {
				t.Fatalf("%+v %v", v, err)
			}
			if r := b.result(ticket); r.Status != Verified || r.Match != p.Match[person.Daylight] || len(b.callbacks) != 1 || b.callbacks[0].Status != Verified {
				t.Errorf("result %+v, callbacks %+v", r, b.callbacks)
			}
			o, err := a.Offer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			again, err := a.Offer(t.Context())
			if err != nil || again != o {
				t.Errorf("asked again: %+v %v", again, err)
			}
			w, err := wallet.New(wallet.Config{Now: b.config.Now, Rand: b.rand, Client: b.net.Client(), Person: camera{}})
			if err != nil {
				t.Fatal(err)
			}
			held, err := w.Accept(t.Context(), o.Link, o.TxCode)
			if err != nil {
				t.Fatal(err)
			}
			if got := [2]string{held.Claims[credential.FirstName], held.Claims[credential.LastName]}; got != test.names {
				t.Errorf("names %q", got)
			}
			if photo, err := held.Claims.Photo(credential.Portrait); err != nil || len(photo) == 0 {
				t.Errorf("portrait: %v", err)
			}
			if _, err := w.Accept(t.Context(), o.Link, o.TxCode); err == nil {
				t.Error("an offer was taken up twice")
			}
			if o.TxCode == "" != !b.service.houses[test.provider].TxCode {
				t.Errorf("code for the wallet: %q", o.TxCode)
			}
			if r := b.result(ticket); r.Status != Issued || r.Issuer != held.Issuer {
				t.Errorf("after issuance: %+v", r)
			}
		})
	}
}

// Every defect of a document, and everything that may be before the camera, comes out
// as its reason, and nobody of them gets a credential.
func TestRefusals(t *testing.T) {
	type refusal struct {
		name    string
		defects []person.Defect
		act     func(*Person)
		want    string
		status  Status
	}
	var all []refusal
	for defect, code := range map[person.Defect]document.Code{
		person.TamperedName: document.DataAltered, person.SwappedPortrait: document.PortraitAltered, person.WrongCheckDigit: document.ZoneCheckDigit,
		person.NoHologram: document.HologramMissing, person.ForgedChip: document.ChipForged, person.Expired: document.DocumentExpired,
		person.Stolen: document.DocumentStolen, person.UnknownState: document.IssuerUnknown, person.Photocopy: document.Photocopy, person.Screenshot: document.Screen,
	} {
		all = append(all, refusal{string(defect), []person.Defect{defect}, nil, string(code), Rejected})
	}
	for defect, code := range map[person.Defect]document.Code{person.Blurred: document.Blurred, person.Glare: document.Glare, person.Cropped: document.Cropped} {
		all = append(all, refusal{string(defect), []person.Defect{defect}, nil, string(code), Pending})
	}
	behaves := func(l person.Liveness) func(*Person) {
		return func(p *Person) { q := *p.Person; q.Liveness = l; p.Person = &q }
	}
	all = append(all,
		refusal{"somebody else's", []person.Defect{person.SomeoneElses}, nil, FaceMismatch, Pending},
		refusal{"still", nil, behaves(person.Still), LivenessFailed, Pending},
		refusal{"wrong turn", nil, behaves(person.WrongTurn), LivenessFailed, Pending},
		refusal{"printed", nil, behaves(person.Printed), PrintedPhoto, Rejected},
		refusal{"on screen", nil, behaves(person.OnScreen), ScreenReplay, Rejected},
		refusal{"deepfake", nil, behaves(person.Deepfake), ScreenReplay, Rejected},
		refusal{"stand-in", nil, behaves(person.Stand), FacesDiffer, Rejected},
		refusal{"smeared lens", nil, func(p *Person) { p.Condition = person.OutFocus }, FaceMismatch, Pending},
	)
	for _, test := range all {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			ticket, a := b.begin("idemia")
			p := b.shows("anna-eriksson", b.picture("anna-eriksson", person.Passport, test.defects...))
			if test.act != nil {
				test.act(&p)
			}
			v, err := a.Proceed(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if v.Status != test.status || !slices.ContainsFunc(v.Reasons, func(r Reason) bool { return r.Code == test.want }) {
				t.Errorf("%s: %+v", v.Status, v.Reasons)
			}
			if _, err := a.Offer(t.Context()); CodeOf(err) != CodeNotVerified && CodeOf(err) != CodeOver {
				t.Errorf("an offer: %v", err)
			}
			if r := b.result(ticket); r.Status != test.status {
				t.Errorf("result %+v", r)
			}
		})
	}
}

// A lookalike with the other's genuine document is a matter of the threshold.
func TestLookalike(t *testing.T) {
	b := newBench(t)
	for provider, want := range map[string]Status{"idemia": Verified, "lexisnexis": Pending} { // 74 against 70 and 75
		_, a := b.begin(provider)
		v, err := a.Proceed(t.Context(), b.shows("john-smith-younger", b.picture("john-smith", person.Passport)))
		if err != nil || v.Status != want {
			t.Errorf("%s: %+v %v", provider, v, err)
		}
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	b := newBench(t)
	ticket, a := b.begin("idemia")
	blurred := b.picture("anna-eriksson", person.Passport, person.Blurred)
	for left := 2; left >= 0; left-- {
		v, err := a.Document(t.Context(), blurred)
		if err != nil || left > 0 && v.Left != left {
			t.Fatalf("%+v %v, %d left", v, err, left)
		}
	}
	r := b.result(ticket)
	if last := r.Reasons[len(r.Reasons)-1]; r.Status != Rejected || last.Code != AttemptsExhausted {
		t.Errorf("%+v", r)
	}
	if _, err := a.Document(t.Context(), b.picture("anna-eriksson", person.Passport)); CodeOf(err) != CodeOver {
		t.Errorf("after the last attempt: %v", err)
	}
}

// A capture that was sent once is refused ever after, in other sessions, too.
func TestReplayedSelfie(t *testing.T) {
	b := newBench(t)
	passport := b.picture("anna-eriksson", person.Passport)
	var old person.Capture
	for i := range 2 {
		_, a := b.begin("idemia")
		v, err := a.Document(t.Context(), passport)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if old, err = b.who("anna-eriksson").Capture(b.rand, person.Daylight, v.Challenge); err != nil {
				t.Fatal(err)
			}
		}
		v, err = a.Selfie(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 && (v.Status != Rejected || v.Reasons[0].Code != SelfieReplayed) {
			t.Errorf("%+v", v)
		}
	}
}

func TestHandOver(t *testing.T) {
	b := newBench(t)
	_, laptop := b.begin("idemia")
	if err := (&Applicant{Link: laptop.Link, HTTP: b.net.Client()}).Start(t.Context()); CodeOf(err) != CodeTaken {
		t.Errorf("a second device started: %v", err)
	}
	h, err := laptop.HandOver(t.Context())
	if err != nil || len(h.Code) != 8 || !strings.HasSuffix(h.URL, "/idemia/c/"+h.Code) || !strings.HasPrefix(h.QR, "data:image/png;base64,") {
		t.Fatalf("%+v %v", h, err)
	}
	typed := strings.ToLower(h.Code[:4]) + " " + h.Code[4:]
	phone, err := Continue(t.Context(), b.net.Client(), "https://proofing.test/idemia", typed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Continue(t.Context(), b.net.Client(), "https://proofing.test/idemia", typed); CodeOf(err) != CodeNotFound {
		t.Errorf("a code was good twice: %v", err)
	}
	passport := b.picture("anna-eriksson", person.Passport)
	if _, err := laptop.Document(t.Context(), passport); err == nil {
		t.Error("the laptop went on")
	}
	laptop.Link = phone.Link
	if _, err := laptop.Document(t.Context(), passport); CodeOf(err) != CodeMoved {
		t.Errorf("the laptop with the new link: %v", err)
	}
	if v, err := phone.Proceed(t.Context(), b.shows("anna-eriksson", passport)); err != nil || v.Status != Verified {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := phone.Offer(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := phone.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.now = v.Expires.Add(-time.Minute)
	if h, err := phone.HandOver(t.Context()); err != nil || !h.Expires.Equal(v.Expires) {
		t.Errorf("a code outlives its session of %s: %+v %v", v.Expires, h, err)
	}
	b.now = v.Expires
	if _, err := phone.HandOver(t.Context()); CodeOf(err) != CodeOver {
		t.Errorf("a session that was over is handed over: %v", err)
	}
}

func TestCodesEndAndCannotBeGuessed(t *testing.T) {
	b := newBench(t)
	_, laptop := b.begin("idemia")
	h, err := laptop.HandOver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	try := func(code string) string {
		_, err := Continue(t.Context(), b.net.Client(), "https://proofing.test/idemia", code)
		return CodeOf(err)
	}
	for range maxWrong {
		if got := try("AAAAAAAA"); got != CodeNotFound {
			t.Fatalf("a wrong code: %s", got)
		}
	}
	if got := try(h.Code); got != CodeThrottled {
		t.Errorf("after too many: %s", got)
	}
	b.now = b.now.Add(codeLife)
	if got := try(h.Code); got != CodeNotFound {
		t.Errorf("after its time: %s", got)
	}
}

// A provider that dies at any step loses nothing of what was answered, and a new process
// goes on from its snapshot with the same devices and links.
func TestDiesAndComesBack(t *testing.T) {
	for _, dies := range []Step{Document, Selfie} {
		t.Run(string(dies), func(t *testing.T) {
			b := newBench(t)
			ticket, a := b.begin("idemia")
			if err := b.service.SetFault("idemia", Fault{Dies: dies}); err != nil {
				t.Fatal(err)
			}
			p := b.shows("anna-eriksson", b.picture("anna-eriksson", person.Passport))
			if _, err := a.Proceed(t.Context(), p); CodeOf(err) != CodeDown {
				t.Fatalf("died: %v", err)
			}
			if _, err := b.client("idemia").Result(t.Context(), ticket.Session); CodeOf(err) != CodeDown {
				t.Errorf("down: %v", err)
			}
			if strings.Contains(string(b.saved), a.Device) || strings.Contains(string(b.saved), a.Link[strings.LastIndex(a.Link, "/")+1:]) {
				t.Error("the snapshot has secrets by which a session can be continued")
			}
			did := b.service.Issuer("idemia").DID()
			b.restart(b.saved)
			if v, err := a.State(t.Context()); err != nil || v.Step != dies {
				t.Fatalf("came back at %+v %v", v, err)
			}
			if v, err := a.Proceed(t.Context(), p); err != nil || v.Status != Verified {
				t.Errorf("%+v %v", v, err)
			}
			if b.service.Issuer("idemia").DID() != did {
				t.Error("another issuer")
			}
		})
	}
}

// A new process knows what was issued and revoked, and takes up offers that stood; all
// issuers of the host are linked to it.
func TestIssuersComeBack(t *testing.T) {
	b := newBench(t)
	holder, err := wallet.New(wallet.Config{Now: b.config.Now, Rand: b.rand, Client: b.net.Client(), Person: camera{}})
	if err != nil {
		t.Fatal(err)
	}
	offer := func() Offer {
		_, a := b.begin("idemia")
		if v, err := a.Proceed(t.Context(), b.shows("anna-eriksson", b.picture("anna-eriksson", person.Passport))); err != nil || v.Status != Verified {
			t.Fatalf("%+v %v", v, err)
		}
		o, err := a.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	accept := func(o Offer) wallet.Held {
		held, err := holder.Accept(t.Context(), o.Link, o.TxCode)
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	check := func(held wallet.Held) error {
		v := credential.Verifier{Now: b.config.Now, Resolver: credential.Resolver{Client: b.net.Client()}, Status: credential.NewStatusLists()}
		_, err := v.Credential(t.Context(), held.JWT, credential.Expected{Type: credential.TypeVerifiedIdentity, Issuers: []string{held.Issuer}})
		return err
	}
	open, taken, lost := offer(), offer(), offer()
	good, bad := accept(offer()), accept(taken)
	b.cannot = true
	if _, err := holder.Accept(t.Context(), lost.Link, lost.TxCode); err == nil {
		t.Error("a credential was given away that could not be kept")
	}
	b.cannot = false
	if err := b.service.Revoke("idemia", bad.ID); err != nil {
		t.Fatal(err)
	}
	b.restart(b.saved)
	if err := check(good); err != nil {
		t.Errorf("issued before: %v", err)
	}
	if err := check(bad); credential.ReasonOf(err) != credential.Revoked {
		t.Errorf("revoked before: %v", err)
	}
	if _, err := holder.Accept(t.Context(), taken.Link, taken.TxCode); err == nil {
		t.Error("an offer was taken up again")
	}
	if err := b.service.Revoke("idemia", good.ID); err != nil || check(good) == nil {
		t.Errorf("what was issued before is revoked now: %v", err)
	}
	if err := check(accept(open)); err != nil {
		t.Errorf("an offer that stood: %v", err)
	}
	for _, p := range b.service.config.Providers {
		v := credential.Verifier{Now: b.config.Now, Resolver: credential.Resolver{Client: b.net.Client()}}
		if origin, err := v.LinkedDomain(t.Context(), b.service.Issuer(p.ID).DID()); origin != "https://proofing.test" || err != nil {
			t.Errorf("%s is linked to %q: %v", p.ID, origin, err)
		}
	}
}

func TestWhatCannotBeSavedDidNotHappen(t *testing.T) {
	b := newBench(t)
	_, a := b.begin("idemia")
	b.cannot = true
	passport := b.picture("anna-eriksson", person.Passport)
	if _, err := a.Document(t.Context(), passport); CodeOf(err) != CodeNotSaved {
		t.Errorf("%v", err)
	}
	b.cannot = false
	if v, err := a.State(t.Context()); err != nil || v.Step != Document || v.Left != 3 {
		t.Errorf("%+v %v", v, err)
	}
}

func TestParseProviderSaysWhere(t *testing.T) {
	good, err := shipped.ReadFile("providers/au10tix.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][3]string{
		{"threshold: 70", "threshold: 5", "p.yaml:7:12: threshold: 5"},
		{"[consent, document, selfie]", "[consent, selfie, document]", "p.yaml:5:8: steps: selfie comes after"},
		{"[consent, document, selfie]", "[document, document, selfie]", "p.yaml:5:19: steps.1: document stands there twice"},
		{"title", "titel", "p.yaml:2:"},
	} {
		_, err := ParseProvider("p.yaml", []byte(strings.Replace(string(good), test[0], test[1], 1)))
		if err == nil || !strings.Contains(err.Error(), test[2]) {
			t.Errorf("%s: %v", test[1], err)
		}
	}
}
