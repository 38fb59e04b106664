package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestServe starts each service, asks it for something, and interrupts it.
func TestServe(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		path string
		want int
	}{
		"relying party": {[]string{"rp", "serve"}, "/api/config", http.StatusOK},
		"sync provider": {[]string{"keychain", "serve", "--store", filepath.Join(t.TempDir(), "store.db")}, "/v1/nothing", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, w := io.Pipe()
			var errOut strings.Builder
			ended := make(chan int, 1)
			go func() {
				u := ui{in: strings.NewReader(""), out: w, err: &errOut, getenv: func(string) string { return "a-token-of-the-test" }}
				ended <- execute(ctx, append(tt.args, "--listen", "127.0.0.1:0"), u)
				w.Close()
			}()
			line, err := bufio.NewReader(r).ReadString('\n')
			if err != nil {
				t.Fatal(err, errOut.String())
			}
			address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
			response, err := http.Get("http://" + address + tt.path)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != tt.want {
				t.Errorf("status %d, want %d", response.StatusCode, tt.want)
			}
			cancel()
			if code := <-ended; code != exitPassed || errOut.String() != "" {
				t.Errorf("exit code %d, %s", code, errOut.String())
			}
		})
	}
}

func TestServeRefusals(t *testing.T) {
	for _, tt := range []struct {
		args, want string
		code       int
	}{
		{"rp serve --listen 127.0.0.1:0 --attestation-roots main.go", "no certificate in it", exitUsage},
		{"rp serve --listen 127.0.0.1:0 --origin http://example.com/path", "origin", exitUsage},
		{"rp serve --listen nowhere", "another address", exitBench},
		{"rp serve --listen 127.0.0.1:0 --state main.go", "--state main.go: it is a file", exitUsage},
		{"keychain serve --provider acme", "acme", exitUsage},
	} {
		var out, errOut strings.Builder
		u := ui{in: strings.NewReader(""), out: &out, err: &errOut, getenv: func(string) string { return "t" }}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		code := execute(ctx, strings.Fields(tt.args), u)
		if code != tt.code || !strings.Contains(errOut.String(), tt.want) {
			t.Errorf("%s: exit code %d, want %d; %s, want %s", tt.args, code, tt.code, errOut.String(), tt.want)
		}
	}
}
