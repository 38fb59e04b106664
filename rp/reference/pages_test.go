package reference_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// administrator returns the pages of a relying party as an administrator opens them.
func administrator(t *testing.T, core *reference.Core) func(path string) string {
	h := reference.Handler(core)
	admin, _ := visit(t, h, "POST", "/api/admin/session", `{"token":"`+adminToken+`"}`)
	return func(path string) string {
		t.Helper()
		answer, body := visit(t, h, "GET", path, "", "Cookie", "__Host-admin="+admin.Cookies()[0].Value)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, answer.Status)
		}
		return body
	}
}

func TestPeopleAreFoundAndPaged(t *testing.T) {
	core, _ := newCore(t)
	for i := range 120 {
		p := rp.Person{Name: fmt.Sprintf("person%03d@example.com", i), DisplayName: fmt.Sprintf("Number %d", i), Groups: []string{"staff"}}
		if i == 60 {
			p.DisplayName, p.Groups = "Zoë Müller", []string{"a & b"}
		}
		if err := core.AddPerson(p); err != nil {
			t.Fatal(err)
		}
	}
	open := administrator(t, core)
	for _, test := range []struct {
		path  string
		rows  int
		holds string
	}{
		{"/admin/people", 50, `href="/admin/people?from=50" rel="next"`},
		{"/admin/people?from=50", 50, "51–100 of 120"},
		{"/admin/people?from=100", 20, `href="/admin/people?from=50" rel="prev"`},
		{"/admin/people?from=999", 0, ""},
		{"/admin/people?from=-7", 50, "1–50 of 120"},
		{"/admin/people?from=x", 50, "1–50 of 120"},
		{"/admin/people?q=ZOË", 1, "1 of 120"},
		{"/admin/people?q=person0&group=staff", 50, "from=50&amp;group=staff&amp;q=person0"},
		{"/admin/people?group=a+%26+b", 1, "Zoë Müller"},
		{"/admin/people?q=nobody", 0, "Nobody of that name"},
	} {
		body := open(test.path)
		if got := strings.Count(body, "<tr data-person"); got != test.rows || !strings.Contains(body, test.holds) {
			t.Errorf("%s: %d people, want %d and %q", test.path, got, test.rows, test.holds)
		}
	}
}

func TestLogsOnPages(t *testing.T) {
	core, _ := newCore(t)
	if err := core.AddPerson(ada); err != nil {
		t.Fatal(err)
	}
	if err := core.EnrolMethod(ada.Name, rp.Enrolment{Kind: rp.Password, Secret: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	p, err := core.BeginMethod(rp.Signals{Location: "FR"}, ada.Name, rp.ToSignIn, "", rp.Password)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := core.FinishMethod(p.Attempt, "wrong horse"); err == nil {
		t.Fatal("any password signs in")
	}
	open := administrator(t, core)
	for path, holds := range map[string][]string{
		"/admin/sign-ins":                      {"password-wrong", "FR"},
		"/admin/sign-ins?q=ADA&outcome=failed": {"password-wrong"},
		"/admin/sign-ins?q=grace":              {"None like that"},
		"/admin/log?outcome=failed":            {"refused"},
		"/admin/people/" + ada.Name:            {"Password", "Can be phished", "password-wrong"},
		"/admin/methods?days=0&group=":         {"None: nobody with a passkey"},
		"/admin/people/ADA@example.com":        {"Password"},
	} {
		body := open(path)
		for _, want := range holds {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
}

// TestFormsWithoutScripts posts a form as a browser does whose scripts are off or late:
// what was typed must not come to stand in an address.
func TestFormsWithoutScripts(t *testing.T) {
	core, _ := newCore(t)
	h := reference.Handler(core)
	for _, path := range []string{"/", "/admin", "/signup", "/recover"} {
		_, body := visit(t, h, "GET", path, "")
		for _, form := range strings.Split(body, "<form")[1:] {
			if form, _, _ := strings.Cut(form, ">"); !strings.Contains(form, `method="post"`) && !strings.Contains(form, `method="dialog"`) {
				t.Errorf("%s: a form would put into the address what is typed:%s", path, form)
			}
		}
		answer, _ := visit(t, h, "POST", path, "token=secret", "Content-Type", "application/x-www-form-urlencoded")
		if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || to != path {
			t.Errorf("%s: posted, it answers %s and leads to %q", path, answer.Status, to)
		}
	}
}

// TestOwnSessionsAndMethods ends the other sessions of an account, and removes a method.
func TestOwnSessionsAndMethods(t *testing.T) {
	core, clock := newCore(t)
	here := registerAt(t, core, ada.Name)
	h := reference.Handler(core)
	if err := core.EnrolMethod(ada.Name, rp.Enrolment{Kind: rp.SMS, Address: "+44 20 7946 0018"}); err != nil {
		t.Fatal(err)
	}
	pass, err := core.IssuePass(reference.PassRequest{Person: ada.Name, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	other, err := core.RedeemPass(ada.Name, pass)
	if err != nil {
		t.Fatal(err)
	}
	session := func(token string) []string { return []string{"Cookie", "__Host-session=" + token} }
	if _, body := visit(t, h, "GET", "/passkeys", "", session(here)...); !strings.Contains(body, "Sign out everywhere else") || !strings.Contains(body, "••• 18") {
		t.Errorf("the page of the account lacks the other session or the number in\n%s", body)
	}
	for _, path := range []string{"/api/sessions", "/api/methods?kind=sms"} {
		if answer, _ := visit(t, h, "DELETE", path, "", session(other.Token)...); answer.StatusCode < 400 {
			t.Errorf("%s: somebody with a pass may: %s", path, answer.Status)
		}
		if answer, body := visit(t, h, "DELETE", path, "", session(here)...); answer.StatusCode != http.StatusNoContent {
			t.Errorf("%s: %s %s", path, answer.Status, body)
		}
	}
	if _, err := core.Session(other.Token); err == nil {
		t.Error("the other session still stands")
	}
	if _, err := core.Session(here); err != nil {
		t.Error("the session that asked has ended:", err)
	}
	clock.pass(11 * time.Minute)
	if answer, body := visit(t, h, "DELETE", "/api/methods?kind=sms", "", session(here)...); !strings.Contains(body, reference.SignInTooOld) {
		t.Errorf("long after the sign-in: %s %s", answer.Status, body)
	}
}
