package browser

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// usedPages is the reference relying party with its pages in a tab.
type usedPages struct {
	*testing.T
	core *reference.Core
	base string
	tab  *Tab
}

const adminToken = "administrator's token"

// usePages serves the pages, with people whose names are hard on them, and opens a tab.
func usePages(t *testing.T) usedPages {
	t.Helper()
	chromium(t)
	server := httptest.NewUnstartedServer(nil)
	base := fmt.Sprintf("http://localhost:%d", server.Listener.Addr().(*net.TCPAddr).Port)
	core, err := reference.New(reference.Config{RPID: "localhost", Origins: []string{base}, AdminToken: adminToken})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = reference.Handler(core)
	server.Start()
	t.Cleanup(server.Close)
	for _, p := range []rp.Person{
		{Name: "مريم@مثال.com", DisplayName: "مريم عبد الرحمن الصالح", Groups: []string{"staff"}},
		{Name: strings.Repeat("longname", 14) + "@example.com", DisplayName: strings.Repeat("Wolfeschlegelstein", 7), Groups: []string{strings.Repeat("group", 12), "staff"}},
	} {
		if err := core.AddPerson(p); err != nil {
			t.Fatal(err)
		}
	}
	return usedPages{t, core, base, visit(t, base+"/signup", newAgent(t, newKey(t, "key")), TabOptions{})}
}

func (u usedPages) open(path string) {
	u.Helper()
	if err := u.tab.Open(inTime(u.T), u.base+path); err != nil {
		u.Fatal(err)
	}
}

// until waits for a condition on the page, which may become another meanwhile.
func (u usedPages) until(condition string) {
	u.Helper()
	c, cancel := context.WithTimeout(u.Context(), 30*time.Second)
	defer cancel()
	err := u.tab.until(c, func(c context.Context) (bool, error) {
		got, err := u.tab.evaluate(c, "Boolean("+condition+")")
		if isPassing(err) {
			return false, nil
		}
		return got == "true", err
	})
	if err != nil {
		u.Fatalf("%s: %v", condition, err)
	}
}

func (u usedPages) wants(expression, want string) {
	u.Helper()
	if got := js(u.T, u.tab, expression); got != want {
		u.Errorf("%s is %s, want %s", expression, got, want)
	}
}

// signUp makes an account and opens its page.
func (u usedPages) signUp(name string) {
	u.Helper()
	js(u.T, u.tab, fmt.Sprintf(`{ register({ name: %q, displayName: "" }); 0 }`, name))
	u.until(`location.pathname === "/passkeys" && document.readyState === "complete"`)
}

func (u usedPages) becomeAdministrator() {
	u.Helper()
	u.open("/admin")
	js(u.T, u.tab, fmt.Sprintf(`api("POST", "/api/admin/session", { token: %q })`, adminToken))
}

// press presses a key.
func (u usedPages) press(key string, code int64) {
	u.Helper()
	c, cancel := u.tab.within(inTime(u.T))
	defer cancel()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: code}
	if key == "Enter" {
		down.Text = "\r"
	}
	up := down
	up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
	for _, event := range []input.DispatchKeyEventParams{down, up} {
		if _, err := chromedp.Call(c, input.DispatchKeyEvent, event); err != nil {
			u.Fatal(err)
		}
	}
}

func (u usedPages) width(px int64) {
	u.Helper()
	c, cancel := u.tab.within(inTime(u.T))
	defer cancel()
	if _, err := chromedp.Call(c, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: px, Height: 800, DeviceScaleFactor: 1}); err != nil {
		u.Fatal(err)
	}
}

// faults lists what is wrong with a page for whoever reads it on a narrow screen or with
// a screen reader.
const faults = `(() => {
  const found = [], seen = (e) => e.getClientRects().length > 0;
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push("it is " + wide + " pixels too wide");
  for (const e of document.querySelectorAll("main *")) {
    if (seen(e) && ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth) found.push(e.tagName + "." + e.className + " scrolls sideways");
  }
  for (const e of document.querySelectorAll("input, select, textarea")) {
    if (e.type !== "hidden" && !e.hidden && !e.ariaLabel && ![...e.labels].some((l) => l.textContent.trim())) found.push("no label: " + e.outerHTML);
  }
  for (const e of document.querySelectorAll("button, a[href], summary")) {
    if (seen(e) && !e.ariaLabel && !e.textContent.trim()) found.push("no name: " + e.outerHTML);
  }
  for (const id of new Set([...document.querySelectorAll("[id]")].map((e) => e.id))) {
    if (document.querySelectorAll("#" + CSS.escape(id)).length > 1) found.push("twice the id " + id);
  }
  const heads = [...document.querySelectorAll("h1")].filter(seen).length;
  if (heads !== 1) found.push(heads + " main headings");
  return found.join("\n");
})()`

// TestPagesFitEveryScreen opens every page in the width of a telephone and of a tablet.
func TestPagesFitEveryScreen(t *testing.T) {
	u := usePages(t)
	u.signUp("ada@example.com")
	for _, e := range []rp.Enrolment{
		{Kind: rp.Password, Secret: "correct horse"}, {Kind: rp.Email, Address: strings.Repeat("a", 60) + "@mail.example"},
	} {
		if err := u.core.EnrolMethod("ada@example.com", e); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.core.SetAccessRules([]rp.AccessRule{{Name: strings.Repeat("rule", 16), Strength: rp.PhishingResistant, Groups: []string{strings.Repeat("group", 12)}}}); err != nil {
		t.Fatal(err)
	}
	u.becomeAdministrator()
	titles := map[string]string{}
	for _, path := range []string{
		"/passkeys", "/admin", "/admin/people", "/admin/people/ada@example.com", "/admin/people/" + url.PathEscape(strings.Repeat("longname", 14)+"@example.com"),
		"/admin/methods?days=0", "/admin/access", "/admin/recovery", "/admin/sign-ins", "/admin/log", "/post", "/nothing",
	} {
		u.open(path)
		title := js(t, u.tab, "document.title")
		if other := titles[title]; other != "" {
			t.Errorf("%s and %s are both called %s", path, other, title)
		}
		titles[title] = path
		u.fits(path)
	}
	js(t, u.tab, `api("DELETE", "/api/session")`)
	for _, path := range []string{"/", "/signup", "/reset", "/recover", "/recover/go/nothing"} {
		u.open(path)
		u.fits(path)
	}
	if said := u.tab.console; len(said) > 0 {
		t.Errorf("the console says %q", said)
	}
}

func (u usedPages) fits(path string) {
	u.Helper()
	for _, px := range []int64{390, 768, 1280} {
		u.width(px)
		if found := js(u.T, u.tab, faults); found != `""` {
			u.Errorf("%s, %d pixels wide: %s", path, px, found)
		}
	}
}

// TestPagesByKeyboard walks along a page with the tabulator alone.
func TestPagesByKeyboard(t *testing.T) {
	u := usePages(t)
	u.signUp("ada@example.com")
	var stops []string
	for range 6 {
		u.press("Tab", 9)
		stops = append(stops, js(t, u.tab, `(() => {
		  const e = document.activeElement, s = getComputedStyle(e);
		  return e.textContent.trim().split("\n")[0] + (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2 ? " (unseen)" : "");
		})()`))
	}
	want := `"Skip to content" "Example" "Account" "Administration" "Sign out" "Add a passkey"`
	if got := strings.Join(stops, " "); got != strings.Replace(want, "Example", "localhost", 1) {
		t.Errorf("the stops are %s", got)
	}
	js(t, u.tab, `document.querySelector("[data-do=rename]").focus()`)
	u.press("Enter", 13)
	u.until(`document.getElementById("rename-dialog").open`)
	u.wants("document.activeElement.id", `"new-name"`)
	u.press("Escape", 27)
	u.until(`!document.getElementById("rename-dialog").open`)
	u.wants("document.activeElement.dataset.do", `"rename"`)
}

// TestBackAfterSigningOut goes back to the page of an account that was left.
func TestBackAfterSigningOut(t *testing.T) {
	u := usePages(t)
	u.signUp("ada@example.com")
	js(t, u.tab, `{ document.querySelector("[data-do=sign-out]").click(); 0 }`)
	u.until(`location.pathname === "/" && document.readyState === "complete"`)
	js(t, u.tab, "{ history.back(); 0 }")
	u.until(`location.pathname === "/" && document.readyState === "complete"`)
	u.wants(`document.body.textContent.includes("ada@example.com")`, "false")
	answered := js(t, u.tab, `fetch("/passkeys").then((r) => r.redirected)`)
	if answered != "true" {
		t.Error("the page of the account is still shown")
	}
}

// TestFormsTwiceAndLate submits a form twice at once, and one for which the session is
// over.
func TestFormsTwiceAndLate(t *testing.T) {
	u := usePages(t)
	u.becomeAdministrator()
	u.open("/admin/people")
	js(t, u.tab, `{ document.querySelector("#p-name").value = "grace"; const b = document.querySelector("[data-do=add-person] button"); b.click(); b.click(); 0 }`)
	u.until(`location.pathname === "/admin/people/grace" && document.readyState === "complete"`)
	made := 0
	for _, e := range u.core.Audit(0, 1000) {
		if e.Person == "grace" {
			made++
		}
	}
	if made != 1 {
		t.Errorf("two clicks made %d entries in the log", made)
	}

	js(t, u.tab, `api("DELETE", "/api/admin/session")`)
	js(t, u.tab, `{ document.querySelector("#i-given").value = "Grace"; document.querySelector("[data-do=set-identity] button").click(); 0 }`)
	u.until(`document.getElementById("admin-dialog").open`)
	js(t, u.tab, fmt.Sprintf(`{ document.querySelector("#again-token").value = %q; document.querySelector("#admin-dialog .primary").click(); 0 }`, adminToken))
	u.until(`!document.getElementById("admin-dialog").open`)
	u.wants(`document.querySelector("#i-given").value`, `"Grace"`)
	js(t, u.tab, `{ document.querySelector("[data-do=set-identity] button").click(); 0 }`)
	u.until(`document.querySelector("#i-given")?.value === "Grace" && !document.querySelector("dialog[open]") && performance.getEntriesByType("navigation")[0].type === "reload"`)
	if got := u.core.Identity("grace").GivenName; got != "Grace" {
		t.Errorf("saved is %q", got)
	}

	u.open("/signup")
	u.signUp("ada@example.com")
	if err := u.core.RevokeSessions("ada@example.com"); err != nil {
		t.Fatal(err)
	}
	js(t, u.tab, `{ document.querySelector("[data-do=rename]").click(); document.querySelector("#new-name").value = "My phone"; document.querySelector("#rename-dialog .primary").click(); 0 }`)
	u.until(`document.getElementById("again-dialog").open && !document.querySelector("#status").hidden`)
	js(t, u.tab, `{ document.querySelector("[data-do=sign-in-again]").click(); 0 }`)
	u.until(`!document.getElementById("again-dialog").open`)
	u.wants(`document.querySelector("#new-name").value`, `"My phone"`)
}

// TestRecoveriesAsTheyEnd shows a case of account recovery in every state, and looks
// whether the page says what happened and what to do, and offers what helps.
func TestRecoveriesAsTheyEnd(t *testing.T) {
	u := usePages(t)
	err := u.core.EnableRecovery(reference.RecoveryServices{
		Proofing: "https://id.example", Requests: "https://id.example", Authority: "did:web:id.example", Callback: u.base,
	})
	if err != nil {
		t.Fatal(err)
	}
	u.open("/recover")
	u.width(390)
	for _, test := range []struct{ state, reason, shows, lacks string }{
		{"proofing", "", "Our partner idemia", "For the helpdesk"},
		{"retrieved", "", "Look at your phone", "For the helpdesk"},
		{"pass-issued", "", "Sign in and set up a passkey", "Scan it"},
		{"evaluated", "", "It would have worked", "Scan it"},
		{"ended", "name-mismatch", "ask the helpdesk.", "Scan it"},
		{"ended", "image_blurred", "hold the camera still", "Scan it"},
		{"ended", "made-up", "The provider did not like it. Start again.", "undefined"},
	} {
		pass := ""
		if test.state == "pass-issued" {
			pass = "ABCD-EFGH-JKLM"
		}
		js(t, u.tab, fmt.Sprintf(`{ shown = ""; showCase({ qr: "data:,", page: "/" }, { state: %q, reason: %q, pass: %q, provider: "idemia", detail: "the provider did not like it", expires: "2026-09-01T10:00:00Z" }); 0 }`, test.state, test.reason, pass))
		if text := js(t, u.tab, `document.querySelector("main").innerText`); !strings.Contains(text, test.shows) || strings.Contains(text, test.lacks) {
			t.Errorf("%s %s: the page says %s; want %q, and not %q", test.state, test.reason, text, test.shows, test.lacks)
		}
		if found := js(t, u.tab, faults); found != `""` {
			t.Errorf("%s %s: %s", test.state, test.reason, found)
		}
		u.wants(`document.activeElement.id`, `"case-title"`)
	}
}

// TestErrorsCoverNothing looks whether the button can be pressed again beside which an
// error stands, and whether the error is announced.
func TestErrorsCoverNothing(t *testing.T) {
	u := usePages(t)
	u.width(390)
	u.open("/")
	js(t, u.tab, `{ document.querySelector("#name").value = "nobody"; document.querySelector("[data-autofill] button").click(); 0 }`)
	u.until(`document.querySelector("#status.bad")?.getClientRects().length`) // though what was pressed is hidden by now
	u.open("/recover")
	js(t, u.tab, `{ const f = document.querySelector("[data-do=redeem]"); f.name.value = "nobody"; f.pass.value = "AAAA-AAAA-AAAA"; f.querySelector("button").click(); 0 }`)
	u.until(`document.querySelector("#status.bad")`)
	u.wants(`(() => {
	  const b = document.querySelector("[data-do=redeem] button");
	  b.scrollIntoView({ block: "center", behavior: "instant" });
	  const r = b.getBoundingClientRect();
	  return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2) === b && document.querySelector("#status").role + document.querySelector("#status").nextElementSibling.tagName;
	})()`, `"alertBUTTON"`)
}

// TestPagesWithoutScripts opens pages whose scripts do not run.
func TestPagesWithoutScripts(t *testing.T) {
	u := usePages(t)
	c, cancel := u.tab.within(inTime(t))
	defer cancel()
	if _, err := chromedp.Call(c, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/signup", "/recover", "/admin"} {
		u.open(path)
		u.wants(`document.querySelector("noscript p.notice").textContent.startsWith("Passkeys need JavaScript") && document.querySelector("noscript p.notice").getClientRects().length > 0`, "true")
		u.wants(`[...document.querySelectorAll("form, button")].some((e) => e.getClientRects().length > 0)`, "false")
	}
}

// TestSuggestedPasskeys looks for what lets a browser suggest passkeys in the field for
// the user name (WebAuthn Level 3, section 5.1.7; HTML, "autofill detail tokens").
func TestSuggestedPasskeys(t *testing.T) {
	u := usePages(t)
	u.open("/")
	u.wants(`document.querySelector("#name").autocomplete`, `"username webauthn"`)
	u.until(`waiting && !waiting.signal.aborted`)
	u.wants(`document.querySelector("#status").hidden`, "true")
}
