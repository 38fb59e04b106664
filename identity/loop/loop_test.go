package loop_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"fido-emu/identity/loop"
)

// echo answers with the host, the path and the body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Method", r.Method)
	w.WriteHeader(http.StatusAccepted)
	w.Header().Set("X-Late", "a header after the status is not sent")
	io.WriteString(w, r.Host+r.URL.Path+" "+string(body)) //nolint:errcheck // it is a buffer
}

func post(n *loop.Network, url string) (*http.Response, error) {
	return n.Client().Post(url, "text/plain", strings.NewReader("hello"))
}

func TestRequestsGoByHost(t *testing.T) {
	n := loop.New()
	n.Handle("a.test", http.HandlerFunc(echo))
	n.Handle("b.test:8443", http.HandlerFunc(http.NotFound))

	resp, err := post(n, "https://a.test/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if got := string(body); got != "a.test/x hello" || resp.StatusCode != http.StatusAccepted {
		t.Errorf("%s, %q", resp.Status, got)
	}
	if resp.Header.Get("X-Method") != "POST" || resp.Header.Get("X-Late") != "" {
		t.Errorf("headers %v", resp.Header)
	}
	if other, err := post(n, "https://b.test:8443/"); err != nil || other.StatusCode != http.StatusNotFound {
		t.Errorf("host with a port: %v, %v", other, err)
	}
	if _, err := post(n, "https://c.test/"); !errors.Is(err, loop.ErrUnknownHost) {
		t.Errorf("unknown host: %v", err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  func(*loop.Network)
		want   []error // of one request after another
		served int
	}{
		{"none", func(*loop.Network) {}, []error{nil, nil}, 2},
		{"down", func(n *loop.Network) { n.Down("a.test") }, []error{loop.ErrDown, loop.ErrDown}, 0},
		{"up again", func(n *loop.Network) { n.Down("a.test"); n.Up("a.test") }, []error{nil}, 1},
		{"dies after one", func(n *loop.Network) { n.DieAfter("a.test", 1) }, []error{nil, loop.ErrDown, loop.ErrDown}, 1},
		{"dies at once", func(n *loop.Network) { n.DieAfter("a.test", 0) }, []error{loop.ErrDown}, 0},
		{"loses an answer", func(n *loop.Network) { n.LoseAnswers("a.test", 1) }, []error{loop.ErrLost, nil}, 2},
		{"of another host", func(n *loop.Network) { n.Down("b.test") }, []error{nil}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := loop.New()
			n.Handle("a.test", http.HandlerFunc(echo))
			c.fault(n)
			for i, want := range c.want {
				if _, err := post(n, "https://a.test/"); !errors.Is(err, want) {
					t.Errorf("request %d: %v, want %v", i+1, err, want)
				}
			}
			if got := n.Served("a.test"); got != c.served {
				t.Errorf("served %d, want %d", got, c.served)
			}
		})
	}
}
