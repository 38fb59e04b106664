package browser

import (
	"context"
	"net/http"
	"testing"
	"time"

	"fido-emu/webauthn"
)

// held is a client whose user takes their time: a ceremony tells that it began, and ends
// when it is let go, or given up.
type held struct {
	began, letGo, gaveUp chan struct{}
	then                 webauthn.Client
}

func hold(then webauthn.Client) *held {
	return &held{make(chan struct{}), make(chan struct{}), make(chan struct{}), then}
}

func (h *held) Create(ctx context.Context, origin string, options []byte) ([]byte, error) {
	return h.wait(ctx, func() ([]byte, error) { return h.then.Create(ctx, origin, options) })
}

func (h *held) Get(ctx context.Context, origin string, options []byte) ([]byte, error) {
	return h.wait(ctx, func() ([]byte, error) { return h.then.Get(ctx, origin, options) })
}

func (h *held) wait(ctx context.Context, then func() ([]byte, error)) ([]byte, error) {
	close(h.began)
	select {
	case <-h.letGo:
		return then()
	case <-ctx.Done():
		close(h.gaveUp)
		return nil, ctx.Err()
	}
}

// comes waits for something that must happen.
func comes(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not come", what)
	}
}

// TestTwoPagesAtOnce has two people in ceremonies at once: what one's key answers does not
// get to the other's page.
func TestTwoPagesAtOnce(t *testing.T) {
	chromium(t)
	address := at("login.example.com", https(t, testPage("")))
	adas, bobs := hold(newAgent(t, newKey(t, "ada"))), newAgent(t, newKey(t, "bob's"))
	ada, bob := visit(t, address, adas, TabOptions{}), visit(t, address, bobs, TabOptions{})
	js(t, ada, `void (window.later = create({user: {id: bytes("a"), name: "ada", displayName: "Ada"}}))`)
	comes(t, "Ada's ceremony", adas.began)
	if o := outcomeOf(t, bob, `create({user: {id: bytes("b"), name: "bob", displayName: "Bob"}})`); o.Name != "" {
		t.Fatalf("Bob, while Ada takes her time: %+v", o)
	}
	if ended := ada.Ended(); len(ended) != 0 {
		t.Errorf("Ada's page has what is Bob's: %+v", ended)
	}
	close(adas.letGo)
	if o := outcomeOf(t, ada, "later"); o.Name != "" {
		t.Fatalf("Ada: %+v", o)
	}
	if hers, his := js(t, ada, "made.id"), js(t, bob, "made.id"); hers == his {
		t.Errorf("both pages have passkey %s", hers)
	}
	if got := js(t, bob, `get().then(() => new TextDecoder().decode(used.response.userHandle))`); got != `"b"` {
		t.Errorf("Bob signed in as %s", got)
	}
}

// TestGivingUpReachesTheAuthenticator aborts ceremonies whose user takes their time, and
// leaves the page meanwhile: the key is told, and the next ceremony works.
func TestGivingUpReachesTheAuthenticator(t *testing.T) {
	chromium(t)
	address := at("login.example.com", https(t, testPage("")))
	agent := newAgent(t, newKey(t, "key"))
	for name, giveUp := range map[string]string{
		"the page aborts":     `void stop.abort()`,
		"the page is left":    `void location.assign("/next")`,
		"the page is renewed": `void location.reload()`,
	} {
		t.Run(name, func(t *testing.T) {
			h := hold(agent)
			tab := visit(t, address, h, TabOptions{})
			js(t, tab, `void (window.stop = new AbortController(), window.later = create({}, {signal: stop.signal}))`)
			comes(t, "the ceremony", h.began)
			js(t, tab, giveUp)
			comes(t, "word to the key", h.gaveUp)
			tab.Use(agent)
			if err := tab.Open(inTime(t), address); err != nil {
				t.Fatal(err)
			}
			if o := outcomeOf(t, tab, "create()"); o.Name != "" {
				t.Errorf("the next ceremony: %+v", o)
			}
		})
	}
}

// TestConditionalRequestsThatWait has a page and its frame offer passkeys in fields: the
// one that came first is answered, then the other, and one that was given up is not.
func TestConditionalRequestsThatWait(t *testing.T) {
	chromium(t)
	mux := http.NewServeMux()
	mux.Handle("/inner", testPage(""))
	mux.Handle("/", testPage(`<iframe src="/inner"></iframe>`))
	address := at("login.example.com", https(t, mux))
	tab := visit(t, address, newAgent(t, newKey(t, "key")), TabOptions{})
	if o := outcomeOf(t, tab, "create()"); o.Name != "" {
		t.Fatalf("%+v", o)
	}
	const ask = `void (window.stop = new AbortController(), window.state = "waits", window.later = get({}, {mediation: "conditional", signal: stop.signal}).then((o) => { state = o.name ?? "answered"; return o; }))`
	js(t, tab, ask)
	inFrameText(t, tab, ask)
	states := func(first, second string) {
		t.Helper()
		if a, b := js(t, tab, "state"), inFrameText(t, tab, "state"); a != `"`+first+`"` || b != `"`+second+`"` {
			t.Errorf("the page's request is %s, the frame's %s; want %s and %s", a, b, first, second)
		}
	}
	states("waits", "waits")
	if err := tab.Autofill(inTime(t)); err != nil {
		t.Fatal(err)
	}
	js(t, tab, "later")
	states("answered", "waits")
	inFrameText(t, tab, "void stop.abort()")
	inFrameText(t, tab, "later")
	states("answered", "AbortError")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := tab.Autofill(ctx); err == nil {
		t.Error("a request that was given up is answered")
	}
}
