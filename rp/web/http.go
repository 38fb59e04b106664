package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
)

// answer is what a site answered.
type answer struct {
	status int
	header http.Header
	url    *url.URL // that answered, after redirects
	body   []byte

	parsed   any
	parseErr error
	isParsed bool
}

func (a *answer) json() (any, error) {
	if !a.isParsed {
		a.isParsed = true
		if len(bytes.TrimSpace(a.body)) == 0 {
			a.parseErr = errors.New("the answer has no body")
		} else {
			a.parsed, a.parseErr = decodeJSON(a.body)
		}
	}
	return a.parsed, a.parseErr
}

// text returns what patterns and selectors look in.
func (s source) text() string {
	if s.answer != nil {
		return string(s.body)
	}
	return textOf(s.value)
}

// actor is somebody with cookies and variables of their own.
type actor struct {
	role     string
	jar      *jar
	vars     map[string]any
	signedIn bool
}

func (p *Party) newActor(role string) *actor {
	return &actor{role: role, jar: newJar(p.options.Now, p.d.secure), vars: map[string]any{}}
}

// fork returns an actor with the same cookies and variables, who goes their own way
// from here.
func (p *Party) fork(a *actor) *actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &actor{role: a.role, jar: a.jar.fork(), vars: maps.Clone(a.vars), signedIn: a.signedIn}
}

// transport returns a transport that uses no proxy: what the description does not
// name is not asked.
func transport() http.RoundTripper {
	return &http.Transport{
		Proxy: nil, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
}

// errElsewhere is a request to a host that the description does not name.
type errElsewhere struct {
	to    string
	bases []string
}

func (e errElsewhere) Error() string {
	return fmt.Sprintf("%s is none of the site's addresses (bases: %s): name it under bases if it belongs to the site", e.to, strings.Join(e.bases, ", "))
}

// within tells whether an address belongs to the site.
func (p *Party) within(u *url.URL) error {
	if !slices.Contains(p.hosts, u.Scheme+"://"+u.Host) || u.User != nil {
		return errElsewhere{u.Scheme + "://" + u.Host, p.hosts}
	}
	return nil
}

// do sends a request as an actor and reads the answer.
func (p *Party) do(r *http.Request, as *actor, follow bool) (*answer, error) {
	if err := p.within(r.URL); err != nil {
		return nil, err
	}
	client := http.Client{Transport: p.options.Transport, Jar: as.jar, Timeout: p.d.limits.time, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if !follow {
			return http.ErrUseLastResponse
		}
		if len(via) > p.d.limits.redirects {
			return fmt.Errorf("more than %d redirects", p.d.limits.redirects)
		}
		if err := p.within(next.URL); err != nil {
			return err
		}
		return nil
	}}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, p.d.limits.body+1))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if int64(len(body)) > p.d.limits.body {
		return nil, fmt.Errorf("the answer is longer than %d KiB: see limits", p.d.limits.body>>10)
	}
	return &answer{status: response.StatusCode, header: response.Header, url: response.Request.URL, body: body}, nil
}

// build makes the request of a step.
func (r *run) build(ctx context.Context, c *call) (*http.Request, []byte, error) {
	u, err := r.address(c)
	if err != nil {
		return nil, nil, err
	}
	body, kind, err := r.body(c)
	if err != nil {
		return nil, nil, err
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, c.method, u.String(), content)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", "application/json, text/html;q=0.8, */*;q=0.5")
	request.Header.Set("Origin", r.party.origin)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	for _, b := range slices.Concat(r.party.d.headers, c.headers) {
		v, err := b.value.text(r.lookup)
		if err != nil {
			return nil, nil, fmt.Errorf("header %s: %w", b.name, err)
		}
		if request.Header.Del(b.name); v != "" {
			request.Header.Set(b.name, v)
		}
	}
	r.disguise(request)
	return request, body, nil
}

// address returns where a request goes. What is put into a path is escaped; a target
// that is one variable is an address as the site gave it, relative to the base.
func (r *run) address(c *call) (*url.URL, error) {
	base := r.party.bases[0].url
	for _, b := range r.party.bases {
		if b.name == c.base {
			base = b.url
		}
	}
	escape := url.PathEscape
	if len(c.target.parts) == 1 && c.target.parts[0].ref != nil {
		escape = func(s string) string { return s }
	}
	text, err := c.target.escaped(r.lookup, escape)
	if err != nil {
		return nil, err
	}
	var u *url.URL
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && c.target.parts[0].ref == nil {
		u, err = url.Parse(strings.TrimSuffix(base.String(), "/") + text) // below the base's own path
	} else if u, err = url.Parse(text); err == nil {
		u = base.ResolveReference(u)
	}
	if err != nil || text == "" {
		return nil, fmt.Errorf("%q is no address to send a request to", text)
	}
	wishes := r.wishesInQuery(c)
	if len(c.query)+len(wishes) > 0 {
		q := u.Query()
		for _, b := range c.query {
			if err := r.addQuery(q, b); err != nil {
				return nil, err
			}
		}
		for name, v := range wishes {
			q.Set(name, v)
		}
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// addQuery adds the values of a member; a list gives one each, nothing gives none.
func (r *run) addQuery(q url.Values, b bindings) error {
	for _, t := range b.values {
		v, err := t.value(r.lookup)
		if err != nil {
			return err
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, item := range list {
			if item != nil {
				q.Add(b.name, textOf(item))
			}
		}
	}
	return nil
}

func (r *run) body(c *call) (body []byte, kind string, err error) {
	switch {
	case c.json != nil:
		v, err := fill(c.json, r.lookup)
		if err != nil {
			return nil, "", err
		}
		body, err = json.Marshal(r.wish(c, v))
		return body, "application/json", err
	case c.form != nil:
		form := url.Values{}
		for _, b := range c.form {
			v, err := b.value.text(r.lookup)
			if err != nil {
				return nil, "", err
			}
			form.Set(b.name, v)
		}
		for name, v := range r.wishesIn(c) {
			form.Set(name, v)
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	case c.text != nil:
		text, err := c.text.text(r.lookup)
		return []byte(text), "text/plain; charset=utf-8", err
	}
	return nil, "", nil
}

// broken makes a failed exchange an *rp.Broken.
func broken(doing string, err error) error { return &rp.Broken{Doing: doing, Err: err} }
