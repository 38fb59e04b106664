package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// maxRelated is the most that a related origins document may hold, in bytes.
const maxRelated = 256 << 10

// RelatedOrigins returns what fetches the origins that may use an RP ID, from
// https://rpID/.well-known/webauthn (WebAuthn Level 3, section 5.11.1), for
// webauthn.Config. Cookies and the address of the page do not go along, redirects are
// followed over HTTPS only. transport is http.DefaultTransport when nil.
func RelatedOrigins(transport http.RoundTripper) func(ctx context.Context, rpID string) ([]string, error) {
	client := &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		r.Header.Del("Referer")
		switch {
		case r.URL.Scheme != "https":
			return fmt.Errorf("it redirects to %s, which is not https", r.URL.Redacted())
		case len(via) > 10:
			return errors.New("it redirects more than ten times")
		}
		return nil
	}}
	return func(ctx context.Context, rpID string) ([]string, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+rpID+"/.well-known/webauthn", nil)
		if err != nil {
			return nil, err
		}
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		return readRelated(answer)
	}
}

func readRelated(answer *http.Response) ([]string, error) {
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); answer.StatusCode != http.StatusOK || err != nil || kind != "application/json" {
		return nil, fmt.Errorf("status %d and content type %q, want 200 and application/json", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxRelated+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxRelated:
		return nil, fmt.Errorf("the document holds more than %d bytes", maxRelated)
	}
	var document struct {
		Origins *[]string `json:"origins"`
	}
	if err := json.Unmarshal(b, &document); err != nil {
		return nil, fmt.Errorf("the document: %w", err)
	}
	if document.Origins == nil {
		return nil, errors.New("the document has no origins")
	}
	return *document.Origins, nil
}
