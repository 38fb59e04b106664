package reference_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fido-emu/rp/reference"
)

// TestFramesThatAreAccepted has ceremonies in frames of a page that the relying party
// knows, and of others.
func TestFramesThatAreAccepted(t *testing.T) {
	const shop = "https://shop.example.net"
	in := func(top string) func(*toy) {
		return claim(func(cl *claims) { cl.client["crossOrigin"], cl.client["topOrigin"] = true, top })
	}
	each(t, func(s site) {
		key := newToy(t)
		in(shop)(key)
		s.register(ada, key)
		s.signIn(ada, key)
		for _, top := range []string{"https://shop.examp1e.net", "https://shop.example.net:444", "http://shop.example.net"} {
			in(top)(key)
			_, err := s.SignIn(s.ctx, ada, key)
			s.refused(err, reference.CrossOrigin)
		}
		claim(func(cl *claims) { cl.client["crossOrigin"] = true })(key) // without saying whose
		_, err := s.SignIn(s.ctx, ada, key)
		s.refused(err, reference.CrossOrigin)
	}, func(c *reference.Config) { c.TopOrigins = []string{shop} })
}

// TestPagesInFrames looks at who may show the pages in a frame.
func TestPagesInFrames(t *testing.T) {
	for top, want := range map[string]string{"": "frame-ancestors 'none'", "https://shop.example.net": "frame-ancestors https://shop.example.net"} {
		c := reference.Config{RPID: "example.com", Origins: []string{"https://example.com"}}
		if top != "" {
			c.TopOrigins = []string{top}
		}
		core, err := reference.New(c)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		reference.Handler(core).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, want) {
			t.Errorf("embedded by %q: %s, want %s", top, got, want)
		}
	}
}
