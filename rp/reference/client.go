package reference

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fido-emu/rp"
)

// DialOptions say how to reach a relying party. All may be left out.
type DialOptions struct {
	Origin     string       // of the pages that people see; scheme and host of the address when empty
	AdminToken string       // opens the administration
	HTTP       *http.Client // one with a timeout of 30 seconds when nil
}

// Dial returns an adapter to a relying party at an address, such as
// http://localhost:8080. It connects when it is first used.
func Dial(address string, o DialOptions) (*Adapter, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("relying party at %q: want an address such as http://localhost:8080", address)
	}
	fallback(&o.Origin, u.Scheme+"://"+u.Host)
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	return newAdapter(&remote{base: strings.TrimSuffix(address, "/"), options: o}, o.Origin), nil
}

// remote is the service of a core at the other end of a connection.
type remote struct {
	base    string
	options DialOptions
}

// call sends a request and reads the answer into answer, unless that is nil. It
// returns the token of the session that the answer brings, if it does.
func (c *remote) call(ctx context.Context, method, path, token string, body, answer any) (newToken string, err error) {
	broken := func(err error) error { return &rp.Broken{Doing: method + " " + c.base + path, Err: err} }
	request, err := c.request(ctx, method, path, token, body)
	if err != nil {
		return "", broken(err)
	}
	response, err := c.options.HTTP.Do(request)
	if err != nil {
		return "", broken(err)
	}
	defer func() { _ = response.Body.Close() }() // all of it has been read
	b, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return "", broken(err)
	}
	if response.StatusCode >= 300 {
		return "", refusal(response.StatusCode, b, broken)
	}
	if answer != nil {
		if err := json.Unmarshal(b, answer); err != nil {
			return "", broken(err)
		}
	}
	return sessionOf(response), nil
}

func (c *remote) request(ctx context.Context, method, path, token string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", c.options.Origin)
	tellSignals(r, rp.SignalsOf(ctx))
	if token != "" { // under both names: which one counts is for the server to say
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: token})
		r.AddCookie(&http.Cookie{Name: "__Host-" + sessionCookie, Value: token})
	}
	if c.options.AdminToken != "" && (strings.HasPrefix(path, "/api/admin/") || strings.HasPrefix(path, graphRoot)) {
		r.Header.Set("Authorization", "Bearer "+c.options.AdminToken)
	}
	return r, nil
}

// refusal reads an answer that is not a success: a no with its code, or a failure
// of the server.
func refusal(status int, body []byte, broken func(error) error) error {
	var e errorJSON
	if err := json.Unmarshal(body, &e); err == nil && e.Code == "" {
		e = graphRefusal(body)
	}
	if e.Code == "" {
		return broken(fmt.Errorf("status %d without a reason", status))
	}
	if status >= 500 {
		return broken(errors.New(e.Reason))
	}
	return &rp.Refused{Code: e.Code, Reason: e.Reason, Status: status}
}

func sessionOf(r *http.Response) string {
	for _, c := range r.Cookies() {
		if strings.TrimPrefix(c.Name, "__Host-") == sessionCookie {
			return c.Value
		}
	}
	return ""
}

func (c *remote) beginRegistration(ctx context.Context, token string, p rp.Person) (b Begun, err error) {
	p.Groups = nil // not for whoever signs up to say
	_, err = c.call(ctx, "POST", "/api/register/begin", token, p, &b)
	return b, err
}

func (c *remote) finishRegistration(ctx context.Context, token, ceremony string, response []byte) (Registered, error) {
	if !json.Valid(response) {
		return Registered{}, refuse(BadRequest, "the response cannot be read: it is not JSON")
	}
	var answer registeredJSON
	newToken, err := c.call(ctx, "POST", "/api/register/finish", token, finishJSON{ceremony, response}, &answer)
	if err != nil {
		return Registered{}, err
	}
	done := Registered{Credential: answer.Credential.plain()}
	if answer.Session != nil {
		g := answer.Session.grant(newToken)
		done.Grant = &g
	}
	return done, nil
}

func (c *remote) beginSignIn(ctx context.Context, name string) (b Begun, err error) {
	_, err = c.call(ctx, "POST", "/api/signin/begin", "", nameJSON{name}, &b)
	return b, err
}

func (c *remote) finishSignIn(ctx context.Context, ceremony string, response []byte) (Grant, error) {
	if !json.Valid(response) {
		return Grant{}, refuse(BadRequest, "the response cannot be read: it is not JSON")
	}
	return c.grant(ctx, "POST", "/api/signin/finish", "", finishJSON{ceremony, response})
}

func (c *remote) redeemPass(ctx context.Context, name, pass string) (Grant, error) {
	return c.grant(ctx, "POST", "/api/recovery/redeem", "", redeemJSON{name, pass})
}

func (c *remote) session(ctx context.Context, token string) (Grant, error) {
	return c.grant(ctx, "GET", "/api/session", token, nil)
}

func (c *remote) grant(ctx context.Context, method, path, token string, body any) (Grant, error) {
	var answer sessionJSON
	newToken, err := c.call(ctx, method, path, token, body, &answer)
	return answer.grant(newToken), err
}

func (c *remote) signOut(ctx context.Context, token string) error {
	return c.do(ctx, "DELETE", "/api/session", token, nil)
}

func (c *remote) credentials(ctx context.Context, token string) ([]rp.Credential, error) {
	var answer credentialsJSON
	if _, err := c.call(ctx, "GET", "/api/credentials", token, nil, &answer); err != nil {
		return nil, err
	}
	return plain(answer.Credentials), nil
}

func (c *remote) renameCredential(ctx context.Context, token string, id []byte, name string) error {
	return c.do(ctx, "PATCH", "/api/credentials/"+idText(id), token, nameJSON{name})
}

func (c *remote) deleteCredential(ctx context.Context, token string, id []byte) error {
	return c.do(ctx, "DELETE", "/api/credentials/"+idText(id), token, nil)
}

func (c *remote) addPerson(ctx context.Context, p rp.Person) error {
	return c.do(ctx, "POST", "/api/admin/people", "", p)
}

func (c *remote) expect(ctx context.Context, name string, groups []string) error {
	return c.do(ctx, "POST", "/api/admin/expected", "", expectJSON{name, groups})
}

func (c *remote) personCredentials(ctx context.Context, name string) ([]rp.Credential, error) {
	var answer accountJSON
	if _, err := c.call(ctx, "GET", "/api/admin/people/"+url.PathEscape(name), "", nil, &answer); err != nil {
		return nil, err
	}
	return plain(answer.Credentials), nil
}

func (c *remote) issuePass(ctx context.Context, r PassRequest) (string, error) {
	if r.Lifetime%time.Minute != 0 {
		return "", refuse(BadLifetime, "a pass lasts 10 to 43200 whole minutes, not %s", r.Lifetime)
	}
	var answer passJSON
	body := passRequestJSON{r.Start, int64(r.Lifetime / time.Minute), r.Once}
	_, err := c.call(ctx, "POST", personPath(r.Person, "passes"), "", body, &answer)
	return answer.Pass, err
}

func (c *remote) revokeSessions(ctx context.Context, name string) error {
	return c.do(ctx, "DELETE", personPath(name, "sessions"), "", nil)
}

func (c *remote) revokeCredentials(ctx context.Context, name string, ids [][]byte) error {
	query := url.Values{}
	for _, id := range ids {
		query.Add("id", idText(id))
	}
	return c.do(ctx, "DELETE", personPath(name, "credentials")+"?"+query.Encode(), "", nil)
}

func (c *remote) setPolicy(ctx context.Context, group string, policy rp.Policy) error {
	return c.do(ctx, "PUT", "/api/admin/policies", "", GroupPolicy{group, policy})
}

func (c *remote) do(ctx context.Context, method, path, token string, body any) error {
	_, err := c.call(ctx, method, path, token, body, nil)
	return err
}

func personPath(name, what string) string {
	return "/api/admin/people/" + url.PathEscape(name) + "/" + what
}

func idText(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }
