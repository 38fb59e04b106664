package reference

import (
	"net/http"
	"time"

	"fido-emu/rp"
)

// The JSON bodies of what is about methods and access.
type (
	methodsJSON struct {
		Methods []rp.Method `json:"methods"`
	}
	proveJSON struct {
		Purpose string `json:"purpose"`
		Name    string `json:"name"`
		Attempt string `json:"attempt,omitempty"`
		Kind    string `json:"kind"`
	}
	answerJSON struct {
		Attempt string `json:"attempt"`
		Answer  string `json:"answer"`
	}
	progressJSON struct {
		Attempt string       `json:"attempt"`
		Session *sessionJSON `json:"session,omitempty"`
		Ready   bool         `json:"ready,omitempty"`
		Next    []string     `json:"next,omitempty"`
	}
	resetJSON struct {
		Attempt  string `json:"attempt"`
		Password string `json:"password"`
	}
	dormantJSON struct {
		Dormant []rp.Dormant `json:"dormant"`
	}
	outboxJSON struct {
		Messages []rp.Message `json:"messages"`
	}
	pushJSON struct {
		Answer string `json:"answer"`
		Number string `json:"number,omitempty"`
	}
	holderJSON struct {
		Address string `json:"address"`
		Holder  string `json:"holder"`
	}
	rulesJSON struct {
		Rules []rp.AccessRule `json:"rules"`
	}
	riskJSON struct {
		Level string `json:"level"`
	}
	// signInsJSON has its list where Microsoft Graph has it.
	signInsJSON struct {
		Value []rp.SignInEntry `json:"value"`
	}
)

// shownSignIns is the most that one answer lists.
const shownSignIns = 100

// maxDormant is the longest time without use that can be asked for, in hours.
const maxDormant = 100 * 365 * 24

// routeMethods adds the routes of methods and access; the package comment lists
// them.
func (s *server) routeMethods(mux *http.ServeMux) {
	for route, handle := range map[string]action{
		"POST /api/signin/methods": s.signInMethods,
		"POST /api/prove/begin":    s.beginMethod,
		"POST /api/prove/finish":   s.finishMethod,
		"POST /api/reset":          s.resetPassword,
		"POST /api/methods":        s.addMethod,
	} {
		mux.Handle(route, handle)
	}
	for route, handle := range map[string]action{
		"GET /api/admin/method-policy":            s.showMethodPolicy,
		"PUT /api/admin/method-policy":            s.setMethodPolicy,
		"GET /api/admin/people/{name}/methods":    s.personMethods,
		"POST /api/admin/people/{name}/methods":   s.enrolMethod,
		"DELETE /api/admin/people/{name}/methods": s.removeMethods,
		"GET /api/admin/people/{name}/outbox":     s.outbox,
		"PUT /api/admin/people/{name}/risk":       s.setRisk,
		"GET /api/admin/dormant":                  s.dormantMethods,
		"POST /api/admin/pushes/{id}":             s.answerPush,
		"PUT /api/admin/holders":                  s.handOver,
		"GET /api/admin/access":                   s.showAccessRules,
		"PUT /api/admin/access":                   s.setAccessRules,
		"GET /api/admin/sign-ins":                 s.showSignIns,
	} {
		mux.Handle(route, s.adminOnly(handle))
	}
	mux.Handle("GET /reset", s.show("reset.html", "Reset your password", s.home))
	for _, script := range []string{"signin.js", "post.js"} {
		mux.Handle("GET /"+script, file(script, "text/javascript; charset=utf-8"))
	}
	mux.Handle("GET /signin.css", file("signin.css", "text/css; charset=utf-8"))
}

// with reads the body of a request and answers it.
func with[Body any](do func(r *http.Request, body Body) (any, error)) action {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		var body Body
		if err := read(w, r, &body); err != nil {
			return nil, err
		}
		return do(r, body)
	}
}

func (s *server) signInMethods(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(_ *http.Request, body nameJSON) (any, error) {
		list, err := s.core.SignInMethods(body.Name)
		return methodsJSON{list}, err
	})(w, r)
}

func (s *server) beginMethod(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(r *http.Request, body proveJSON) (any, error) {
		return s.core.BeginMethod(signals(r), body.Name, body.Purpose, body.Attempt, body.Kind)
	})(w, r)
}

func (s *server) finishMethod(w http.ResponseWriter, r *http.Request) (any, error) {
	var body answerJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	p, g, err := s.core.FinishMethod(body.Attempt, body.Answer)
	if err != nil {
		return nil, err
	}
	answer := progressJSON{Attempt: p.Attempt, Ready: p.Ready, Next: p.Next}
	if p.Session != nil {
		session := g.wire()
		answer.Session = &session
		s.admit(w, g)
	}
	return answer, nil
}

func (s *server) resetPassword(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(_ *http.Request, body resetJSON) (any, error) {
		return nil, s.core.ResetPassword(body.Attempt, body.Password)
	})(w, r)
}

func (s *server) addMethod(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(r *http.Request, body rp.Enrolment) (any, error) {
		return nil, s.core.AddMethod(s.token(r), body)
	})(w, r)
}

func (s *server) showMethodPolicy(http.ResponseWriter, *http.Request) (any, error) {
	return s.core.MethodPolicy(), nil
}

func (s *server) setMethodPolicy(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(_ *http.Request, body rp.MethodPolicy) (any, error) {
		return nil, s.core.SetMethodPolicy(body)
	})(w, r)
}

func (s *server) personMethods(_ http.ResponseWriter, r *http.Request) (any, error) {
	list, err := s.core.PersonMethods(r.PathValue("name"))
	return methodsJSON{list}, err
}

func (s *server) enrolMethod(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(r *http.Request, body rp.Enrolment) (any, error) {
		return nil, s.core.EnrolMethod(r.PathValue("name"), body)
	})(w, r)
}

func (s *server) removeMethods(_ http.ResponseWriter, r *http.Request) (any, error) {
	return nil, s.core.RemoveMethods(r.PathValue("name"), r.URL.Query()["kind"]...)
}

func (s *server) outbox(_ http.ResponseWriter, r *http.Request) (any, error) {
	list, err := s.core.Outbox(r.PathValue("name"))
	return outboxJSON{list}, err
}

func (s *server) setRisk(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(r *http.Request, body riskJSON) (any, error) {
		return nil, s.core.SetRisk(r.PathValue("name"), body.Level)
	})(w, r)
}

func (s *server) dormantMethods(_ http.ResponseWriter, r *http.Request) (any, error) {
	hours, err := number(r, "hours", 90*24)
	if err != nil {
		return nil, err
	}
	if hours > maxDormant {
		return nil, refuse(BadRequest, "hours=%d: want at most %d, which is a hundred years", hours, maxDormant)
	}
	list, err := s.core.DormantMethods(time.Duration(hours)*time.Hour, r.URL.Query().Get("group"))
	return dormantJSON{list}, err
}

func (s *server) answerPush(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(r *http.Request, body pushJSON) (any, error) {
		return nil, s.core.AnswerPush(r.PathValue("id"), body.Answer, body.Number)
	})(w, r)
}

func (s *server) handOver(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(_ *http.Request, body holderJSON) (any, error) {
		return nil, s.core.HandOver(body.Address, body.Holder)
	})(w, r)
}

func (s *server) showAccessRules(http.ResponseWriter, *http.Request) (any, error) {
	return rulesJSON{append([]rp.AccessRule{}, s.core.AccessRules()...)}, nil
}

func (s *server) setAccessRules(w http.ResponseWriter, r *http.Request) (any, error) {
	return with(func(_ *http.Request, body rulesJSON) (any, error) {
		return nil, s.core.SetAccessRules(body.Rules)
	})(w, r)
}

func (s *server) showSignIns(_ http.ResponseWriter, r *http.Request) (any, error) {
	q := r.URL.Query()
	list, err := s.core.SignIns(q.Get("person"), q.Get("after"), shownSignIns)
	return signInsJSON{list}, err
}
