package proofing

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"fido-emu/identity/person"
)

func (s *Service) routeRelying(mux *http.ServeMux) {
	mux.Handle("POST /{provider}/sessions", s.at(s.create))
	mux.Handle("GET /{provider}/sessions/{id}", s.at(s.showResult))
	mux.Handle("DELETE /{provider}/sessions/{id}", s.at(s.cancel))
}

// relying returns who asks.
func (s *Service) relying(r *http.Request) (*RelyingParty, error) {
	key := bearer(r)
	for i := range s.config.Relying {
		if rp := &s.config.Relying[i]; key != "" && hash(rp.Key) == hash(key) {
			return rp, nil
		}
	}
	return nil, refuse(http.StatusUnauthorized, CodeUnauthorized, "the API key is missing or wrong")
}

// create begins a session:
//
//  1. by a customer
//  2. with a request that the provider can serve
//  3. once for each idempotency key
func (s *Service) create(h *house, w http.ResponseWriter, r *http.Request) error {
	rp, err := s.relying(r)
	if err != nil {
		return err
	}
	var q Request
	if err := read(r, maxJSON, &q); err != nil {
		return err
	}
	kinds, err := h.accept(q)
	if err != nil {
		return err
	}
	repeat := ""
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		repeat = hash(rp.Name + "\x00" + h.ID + "\x00" + key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if repeat != "" {
		if old := s.findLocked(func(r *record) bool { return r.Repeat == repeat }); old != nil {
			return s.again(w, old, q)
		}
	}
	fresh, err := s.begin(h, rp, q)
	if err != nil {
		return err
	}
	fresh.Kinds, fresh.Repeat = kinds, repeat
	if err := s.put(fresh, nil); err != nil {
		return err
	}
	answer(w, http.StatusCreated, fresh.ticket())
	return nil
}

// accept checks a request and returns the kinds of documents that will do.
func (h *house) accept(q Request) ([]person.Kind, error) {
	if q.Reference == "" {
		return nil, refuse(http.StatusBadRequest, CodeBadRequest, "reference is missing")
	}
	if u, err := url.Parse(q.Callback); err != nil || q.Callback != "" && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return nil, refuse(http.StatusBadRequest, CodeBadRequest, "callback is not a URL of https or http")
	}
	if q.Country != "" && !h.Serves(q.Country) {
		return nil, refuse(http.StatusUnprocessableEntity, CodeNotServed, "%s does not work in %q; choose another provider", h.Title, q.Country)
	}
	kinds := slices.Clone(h.Documents)
	if len(q.Documents) > 0 {
		kinds = slices.DeleteFunc(kinds, func(k person.Kind) bool { return !slices.Contains(q.Documents, k) })
	}
	if len(kinds) == 0 {
		return nil, refuse(http.StatusUnprocessableEntity, CodeNotServed, "%s takes none of %v, only %v", h.Title, q.Documents, h.Documents)
	}
	return kinds, nil
}

// begin makes a record; s.mu is held.
func (s *Service) begin(h *house, rp *RelyingParty, q Request) (*record, error) {
	id, err := s.secret()
	if err != nil {
		return nil, err
	}
	r := &record{ID: id, Provider: h.ID, Relying: rp.Name, Request: q, Status: Pending}
	r.Changed = s.config.Now().UTC()
	r.Expires = r.Changed.Add(h.life())
	if h.Steps[0] == Selfie { // never: a document comes before
		r.Challenge, err = s.poses(h.Challenges)
	}
	if err == nil {
		err = s.link(r)
	}
	return r, err
}

// link gives a record a new link.
func (s *Service) link(r *record) error {
	token, err := s.secret()
	if err != nil {
		return err
	}
	r.Link, r.url = hash(token), s.config.PublicURL+"/"+r.Provider+"/verify/"+token
	return nil
}

// again answers a request that was repeated. After a restart the link is not known in
// the clear any more: there is a new one, and the first is void.
func (s *Service) again(w http.ResponseWriter, old *record, q Request) error {
	if !reflect.DeepEqual(old.Request, q) {
		return refuse(http.StatusConflict, CodeConflict, "the idempotency key was used for another request")
	}
	if old.url == "" {
		fresh, err := s.changeLocked(old, s.link)
		if err != nil {
			return err
		}
		old = fresh
	}
	answer(w, http.StatusCreated, old.ticket())
	return nil
}

func (r *record) ticket() Ticket {
	return Ticket{Session: r.ID, Provider: r.Provider, URL: r.url, Expires: r.Expires}
}

// own finds a session of the customer who asks.
func (s *Service) own(h *house, r *http.Request) (*record, error) {
	rp, err := s.relying(r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	rec := s.find(func(r *record) bool { return r.ID == id && r.Provider == h.ID && r.Relying == rp.Name })
	if rec == nil {
		return nil, errNotFound("session")
	}
	return s.expire(rec)
}

func (s *Service) showResult(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.own(h, r)
	if err != nil {
		return err
	}
	rec = s.deliver(r.Context(), h, rec)
	answer(w, http.StatusOK, h.result(rec))
	return nil
}

func (s *Service) cancel(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.own(h, r)
	if err == nil && (rec.Status == Pending || rec.Status == Verified) {
		rec, err = s.change(rec, func(r *record) error { r.end(Cancelled); return nil })
	}
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, h.result(rec))
	return nil
}

func (h *house) result(r *record) Result {
	out := Result{
		Session: r.ID, Provider: r.Provider, Reference: r.Request.Reference,
		Status: r.Status, Step: r.step(&h.Provider), Reasons: r.Reasons, Match: r.Match,
		Issuer: h.issuer.DID(), Changed: r.Changed, Expires: r.Expires,
	}
	if r.Document != nil {
		out.Kind = r.Document.Data.Kind
	}
	return out
}

// deliver calls the relying party back, once a session is decided and until a callback
// was taken (2xx). What fails is not lost: the result can be asked for.
func (s *Service) deliver(ctx context.Context, h *house, r *record) *record {
	if r.Delivered || r.Status == Pending || r.Request.Callback == "" {
		return r
	}
	b, err := json.Marshal(h.result(r))
	if err != nil {
		return r
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Request.Callback, bytes.NewReader(b))
	if err != nil {
		return r
	}
	i := slices.IndexFunc(s.config.Relying, func(rp RelyingParty) bool { return rp.Name == r.Relying })
	if i < 0 { // no customer any more
		return r
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set(SignatureHeader, Sign(s.config.Relying[i].Secret, b, s.config.Now()))
	taken, err := s.config.Client.Do(q)
	if err != nil {
		return r
	}
	defer taken.Body.Close()
	if taken.StatusCode/100 != 2 {
		return r
	}
	if now, err := s.change(r, func(r *record) error { r.Delivered = true; return nil }); err == nil {
		return now
	}
	return r
}
