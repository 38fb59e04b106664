package proofing

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/person"
)

func TestRelyingParty(t *testing.T) {
	b := newBench(t)
	c := b.client("lexisnexis")
	request := Request{Reference: "r", Country: "US"}
	first, err := c.Create(t.Context(), request, "once")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Create(t.Context(), request, "once"); err != nil || again != first {
		t.Errorf("repeated: %+v %v", again, err)
	}
	_, err = c.Create(t.Context(), Request{Reference: "s"}, "once")
	want := map[string]error{CodeConflict: err}
	_, want[CodeNotServed] = c.Create(t.Context(), Request{Reference: "r", Country: "FR"}, "")
	_, want[CodeBadRequest] = c.Create(t.Context(), Request{Reference: "r", Callback: "file:///etc"}, "")
	stranger := *c
	stranger.Key = "guess"
	_, want[CodeUnauthorized] = stranger.Result(t.Context(), first.Session)
	stranger.Key = "other key"
	_, want[CodeNotFound] = stranger.Result(t.Context(), first.Session)
	for code, err := range want {
		if CodeOf(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
	if r, err := c.Cancel(t.Context(), first.Session); err != nil || r.Status != Cancelled {
		t.Errorf("%+v %v", r, err)
	}
	a := &Applicant{Link: first.URL, HTTP: b.net.Client()}
	if err := a.Start(t.Context()); CodeOf(err) != CodeOver {
		t.Errorf("start of a cancelled session: %v", err)
	}
}

// TestBodies: a request is JSON of its type, all of it and nothing else.
func TestBodies(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"whole":               {"application/json; charset=utf-8", `{"reference":"r"} `, 201},
		"a form":              {"application/x-www-form-urlencoded", `{"reference":"r"}`, 415},
		"of no type":          {"", `{"reference":"r"}`, 415},
		"empty":               {"application/json", ``, 400},
		"null":                {"application/json", `null`, 400},
		"a list":              {"application/json", `[]`, 400},
		"truncated":           {"application/json", `{"reference":"r"`, 400},
		"with a brace more":   {"application/json", `{"reference":"r"}}`, 400},
		"with an object more": {"application/json", `{"reference":"r"}{}`, 400},
		"with a member more":  {"application/json", `{"reference":"r","verified":true}`, 400},
		"as long as fits":     {"application/json", `{"reference":"r"}` + strings.Repeat(" ", maxJSON-17), 201},
		"too long":            {"application/json", `{"reference":"r"}` + strings.Repeat(" ", maxJSON-16), 413},
	} {
		r, err := http.NewRequest(http.MethodPost, "https://proofing.test/idemia/sessions", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+b.client("idemia").Key)
		r.Header.Set("Content-Type", c.kind)
		answer, err := b.net.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, answer.StatusCode, c.status)
		}
	}
}

// TestWhoMayGoOn: the device that began, with the link of its session, at its provider.
func TestWhoMayGoOn(t *testing.T) {
	b := newBench(t)
	ticket, a := b.begin("idemia")
	passport := b.picture("anna-eriksson", person.Passport)
	for name, c := range map[string]struct {
		link, device, want string
	}{
		"no device":        {a.Link, "", CodeNoDevice},
		"another device":   {a.Link, "x", CodeMoved},
		"another link":     {a.Link + "x", a.Device, CodeNotFound},
		"another provider": {strings.Replace(a.Link, "idemia", "au10tix", 1), a.Device, CodeNotFound},
		"no provider":      {strings.Replace(a.Link, "idemia", "nobody", 1), a.Device, CodeNotFound},
	} {
		other := &Applicant{Link: c.link, Device: c.device, HTTP: b.net.Client()}
		if _, err := other.Document(t.Context(), passport); CodeOf(err) != c.want {
			t.Errorf("%s shows a document: %v", name, err)
		}
		if _, err := other.HandOver(t.Context()); CodeOf(err) != c.want {
			t.Errorf("%s hands over: %v", name, err)
		}
		if _, err := other.Offer(t.Context()); CodeOf(err) != c.want {
			t.Errorf("%s takes the offer: %v", name, err)
		}
	}
	if _, err := a.Offer(t.Context()); CodeOf(err) != CodeNotVerified {
		t.Errorf("an offer before anything was shown: %v", err)
	}
	if _, err := a.Selfie(t.Context(), person.Capture{}); CodeOf(err) != CodeWrongStep {
		t.Errorf("a selfie before the document: %v", err)
	}
	if _, err := a.Document(t.Context(), make([]byte, maxPicture+1)); CodeOf(err) != CodeTooLarge {
		t.Errorf("a document of more than %d bytes: %v", maxPicture, err)
	}
	if r := b.result(ticket); r.Status != Pending || r.Step != Document {
		t.Errorf("%+v", r)
	}
	if _, err := b.client("idemia").Cancel(t.Context(), ticket.Session); err != nil {
		t.Fatal(err)
	}
	if _, err := a.HandOver(t.Context()); CodeOf(err) != CodeOver {
		t.Errorf("a cancelled session is handed over: %v", err)
	}
	if _, err := a.Offer(t.Context()); CodeOf(err) != CodeOver {
		t.Errorf("a cancelled session has an offer: %v", err)
	}
}

// TestDocumentsThatDo: a customer may ask for fewer kinds than a provider takes.
func TestDocumentsThatDo(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		kinds []person.Kind
		want  string
	}{{nil, ""}, {[]person.Kind{person.Passport}, ""}, {[]person.Kind{"library-card"}, CodeNotServed}} {
		ticket, err := b.client("idemia").Create(t.Context(), Request{Reference: "r", Documents: c.kinds}, "")
		if CodeOf(err) != c.want {
			t.Errorf("%v: %v", c.kinds, err)
		}
		if err != nil {
			continue
		}
		a := &Applicant{Link: ticket.URL, HTTP: b.net.Client()}
		if v, err := a.State(t.Context()); err != nil || c.kinds != nil && !slices.Equal(v.Documents, c.kinds) {
			t.Errorf("%v: %+v, %v", c.kinds, v, err)
		}
	}
}

func TestSessionsExpire(t *testing.T) {
	b := newBench(t)
	ticket, a := b.begin("idemia")
	b.now = b.now.Add(30 * time.Minute)
	if _, err := a.Document(t.Context(), nil); CodeOf(err) != CodeOver {
		t.Errorf("a document after the end: %v", err)
	}
	if r := b.result(ticket); r.Status != Expired || len(b.callbacks) != 1 {
		t.Errorf("%+v, callbacks %d", r, len(b.callbacks))
	}
}

func TestCallbackIsRepeatedUntilTaken(t *testing.T) {
	b := newBench(t)
	b.refuse = true
	ticket, a := b.begin("idemia")
	if _, err := a.Document(t.Context(), b.picture("anna-eriksson", person.Passport, person.Photocopy)); err != nil {
		t.Fatal(err)
	}
	b.refuse = false
	for range 2 {
		b.result(ticket)
	}
	if len(b.callbacks) != 1 || b.callbacks[0].Status != Rejected {
		t.Errorf("%+v", b.callbacks)
	}
}

func TestVerifyCallbackRefuses(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	body := []byte(`{"session":"s","status":"verified"}`)
	good := Sign(secret, body, now)
	for _, at := range []time.Time{now, now.Add(callbackAge), now.Add(-callbackAge)} {
		if r, err := VerifyCallback(secret, good, body, at); err != nil || r.Session != "s" {
			t.Fatalf("%+v %v", r, err)
		}
	}
	for name, test := range map[string]struct {
		signature string
		body      string
		now       time.Time
	}{
		"other body":   {good, `{"session":"t","status":"verified"}`, now},
		"other secret": {Sign([]byte("x"), body, now), string(body), now},
		"old":          {good, string(body), now.Add(time.Hour)},
		"none":         {"", string(body), now},
		"truncated":    {good[:len(good)-2], string(body), now},
		"other time":   {strings.Replace(good, "t=1", "t=2", 1), string(body), now},
		"a minute on":  {strings.Replace(good, strconv.FormatInt(now.Unix(), 10), strconv.FormatInt(now.Unix()+60, 10), 1), string(body), now},
		"no time":      {strings.TrimPrefix(good, "t="), string(body), now},
		"no number":    {"t=now" + good[strings.Index(good, ","):], string(body), now},
		"no signature": {good[:strings.Index(good, ",")], string(body), now},
		"empty":        {"t=" + strconv.FormatInt(now.Unix(), 10) + ",v1=", string(body), now},
		"no JSON":      {Sign(secret, []byte("{"), now), "{", now},
		"just too old": {good, string(body), now.Add(callbackAge + 1)},
		"of a future":  {good, string(body), now.Add(-callbackAge - 1)},
	} {
		if r, err := VerifyCallback(secret, test.signature, []byte(test.body), test.now); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestFaults(t *testing.T) {
	b := newBench(t)
	var slept time.Duration
	b.service.config.Sleep = func(_ context.Context, d time.Duration) error { slept += d; return nil }
	put := func(key, body string) int {
		r, err := http.NewRequest(http.MethodPut, "https://proofing.test/admin/au10tix/fault", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		answer, err := b.net.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	if got := put("guess", `{"down":true}`); got != http.StatusUnauthorized {
		t.Errorf("without the key: %d", got)
	}
	if got := put("admin", `{"delay":3000000000}`); got != http.StatusNoContent {
		t.Errorf("delay: %d", got)
	}
	b.begin("au10tix")
	if slept != 6*time.Second {
		t.Errorf("slept %s", slept)
	}
	if got := put("admin", `{"down":true}`); got != http.StatusNoContent {
		t.Errorf("down: %d", got)
	}
	if _, err := b.client("au10tix").Create(t.Context(), Request{Reference: "r"}, ""); CodeOf(err) != CodeDown {
		t.Errorf("down: %v", err)
	}
	b.begin("idemia") // others work
}
