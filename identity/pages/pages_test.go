package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"fido-emu/identity/person"
)

// TestShow holds the policy against the page: the style that is on it is the one that
// may be, and nothing else may.
func TestShow(t *testing.T) {
	files := fstest.MapFS{"x.html": {Data: []byte(`{{define "main"}}<p>{{.}}</p>{{end}}`)}}
	w := httptest.NewRecorder()
	Show(w, http.StatusTeapot, Parse(files, "x.html"), Page{Title: "T", Brand: "B", Home: "/home", Body: "<script>"})
	page := w.Body.String()
	styles := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(page, -1)
	if len(styles) != 1 {
		t.Fatalf("%d style sheets", len(styles))
	}
	sum := sha256.Sum256([]byte(styles[0][1]))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if w.Code != http.StatusTeapot || strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;") || !strings.Contains(page, `href="/home"`) {
		t.Errorf("%d %s", w.Code, page)
	}
}

func TestFromHere(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		want   bool
	}{
		{"a form of ours", http.Header{"Sec-Fetch-Site": {"same-origin"}}, true},
		{"a form of another site", http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		{"a form of another port", http.Header{"Sec-Fetch-Site": {"same-site"}}, false},
		{"ours, where there is no TLS", http.Header{"Origin": {"http://192.168.1.20:8070"}}, true},
		{"another's, where there is no TLS", http.Header{"Origin": {"http://192.168.1.20:8080"}}, false},
		{"an origin that is hidden", http.Header{"Origin": {"null"}}, false},
		{"no browser", nil, true},
	} {
		r := httptest.NewRequest("POST", "http://192.168.1.20:8070/", nil)
		r.Header = test.header
		if got := FromHere(r); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestHolder(t *testing.T) {
	w := httptest.NewRecorder()
	Hold(w, "ada")
	r := httptest.NewRequest("GET", "/", nil)
	if got := Holder(r); got != "" {
		t.Errorf("held by %q", got)
	}
	r.AddCookie(w.Result().Cookies()[0])
	if got := Holder(r); got != "ada" {
		t.Errorf("held by %q, want ada", got)
	}
}

func people() []*person.Person {
	return []*person.Person{
		{ID: "ada", Given: "Ada", Family: "Smith", Face: "ada", Liveness: person.Live},
		{ID: "eve", Given: "Eve", Family: "Smith", Face: "eve", Liveness: person.Printed},
		{ID: "ada-too", Given: "Ada", Family: "Smith", Face: "ada-too", Liveness: person.Live},
	}
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		form, holder string
		want         string // face, shows, light; "" for an error
	}{
		{"", "", "ada live daylight"},
		{"", "eve", "eve printed daylight"},
		{"", "stranger", "ada live daylight"},
		{"face=ada-too&light=dim", "eve", "ada-too live dim"},
		{"face=eve&shows=live", "ada", "eve live daylight"},
		{"face=nobody", "", ""},
		{"shows=nothing", "", ""},
		{"light=none", "", ""},
	} {
		form, err := url.ParseQuery(test.form)
		if err != nil {
			t.Fatal(err)
		}
		c, got := Camera{People: people()}, ""
		if err := c.Choose(form, test.holder); err == nil {
			got = c.Who().ID + " " + string(c.Who().Liveness) + " " + string(c.Light)
		}
		if got != test.want {
			t.Errorf("%q for %q: %q, want %q", test.form, test.holder, got, test.want)
		}
	}
	c := Camera{People: people()}
	if got := c.Named(c.People[0]) + c.Named(c.People[1]); got != "Ada Smith (ada)Eve Smith" {
		t.Errorf("they are called %s", got)
	}
}

func TestServeScene(t *testing.T) {
	for query, want := range map[string]int{
		"shows=live&light=dim&pose=blink&pose=turn-left": http.StatusOK,
		"pose=sleep":  http.StatusBadRequest,
		"shows=ghost": http.StatusNotFound,
		strings.Repeat("pose=blink&", len(person.Poses())+1): http.StatusBadRequest,
	} {
		r := httptest.NewRequest("GET", "/ada/face.jpg?"+query, nil)
		r.SetPathValue("person", "ada")
		w := httptest.NewRecorder()
		ServeScene(w, r, people())
		if w.Code != want {
			t.Errorf("%q: %d, want %d", query, w.Code, want)
		}
		if want != http.StatusOK {
			continue
		}
		if m, err := jpeg.Decode(w.Body); err != nil || m.Bounds().Dx() < 3*person.FaceWidth/sceneScale {
			t.Errorf("%q: no three frames: %v", query, err)
		}
	}
}

// TestWords looks whether all that one can choose has words of its own.
func TestWords(t *testing.T) {
	seen := map[string]bool{}
	say := func(id, words string) {
		if words == "" || strings.Contains(words, "-") || seen[words] {
			t.Errorf("%s is %q", id, words)
		}
		seen[words] = true
	}
	for _, l := range person.Livenesses() {
		say(string(l), shown(l))
	}
	for _, c := range person.Conditions() {
		say(string(c), Condition(c))
	}
	for _, d := range person.Defects() {
		say(string(d), Defect(d))
	}
	for _, p := range person.Poses() {
		say(string(p), asked(p))
	}
}
