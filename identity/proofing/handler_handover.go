package proofing

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"
)

// Codes of hand-overs: how long one is good, and how many wrong ones are borne in that
// time, by a whole provider's service, before nobody may type any. With 40 bits, who
// guesses so often finds one of a thousand that are open once in some fifty thousand years.
const (
	codeLife = 5 * time.Minute
	maxWrong = 10
	qrScale  = 6
)

// handOver makes a code for another device.
func (s *Service) handOver(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.mine(h, r)
	if err != nil {
		return err
	}
	if rec.Status != Pending && rec.Status != Verified && rec.Status != Issued {
		return errOver(rec.Status)
	}
	code, err := s.code()
	if err != nil {
		return err
	}
	ends := s.config.Now().Add(codeLife).UTC()
	if _, err := s.change(rec, func(r *record) error { r.Code, r.CodeEnds = hash(code), ends; return nil }); err != nil {
		return err
	}
	link := s.config.BaseURL + "/" + h.ID + "/c/" + code
	q, err := qr.Encode(link, qr.M)
	if err != nil {
		return err
	}
	q.Scale = qrScale
	answer(w, http.StatusOK, HandOver{URL: link, Code: code, QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(q.PNG()), Expires: ends})
	return nil
}

// takeOver gives the session to the device that has the code, which is good once.
func (s *Service) takeOver(h *house, w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Code string `json:"code"`
	}
	if err := read(r, maxJSON, &in); err != nil {
		return err
	}
	now := s.config.Now()
	code := hash(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(in.Code)))
	if err := s.throttle(now); err != nil {
		return err
	}
	rec := s.find(func(r *record) bool {
		return r.Code == code && r.Provider == h.ID && now.Before(r.CodeEnds) && now.Before(r.Expires)
	})
	if rec == nil {
		s.mu.Lock()
		s.wrong = append(s.wrong, now)
		s.mu.Unlock()
		return errNotFound("code, or it is not good any more")
	}
	return s.give(h, w, rec, "")
}

// throttle refuses codes while too many were wrong.
func (s *Service) throttle(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.wrong) > 0 && now.Sub(s.wrong[0]) >= codeLife {
		s.wrong = s.wrong[1:]
	}
	if len(s.wrong) >= maxWrong {
		return refuse(http.StatusTooManyRequests, CodeThrottled, "too many wrong codes; wait until %s", s.wrong[0].Add(codeLife).UTC().Format(time.TimeOnly))
	}
	return nil
}
