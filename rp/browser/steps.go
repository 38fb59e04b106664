package browser

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"fido-emu/rp"
	"fido-emu/rp/web"
)

// run is one passage through a section.
type run struct {
	site    *site
	section *section
	tab     *Tab
	who     rp.Person
	vars    map[string]any
	shot    string // file of the picture that a step took itself
}

func (r *run) lookup(name string) any {
	if name == "credential" {
		return r.credential()
	}
	if v, ok := r.vars[name]; ok {
		return v
	}
	return r.site.setting(name)
}

// credential returns the ID of the passkey of the latest ceremony of the section.
func (r *run) credential() string {
	for _, e := range slices.Backward(r.tab.Ended()) {
		var response struct {
			ID string `json:"id"`
		}
		if e.Err == nil && json.Unmarshal(e.Response, &response) == nil {
			return response.ID
		}
	}
	return ""
}

func plainText(s string) string { return s }

// inCSS escapes what is put into a selector, for use in quotation marks.
func inCSS(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, "\n", `\a `).Replace(s)
}

// take takes the steps in order.
func (r *run) take(ctx context.Context) error {
	for i := range r.section.steps {
		s := &r.section.steps[i]
		if s.when != "" {
			is, err := web.Holds(s.when, r.lookup)
			if err != nil {
				return fmt.Errorf("%s: when: %w", s.at, err)
			}
			if !is {
				continue
			}
		}
		if err := r.step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// step takes one step within its time and tells the observer of it.
func (r *run) step(ctx context.Context, s *step) error {
	x := web.Exchange{Section: r.section.name, Place: s.at.String(), Note: s.note, Actor: "person", Kind: "page", Line: s.line(), Verdict: web.Accepted, Why: "done"}
	limit := r.site.d.within
	if s.within > 0 {
		limit = s.within
	}
	r.shot = ""
	inTime, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %s", limit))
	value, err := r.act(inTime, s)
	cancel()
	if err == nil && s.verb == "read" {
		r.vars[s.as] = value
		x.Taken = append(x.Taken, web.Taken{Name: s.as, Value: value})
	}
	shot := r.shot
	if shot == "" || err != nil {
		shot = r.picture(ctx, s, err != nil)
	}
	x.Picture = r.site.pictureName(shot)
	if err != nil {
		err = r.judge(ctx, s, shot, err)
		x.Verdict, x.Why = verdict(err), err.Error()
	}
	if r.site.web.Observe != nil {
		r.site.web.Observe(x)
	}
	return err
}

// line says what a step does.
func (s *step) line() string {
	switch {
	case s.where != nil:
		return s.verb + " " + s.where.String()
	case s.verb == "expect":
		return "expect the page"
	case s.verb == "dialog":
		return fmt.Sprintf("dialog %q", s.has)
	}
	return s.verb + " " + s.text
}

// String says where something is, for people.
func (p *place) String() string {
	text := p.css
	if p.text != "" {
		text = strings.TrimSpace(fmt.Sprintf("%s %q", p.css, p.text))
	}
	if len(p.frames) > 0 {
		text += " in frame " + strings.Join(p.frames, " ")
	}
	return text
}

func verdict(err error) string {
	var no *rp.Refused
	var fault *rp.Broken
	switch {
	case errors.As(err, &no):
		return web.RefusedBy
	case errors.As(err, &fault):
		return web.BrokenBy
	}
	return web.Failed
}

// errRefused is a page that says no where something else was awaited.
type errRefused struct{ reason string }

func (e errRefused) Error() string { return e.reason }

// judge says whose fault a step that was not possible is: an authenticator's refusal
// goes before what the page makes of it, and a page that says no is not broken.
func (r *run) judge(ctx context.Context, s *step, shot string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, e := range slices.Backward(r.tab.Ended()) {
		if e.Err != nil {
			return e.Err
		}
		break // what ended before the last did not stop the page
	}
	if no, ok := errors.AsType[*rp.Refused](err); ok {
		return no
	}
	if no, ok := errors.AsType[errRefused](err); ok {
		return &rp.Refused{Code: r.site.d.code(no.reason), Reason: no.reason}
	}
	said := r.tab.said(ctx)
	if shot != "" {
		said += "; screenshot " + shot
	}
	return &rp.Broken{Doing: r.section.name, Err: fmt.Errorf("%s: %s: %w; %s", s.at, s.line(), err, said)}
}

func (r *run) act(ctx context.Context, s *step) (string, error) {
	text, err := web.Text(s.text, r.lookup, plainText)
	if err != nil {
		return "", err
	}
	switch s.verb {
	case "open":
		return "", r.open(ctx, text)
	case "expect":
		return "", r.expect(ctx, s)
	case "screenshot":
		return "", nil
	case "dialog":
		return "", r.agree(ctx, s)
	case "gone":
		return "", r.until(ctx, func(c context.Context) (bool, error) {
			e, err := r.find(c, s.where, false)
			return e == nil, err
		})
	}
	e, err := r.await(ctx, s.where, s.verb != "wait" && s.verb != "read")
	if err != nil {
		return "", err
	}
	switch s.verb {
	case "click":
		r.shot = r.picture(ctx, s, false) // what it leads to is in the picture of the next step
		return "", r.click(ctx, e)
	case "fill":
		return "", e.fill(ctx, text, secretName.MatchString(s.text))
	case "read":
		if s.fallback == nil {
			return e.read(ctx, s.attribute)
		}
		text, err := e.readIf(ctx, s.attribute)
		return *cmp.Or(text, s.fallback), err
	case "autofill":
		r.shot = r.picture(ctx, s, false)
		if err := e.focus(ctx); err != nil {
			return "", err
		}
		return "", r.tab.Autofill(ctx)
	}
	return "", nil
}

// secretName is what variables are called that pictures must not show.
var secretName = regexp.MustCompile(`(?i)\$\{[^}]*(pass|secret|token|code|key)[^}]*\}`)

// find returns what is at a place, into which variables are put; nil for nothing.
func (r *run) find(ctx context.Context, p *place, enabled bool) (*element, error) {
	css, err := web.Text(p.css, r.lookup, inCSS)
	if err != nil {
		return nil, err
	}
	text, err := web.Text(p.text, r.lookup, plainText)
	if err != nil {
		return nil, err
	}
	return r.tab.find(ctx, &place{css: css, text: text, frames: p.frames}, enabled)
}

// await waits until something is there.
func (r *run) await(ctx context.Context, where *place, enabled bool) (e *element, err error) {
	err = r.until(ctx, func(c context.Context) (bool, error) {
		var err error
		e, err = r.find(c, where, enabled)
		return e != nil, err
	})
	return e, err
}

// until waits until something is so. A page that says no instead ends the wait.
func (r *run) until(ctx context.Context, is func(context.Context) (bool, error)) error {
	return r.tab.until(ctx, func(c context.Context) (bool, error) {
		if yes, err := is(c); yes || err != nil || r.site.d.refused == nil {
			return yes, err
		}
		no, err := r.find(c, r.site.d.refused, false)
		if no == nil || err != nil {
			return false, err
		}
		reason, err := no.read(c, "")
		if err == nil && reason != "" {
			err = errRefused{reason}
		}
		return false, err
	})
}

// open goes to a page of one of the bases.
func (r *run) open(ctx context.Context, to string) error {
	at, _ := r.tab.placed()
	address, err := r.site.address(to, cmp.Or(at.Origin, r.site.Origin()))
	if err != nil {
		return err
	}
	if at.Top != "" {
		return r.tab.openFramed(ctx, address, at)
	}
	return r.tab.Open(ctx, address)
}

// Open goes to an address and waits until the page is loaded.
func (t *Tab) Open(ctx context.Context, address string) error {
	c, cancel := t.within(ctx)
	defer cancel()
	got, err := chromedp.Call(c, page.Navigate, page.NavigateParams{URL: address})
	switch {
	case err != nil:
		return err
	case got.ErrorText != "":
		return fmt.Errorf("%s: %s", address, got.ErrorText)
	}
	return t.until(ctx, func(c context.Context) (bool, error) {
		state, err := t.evaluate(c, "document.readyState")
		return state == `"complete"`, err
	})
}

// address returns the address of a page: /path at an origin, or base:/path.
func (s *site) address(to, origin string) (string, error) {
	name, path, named := strings.Cut(to, ":/")
	if named {
		path = "/" + path
	} else {
		name, path = "", to
	}
	if !named && strings.HasPrefix(path, "/") {
		return origin + path, nil
	}
	base, ok := s.party.Base(name)
	if !ok || !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("open %q: /path or base:/path is expected", to)
	}
	return base + path, nil
}

func (r *run) expect(ctx context.Context, s *step) error {
	var wrong string
	err := r.until(ctx, func(c context.Context) (bool, error) {
		p, err := r.tab.look(c)
		if err != nil {
			return false, err
		}
		wrong = ""
		switch {
		case s.url != nil && !s.url.MatchString(p.URL):
			wrong = fmt.Sprintf("the address is %s, want %s", p.URL, s.url)
		case s.title != nil && !s.title.MatchString(p.Title):
			wrong = fmt.Sprintf("the title is %q, want %s", p.Title, s.title)
		case s.has != nil && !s.has.MatchString(p.Text):
			wrong = fmt.Sprintf("the text does not hold %s", s.has)
		}
		return wrong == "", nil
	})
	if _, no := errors.AsType[errRefused](err); err != nil && wrong != "" && !no {
		return errors.New(wrong)
	}
	return err
}

// seen is what a page shows.
type seen struct{ URL, Title, Text string }

func (t *Tab) look(ctx context.Context) (seen, error) {
	var p seen
	text, err := t.evaluate(ctx, `({URL: location.href, Title: document.title, Text: document.body?.innerText ?? ""})`)
	if err != nil {
		return p, err
	}
	err = json.Unmarshal([]byte(text), &p)
	return p, err
}

// said says what the page says, for errors.
func (t *Tab) said(ctx context.Context) string {
	if says := t.showsDialog(); says != nil {
		return fmt.Sprintf("the page shows a dialog that says %q, and waits; a step dialog agrees to it", clip(*says, 300))
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, stop := t.within(ctx)
	defer stop()
	p, err := t.look(c)
	if err != nil {
		return "the page says nothing: " + err.Error()
	}
	text := fmt.Sprintf("the page %s (%q) says %q", p.URL, p.Title, clip(p.Text, 300))
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.console) > 0 {
		text += "; console: " + strings.Join(t.console, " | ")
	}
	return text
}

// until tries something again and again until it is so, an error ends it, or ctx does.
func (t *Tab) until(ctx context.Context, is func(context.Context) (bool, error)) error {
	c, cancel := t.within(ctx)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := is(c)
		if c.Err() != nil {
			return context.Cause(c)
		}
		if err == nil && yes {
			return nil
		}
		if err != nil && !isPassing(err) {
			return err
		}
		select {
		case <-tick.C:
		case <-c.Done():
			return context.Cause(c)
		}
	}
}

// mainFrame returns the outermost frame.
func (t *Tab) mainFrame(ctx context.Context) (cdp.FrameID, error) {
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return "", err
	}
	return tree.FrameTree.Frame.ID, nil
}
