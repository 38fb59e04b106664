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

func (s *Service) handOver(h *house, w http.ResponseWriter, r *http.Request) error {
	o, err := s.invite(h, r)
	if err == nil {
		answer(w, http.StatusOK, o)
	}
	return err
}

// invite makes a code for another device.
func (s *Service) invite(h *house, r *http.Request) (HandOver, error) {
	rec, err := s.mine(h, r)
	if err != nil {
		return HandOver{}, err
	}
	now := s.config.Now()
	if rec.Status != Pending && rec.Status != Verified && rec.Status != Issued || !now.Before(rec.Expires) {
		return HandOver{}, errOver(rec.Status)
	}
	code, err := s.code()
	if err != nil {
		return HandOver{}, err
	}
	ends := now.Add(codeLife).UTC()
	if rec.Expires.Before(ends) { // and the code with the session
		ends = rec.Expires
	}
	if _, err := s.change(rec, func(r *record) error { r.Code, r.CodeEnds = hash(code), ends; return nil }); err != nil {
		return HandOver{}, err
	}
	link := s.config.PublicURL + "/" + h.ID + "/c/" + code
	q, err := qr.Encode(link, qr.M)
	if err != nil {
		return HandOver{}, err
	}
	q.Scale = qrScale
	return HandOver{URL: link, Code: code, QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(q.PNG()), Expires: ends}, nil
}

func (s *Service) takeOver(h *house, w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Code string `json:"code"`
	}
	err := read(r, maxJSON, &in)
	var d Device
	if err == nil {
		d, err = s.takenOver(h, w, in.Code)
	}
	if err == nil {
		answer(w, http.StatusOK, d)
	}
	return err
}

// takenOver gives the session to the device that has the code, which is good once.
func (s *Service) takenOver(h *house, w http.ResponseWriter, code string) (Device, error) {
	now := s.config.Now()
	code = hash(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code)))
	if err := s.throttle(now); err != nil {
		return Device{}, err
	}
	rec := s.find(func(r *record) bool {
		return r.Code == code && r.Provider == h.ID && now.Before(r.CodeEnds) && now.Before(r.Expires)
	})
	if rec == nil {
		s.mu.Lock()
		s.wrong = append(s.wrong, now)
		s.mu.Unlock()
		return Device{}, errNotFound("code, or it is not good any more")
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
