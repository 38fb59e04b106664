package proofing

import (
	"net/http"

	"fido-emu/identity/person"
)

// agreed is the step Consent.
func (s *Service) agreed(h *house, r *http.Request) (*record, error) {
	rec, err := s.pending(h, r, Consent)
	if err != nil {
		return nil, err
	}
	return s.proceed(h, r, rec, verdict{})
}

// documented is the step Document, or SecondDocument: take returns the picture.
func (s *Service) documented(h *house, r *http.Request, take func() ([]byte, error)) (*record, error) {
	rec, err := s.pending(h, r, Document, SecondDocument)
	if err != nil {
		return nil, err
	}
	file, err := take()
	if err != nil {
		return nil, err
	}
	return s.proceed(h, r, rec, s.judgeDocument(&h.Provider, rec, file))
}

// posed is the step Selfie: take returns what the camera saw while it asked for poses.
func (s *Service) posed(h *house, r *http.Request, take func([]person.Pose) (person.Capture, error)) (*record, error) {
	rec, err := s.pending(h, r, Selfie)
	if err != nil {
		return nil, err
	}
	c, err := take(rec.Challenge)
	if err != nil {
		return nil, err
	}
	return s.proceed(h, r, rec, s.judgeSelfie(&h.Provider, rec, c))
}

// proceed settles a verdict and tells the relying party of a decision.
func (s *Service) proceed(h *house, r *http.Request, rec *record, v verdict) (*record, error) {
	rec, err := s.change(rec, func(r *record) error { return s.settle(h, r, v) })
	if err != nil {
		return nil, err
	}
	return s.deliver(r.Context(), h, rec), nil
}
