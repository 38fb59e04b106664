package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"

	"fido-emu/identity/proofing"
	"fido-emu/identity/services"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/scenarios/language"
)

// RevokeVerifiedID has the issuer revoke the newest Verified ID of a person.
func (w *World) RevokeVerifiedID(p *Person) error {
	have, _, err := w.walletOf(p)
	if err != nil {
		return err
	}
	held := have.List()
	if len(held) == 0 {
		return fmt.Errorf("%s has no Verified ID", p.Name)
	}
	newest := held[len(held)-1]
	for _, provider := range language.VerificationProviders() {
		if issuer := w.proof.services.Proofing.Issuer(provider); issuer != nil && issuer.DID() == newest.Issuer {
			return issuer.Revoke(newest.ID)
		}
	}
	return fmt.Errorf("nobody here issued the Verified ID of %s", p.Name)
}

// SetProviderFault lets a verification provider fail; the zero Fault ends that.
func (w *World) SetProviderFault(provider string, f proofing.Fault) error {
	if w.proof == nil {
		return &Missing{"the scenario's relying party has no recovery"}
	}
	return w.proof.services.Proofing.SetFault(provider, f)
}

// SendCallback sends a callback to the relying party as an attacker does: the last
// one again, or one that nobody asked for.
func (w *World) SendCallback(ctx context.Context, how string) error {
	if w.proof == nil {
		return &Missing{"the scenario's relying party has no recovery"}
	}
	header, body, err := w.proof.site.forged(how)
	if err != nil {
		return err
	}
	w.proof.site.listen(false)
	defer w.proof.site.listen(true)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Scenario.Site.Origin+reference.CallbackPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = header
	answer, err := w.proof.network.Client().Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode < 300 {
		return nil
	}
	var no struct{ Code, Reason string }
	if err := json.NewDecoder(answer.Body).Decode(&no); err != nil {
		return err
	}
	return &rp.Refused{Code: no.Code, Reason: no.Reason, Status: answer.StatusCode}
}

// Callbacks lists the callbacks that an attacker may send: the last one again, the
// last one without its key, one that is made up, and the last one as a success.
func Callbacks() []string { return []string{"repeated", "without-key", "made-up", "as-success"} }

// forged returns a callback of an attacker.
func (r *recorder) forged(how string) (http.Header, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	header := http.Header{"Content-Type": {"application/json"}}
	if how == "made-up" {
		header.Set("api-key", "guessed")
		return header, []byte(`{"requestId":"00000000-0000-4000-8000-000000000000","requestStatus":"presentation_verified","state":"guessed","verifiedCredentialsData":[{"faceCheck":{"matchConfidenceScore":99,"sourcePhotoQuality":"HIGH"}}]}`), nil
	}
	if r.body == nil {
		return nil, nil, errors.New("no callback came yet that could be sent again")
	}
	switch how {
	case "repeated":
		return maps.Clone(r.header), r.body, nil
	case "as-success":
		body, err := asSuccess(r.body)
		return maps.Clone(r.header), body, err
	}
	return header, r.body, nil
}

// asSuccess makes of a callback one that tells of a presentation with a face that fits.
func asSuccess(callback []byte) ([]byte, error) {
	var members map[string]any
	if err := json.Unmarshal(callback, &members); err != nil {
		return nil, fmt.Errorf("the last callback: %w", err)
	}
	members["requestStatus"] = "presentation_verified"
	members["verifiedCredentialsData"] = []any{map[string]any{"faceCheck": map[string]any{"matchConfidenceScore": 99, "sourcePhotoQuality": "HIGH"}}}
	return json.Marshal(members)
}

// recorder stands before the relying party on the network in memory. It keeps the
// last callback, as somebody does who listens, and serves the relying party's
// linkage to its DID.
type recorder struct {
	next    http.Handler
	linkage *services.Services

	mu     sync.Mutex
	deaf   bool
	header http.Header
	body   []byte
}

// ServeHTTP keeps what is posted and hands it on.
func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path == "/.well-known/did-configuration.json" {
		r.serveLinkage(w)
		return
	}
	if q.Method == http.MethodPost {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.keep(q.Header, b)
		q.Body = io.NopCloser(bytes.NewReader(b))
	}
	r.next.ServeHTTP(w, q)
}

// listen says whether what comes is kept: what an attacker sends is not.
func (r *recorder) listen(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = !on
}

func (r *recorder) keep(header http.Header, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.deaf {
		r.header, r.body = maps.Clone(header), body
	}
}

func (r *recorder) serveLinkage(w http.ResponseWriter) {
	c, err := r.linkage.Linkage()
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c) // whoever asked may have left
}
