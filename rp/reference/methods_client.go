package reference

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fido-emu/rp"
)

// The headers in which a double learns what a real relying party learns from its
// network and from the management of devices.
const (
	locationHeader  = "Signal-Location"  // country
	compliantHeader = "Signal-Compliant" // yes for a managed device that is in order
)

func tellSignals(r *http.Request, s rp.Signals) {
	if s.Location != "" {
		r.Header.Set(locationHeader, s.Location)
	}
	if s.Compliant {
		r.Header.Set(compliantHeader, "yes")
	}
}

func signals(r *http.Request) rp.Signals {
	location := r.Header.Get(locationHeader)
	return rp.Signals{Location: location[:min(len(location), 64)], Compliant: r.Header.Get(compliantHeader) == "yes"}
}

func (c *remote) signInMethods(ctx context.Context, name string) ([]rp.Method, error) {
	var answer methodsJSON
	_, err := c.call(ctx, "POST", "/api/signin/methods", "", nameJSON{name}, &answer)
	return answer.Methods, err
}

func (c *remote) beginMethod(ctx context.Context, name, purpose, attempt, kind string) (p rp.Prompt, err error) {
	_, err = c.call(ctx, "POST", "/api/prove/begin", "", proveJSON{Purpose: purpose, Name: name, Attempt: attempt, Kind: kind}, &p)
	return p, err
}

func (c *remote) finishMethod(ctx context.Context, attempt, answer string) (rp.Progress, Grant, error) {
	var got progressJSON
	token, err := c.call(ctx, "POST", "/api/prove/finish", "", answerJSON{Attempt: attempt, Answer: answer}, &got)
	if err != nil || got.Session == nil {
		return rp.Progress{Attempt: got.Attempt, Ready: got.Ready, Next: got.Next}, Grant{}, err
	}
	g := got.Session.grant(token)
	return rp.Progress{Attempt: got.Attempt, Session: &g.Session}, g, nil
}

func (c *remote) resetPassword(ctx context.Context, attempt, password string) error {
	return c.do(ctx, "POST", "/api/reset", "", resetJSON{attempt, password})
}

func (c *remote) addMethod(ctx context.Context, token string, e rp.Enrolment) error {
	return c.do(ctx, "POST", "/api/methods", token, e)
}

func (c *remote) setMethodPolicy(ctx context.Context, policy rp.MethodPolicy) error {
	return c.do(ctx, "PUT", "/api/admin/method-policy", "", policy)
}

func (c *remote) enrolMethod(ctx context.Context, name string, e rp.Enrolment) error {
	return c.do(ctx, "POST", personPath(name, "methods"), "", e)
}

func (c *remote) personMethods(ctx context.Context, name string) ([]rp.Method, error) {
	var answer methodsJSON
	_, err := c.call(ctx, "GET", personPath(name, "methods"), "", nil, &answer)
	return answer.Methods, err
}

func (c *remote) removeMethods(ctx context.Context, name string, kinds []string) error {
	return c.do(ctx, "DELETE", personPath(name, "methods")+"?"+url.Values{"kind": kinds}.Encode(), "", nil)
}

func (c *remote) dormantMethods(ctx context.Context, since time.Duration, group string) ([]rp.Dormant, error) {
	var answer dormantJSON
	query := url.Values{"hours": {strconv.Itoa(int(since / time.Hour))}, "group": {group}}
	_, err := c.call(ctx, "GET", "/api/admin/dormant?"+query.Encode(), "", nil, &answer)
	return answer.Dormant, err
}

func (c *remote) outbox(ctx context.Context, name string) ([]rp.Message, error) {
	var answer outboxJSON
	_, err := c.call(ctx, "GET", personPath(name, "outbox"), "", nil, &answer)
	return answer.Messages, err
}

func (c *remote) answerPush(ctx context.Context, id, answer, number string) error {
	return c.do(ctx, "POST", "/api/admin/pushes/"+url.PathEscape(id), "", pushJSON{answer, number})
}

func (c *remote) handOver(ctx context.Context, address, holder string) error {
	return c.do(ctx, "PUT", "/api/admin/holders", "", holderJSON{address, holder})
}

func (c *remote) setAccessRules(ctx context.Context, rules []rp.AccessRule) error {
	return c.do(ctx, "PUT", "/api/admin/access", "", rulesJSON{rules})
}

func (c *remote) setRisk(ctx context.Context, name, level string) error {
	return c.do(ctx, "PUT", personPath(name, "risk"), "", riskJSON{level})
}

func (c *remote) signIns(ctx context.Context, name string) ([]rp.SignInEntry, error) {
	all := []rp.SignInEntry{}
	for after := ""; ; after = all[len(all)-1].ID {
		var answer signInsJSON
		query := url.Values{"person": {name}, "after": {after}}
		_, err := c.call(ctx, "GET", "/api/admin/sign-ins?"+query.Encode(), "", nil, &answer)
		if err != nil || len(answer.Value) == 0 {
			return all, err
		}
		all = append(all, answer.Value...)
	}
}
