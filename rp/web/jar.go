package web

import (
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// jar is a cookie jar whose time is a parameter. One that is lenient sends Secure
// cookies to loopback over plain HTTP, as browsers do, to whom loopback is a secure
// context.
type jar struct {
	cookies http.CookieJar // knows of no end
	now     func() time.Time
	lenient bool

	mu   sync.Mutex
	ends map[string]time.Time // by host and name
	sets []cookieSet          // all that made the cookies what they are
}

// cookieSet is a cookie as an address set it.
type cookieSet struct {
	by     *url.URL
	cookie *http.Cookie
}

func (s cookieSet) same(o cookieSet) bool {
	return s.by.Host == o.by.Host && s.cookie.Name == o.cookie.Name && s.cookie.Path == o.cookie.Path && s.cookie.Domain == o.cookie.Domain
}

// fork returns a jar that holds the same cookies and goes its own way from here.
func (j *jar) fork() *jar {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := newJar(j.now, j.lenient)
	for _, s := range j.sets {
		f.cookies.SetCookies(f.seen(s.by), []*http.Cookie{s.cookie})
	}
	f.sets, f.ends = slices.Clone(j.sets), maps.Clone(j.ends)
	return f
}

func newJar(now func() time.Time, lenient bool) *jar {
	cookies, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		panic(err) // it is documented to return none
	}
	return &jar{cookies: cookies, now: now, lenient: lenient, ends: map[string]time.Time{}}
}

// SetCookies keeps cookies (RFC 6265, section 5.3).
func (j *jar) SetCookies(u *url.URL, all []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var kept []*http.Cookie
	for _, c := range all {
		one := *c
		end := c.Expires
		if c.MaxAge > 0 {
			end = j.now().Add(time.Duration(c.MaxAge) * time.Second)
		}
		if one.Expires, one.RawExpires = (time.Time{}), ""; c.MaxAge > 0 {
			one.MaxAge = 0
		}
		delete(j.ends, u.Host+" "+c.Name)
		switch {
		case end.IsZero():
		case end.After(j.now()):
			j.ends[u.Host+" "+c.Name] = end
		default:
			one.MaxAge = -1
		}
		kept = append(kept, &one)
		set := cookieSet{u, &one}
		j.sets = append(slices.DeleteFunc(j.sets, set.same), set)
	}
	j.cookies.SetCookies(j.seen(u), kept)
}

// Cookies returns the cookies that go along with a request.
func (j *jar) Cookies(u *url.URL) (kept []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.cookies.Cookies(j.seen(u)) {
		if end, ends := j.ends[u.Host+" "+c.Name]; !ends || j.now().Before(end) {
			kept = append(kept, c)
		}
	}
	return kept
}

// seen returns the address as the jar is to see it.
func (j *jar) seen(u *url.URL) *url.URL {
	if !j.lenient || u.Scheme != "http" || !isLoopback(u.Hostname()) {
		return u
	}
	secure := *u
	secure.Scheme = "https"
	return &secure
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
