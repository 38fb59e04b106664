package browser

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// Tab is a page of a browser profile of its own: it shares no cookies with others.
type Tab struct {
	ctx     context.Context
	stop    context.CancelFunc
	binding string // name by which pages reach the shim; empty without it
	options TabOptions

	mu      sync.Mutex
	worlds  map[runtime.ExecutionContextID]world
	console []string // errors
	client  webauthn.Client
	asked   map[request]*asked
	arrived chan struct{} // closed and replaced when what is asked changes
	ended   []Ended       // since client was set
	at      rp.Page       // where its pages are; the site's own origin when zero
	frames  []string      // selectors of the frames that its pages are in
	dialog  *string       // what an open dialog says
}

// TabOptions says what a tab tells its pages. All may be left out.
type TabOptions struct {
	NoShim     bool         // navigator.credentials is Chromium's own
	NoPlatform bool         // pages are told that there is no platform authenticator
	Related    bool         // pages are told that the client knows related origins
	OnSignal   func(Signal) // is told what pages say of the passkeys that they know
}

// world is a place where scripts of a frame run, by Chromium's word.
type world struct {
	unique, frame, origin string
	main                  bool // the page's own scripts, not those of extensions and the like
}

// request is a call of the shim.
type request struct {
	world runtime.ExecutionContextID
	id    int
}

// Ended is a ceremony that a page asked for.
type Ended struct {
	Type      string // webauthn.TypeCreate or webauthn.TypeGet
	Origin    string // of the frame that asked
	TopOrigin string // of the page that embeds it across origins; empty for none
	Options   []byte // JSON
	Response  []byte // JSON; nil for a refusal
	Err       error
}

// NewTab opens a tab.
func (b *Browser) NewTab(ctx context.Context, o TabOptions) (*Tab, error) {
	t := &Tab{options: o, worlds: map[runtime.ExecutionContextID]world{}, asked: map[request]*asked{}, arrived: make(chan struct{})}
	t.ctx, t.stop = chromedp.NewContext(b.root, chromedp.WithNewBrowserContext(), chromedp.WithListener(t.event))
	defer context.AfterFunc(ctx, t.stop)()
	if err := chromedp.Do(t.ctx); err != nil {
		t.stop()
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	if o.NoShim {
		return t, nil
	}
	t.binding = "fido_" + rand.Text()
	script, err := t.script()
	if err == nil {
		_, err = chromedp.Call(t.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: t.binding})
	}
	if err == nil {
		_, err = chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	}
	if err != nil {
		t.stop()
		return nil, fmt.Errorf("putting the shim in place: %w", err)
	}
	return t, nil
}

// Close closes the tab and forgets its profile.
func (t *Tab) Close() error {
	t.Use(nil)
	if err := chromedp.Cancel(t.ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("closing a tab: %w", err)
	}
	return nil
}

// Use sets who answers ceremonies from now on, nil for nobody, and forgets those that
// ended.
func (t *Tab) Use(c webauthn.Client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.client, t.ended = c, nil
}

// Ended returns the ceremonies that ended since [Tab.Use].
func (t *Tab) Ended() []Ended {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Ended(nil), t.ended...)
}

// within returns a context for commands to the tab that ends with ctx.
func (t *Tab) within(ctx context.Context) (context.Context, context.CancelFunc) {
	c, cancel := context.WithCancelCause(t.ctx)
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	return c, func() { stop(); cancel(nil) }
}

// maxConsole is how many errors of the console are kept.
const maxConsole = 20

// event sees what happens in the tab, in order. It must not wait.
func (t *Tab) event(e any) {
	switch e := e.(type) {
	case *runtime.EventExecutionContextCreated:
		t.born(e.Context)
	case *runtime.EventExecutionContextDestroyed:
		t.died(func(w world) bool { return w.unique == e.ExecutionContextUniqueID })
	case *runtime.EventExecutionContextsCleared:
		t.died(func(world) bool { return true })
	case *runtime.EventBindingCalled:
		if e.Name == t.binding {
			t.called(e.ExecutionContextID, e.Payload)
		}
	case *page.EventJavascriptDialogOpening:
		t.dialogOpened(e.Message)
	case *page.EventJavascriptDialogClosed:
		t.dialogClosed()
	case *runtime.EventExceptionThrown:
		if d := e.ExceptionDetails; d != nil {
			text := d.Text
			if d.Exception != nil {
				text += " " + d.Exception.Description
			}
			t.complained(text)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" {
			var words []string
			for _, a := range e.Args {
				words = append(words, strings.Trim(string(a.Value), `"`)+a.Description)
			}
			t.complained(strings.Join(words, " "))
		}
	}
}

func (t *Tab) complained(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.console) < maxConsole {
		t.console = append(t.console, clip(text, 200))
	}
}

func (t *Tab) born(c *runtime.ExecutionContextDescription) {
	var aux struct {
		FrameID   string `json:"frameId"`
		IsDefault bool   `json:"isDefault"`
	}
	if err := json.Unmarshal(c.AuxData, &aux); err != nil {
		return // no frame's
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.worlds[c.ID] = world{unique: c.UniqueID, frame: aux.FrameID, origin: c.Origin, main: aux.IsDefault}
}

// died forgets worlds, and ends what their pages asked for.
func (t *Tab) died(which func(world) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, w := range t.worlds {
		if which(w) {
			delete(t.worlds, id)
		}
	}
	for _, a := range t.asked {
		if which(a.world) {
			a.cancel()
		}
	}
}

// worldOf returns the world of a frame where the page's own scripts run.
func (t *Tab) worldOf(frame cdp.FrameID) (runtime.ExecutionContextID, world, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, w := range t.worlds {
		if w.main && w.frame == string(frame) {
			return id, w, true
		}
	}
	return 0, world{}, false
}

func clip(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
