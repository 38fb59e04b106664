package graph

import (
	"fmt"
	"net/http"
	"time"
)

// passJSON is a temporaryAccessPassAuthenticationMethod.
type passJSON struct {
	ID       string    `json:"id"`
	Pass     *string   `json:"temporaryAccessPass"` // only in the answer that issues it
	Created  time.Time `json:"createdDateTime"`
	Start    time.Time `json:"startDateTime"`
	Lifetime int       `json:"lifetimeInMinutes"`
	Once     bool      `json:"isUsableOnce"`
	Usable   bool      `json:"isUsable"`
	Reason   string    `json:"methodUsabilityReason"`
}

func (p *Pass) json() passJSON {
	j := passJSON{
		ID: p.ID, Created: p.Created.UTC(), Start: p.Start.UTC(), Lifetime: int(p.Lifetime / time.Minute),
		Once: p.Once, Usable: p.Usable, Reason: p.Usability,
	}
	if p.Text != "" {
		j.Pass = &p.Text
	}
	return j
}

func (s *Service) listPasses(r *http.Request) (int, any, error) {
	p, err := s.tenant.Pass(r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	var found []passJSON
	if p != nil {
		found = append(found, p.json())
	}
	return collection(r, "users/authentication/temporaryAccessPassMethods", found)
}

// pass finds the pass of a path.
func (s *Service) pass(r *http.Request) (*Pass, error) {
	p, err := s.tenant.Pass(r.PathValue("user"))
	if err == nil && (p == nil || p.ID != r.PathValue("method")) {
		return nil, unknown(r.PathValue("method"))
	}
	return p, err
}

func (s *Service) showPass(r *http.Request) (int, any, error) {
	p, err := s.pass(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, p.json(), nil
}

// The values that members of a pass may have.
const (
	defaultLifetime = 60 // minutes
	minLifetime     = 10
	maxLifetime     = 43200
)

func (s *Service) issuePass(r *http.Request) (int, any, error) {
	var in struct {
		Start    *time.Time `json:"startDateTime"`
		Lifetime *int       `json:"lifetimeInMinutes"`
		Once     bool       `json:"isUsableOnce"`
	}
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	minutes, start := defaultLifetime, time.Time{}
	if in.Lifetime != nil {
		minutes = *in.Lifetime
	}
	if in.Start != nil {
		start = *in.Start
	}
	if minutes < minLifetime || minutes > maxLifetime {
		return 0, nil, bad(fmt.Sprintf("lifetimeInMinutes %d must be between %d and %d.", minutes, minLifetime, maxLifetime))
	}
	p, err := s.tenant.IssuePass(r.PathValue("user"), start, time.Duration(minutes)*time.Minute, in.Once)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, p.json(), nil
}

func (s *Service) deletePass(r *http.Request) (int, any, error) {
	if _, err := s.pass(r); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.tenant.DeletePass(r.PathValue("user"))
}
