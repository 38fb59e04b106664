package proofing

import (
	"bytes"
	"net/http"

	"fido-emu/identity/credential"
)

// maxOffers is how many offers a session gets: a wallet may fail, and not for ever.
const maxOffers = 3

func (s *Service) makeOffer(h *house, w http.ResponseWriter, r *http.Request) error {
	o, err := s.offered(h, r)
	if err == nil {
		answer(w, http.StatusOK, o)
	}
	return err
}

// offered invites the wallet of a person who was verified. An offer that still stands
// is given again.
func (s *Service) offered(h *house, r *http.Request) (*Offer, error) {
	rec, err := s.mine(h, r)
	if err != nil {
		return nil, err
	}
	if rec.Status == Pending {
		return nil, refuse(http.StatusConflict, CodeNotVerified, "nothing is verified yet; the step now is %s", rec.step(&h.Provider))
	}
	now := s.config.Now()
	if rec.Status != Verified && rec.Status != Issued || !now.Before(rec.Expires) || rec.Document == nil {
		return nil, errOver(rec.Status)
	}
	if rec.offer != nil && now.Before(rec.offer.Expires) {
		return rec.offer, nil
	}
	if rec.Offers >= maxOffers {
		return nil, refuse(http.StatusGone, CodeOver, "%d offers were made; begin a new session", maxOffers)
	}
	offer, err := h.issuer.Offer(claims(rec.Document), h.TxCode)
	if err != nil {
		return nil, err
	}
	out := &Offer{Link: offer.Link, TxCode: offer.TxCode, Expires: offer.Expires}
	_, err = s.change(rec, func(r *record) error {
		r.Status, r.offer, r.Offers = Issued, out, r.Offers+1
		return nil
	})
	return out, err
}

// claims are what the credential says: the names as they are printed, in Latin letters.
func claims(k *kept) credential.Claims {
	d := k.Data
	first, last := d.LatinNames()
	return credential.Claims{
		credential.FirstName: first, credential.LastName: last, credential.DateOfBirth: string(d.Birth),
		credential.Country: d.Issuer, credential.DocumentType: string(d.Kind),
		credential.DocumentNumber: d.Number, credential.DocumentExpiry: string(d.Expires),
		credential.Portrait: credential.EncodePhoto(k.Portrait),
	}
}

// serveIssuer answers as the issuer does. What it issued is kept before the wallet hears
// of it.
func (s *Service) serveIssuer(h *house, w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		h.issuer.ServeHTTP(w, r)
		return nil
	}
	held := answerHeld{header: w.Header(), status: http.StatusOK}
	h.issuer.ServeHTTP(&held, r)
	if err := s.keep(); err != nil {
		return refuse(http.StatusInternalServerError, CodeNotSaved, "the answer is withheld: %v; ask for another offer", err)
	}
	w.WriteHeader(held.status)
	_, _ = w.Write(held.body.Bytes()) // whoever asked may have left
	return nil
}

// answerHeld is an answer that waits.
type answerHeld struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answerHeld) Header() http.Header         { return a.header }
func (a *answerHeld) WriteHeader(status int)      { a.status = status }
func (a *answerHeld) Write(b []byte) (int, error) { return a.body.Write(b) }
