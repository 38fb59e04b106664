package proofing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fido-emu/identity/person"
)

// maxAnswer is the most that a client reads of an answer, in bytes.
const maxAnswer = 1 << 20

// Client is the relying party's side of one provider.
type Client struct {
	Base     string       // of the service, such as https://proofing.test
	Provider string       // its id
	Key      string       // the relying party's API key
	HTTP     *http.Client // nil: http.DefaultClient
}

// Create begins a session. A request repeated with the same idempotency key, which may
// be empty, gets the same session. Refusals of the service are a *Refusal.
func (c *Client) Create(ctx context.Context, r Request, idempotencyKey string) (Ticket, error) {
	var t Ticket
	header := http.Header{"Idempotency-Key": {idempotencyKey}}
	err := c.call(ctx, http.MethodPost, "", header, r, &t)
	return t, err
}

// Result asks how a session stands.
func (c *Client) Result(ctx context.Context, session string) (Result, error) {
	var r Result
	err := c.call(ctx, http.MethodGet, "/"+url.PathEscape(session), nil, nil, &r)
	return r, err
}

// Cancel ends a session.
func (c *Client) Cancel(ctx context.Context, session string) (Result, error) {
	var r Result
	err := c.call(ctx, http.MethodDelete, "/"+url.PathEscape(session), nil, nil, &r)
	return r, err
}

func (c *Client) call(ctx context.Context, method, path string, header http.Header, in, out any) error {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Authorization", "Bearer "+c.Key)
	to := strings.TrimSuffix(c.Base, "/") + "/" + c.Provider + "/sessions" + path
	if err := exchange(ctx, c.HTTP, method, to, header, in, out); err != nil {
		return fmt.Errorf("identity verification by %s: %w", c.Provider, err)
	}
	return nil
}

// Applicant is the person's side of a session, on one device. Start comes first, or
// Continue on the second device.
type Applicant struct {
	Link   string       // the session's, from the ticket
	Device string       // what Start or Continue returned
	HTTP   *http.Client // nil: http.DefaultClient
}

// Start begins on this device.
func (a *Applicant) Start(ctx context.Context) error {
	var d Device
	err := a.post(ctx, "start", nil, &d)
	a.Device = d.Device
	return err
}

// Continue takes up, on this device, what another handed over: base is the provider's
// URL, such as https://proofing.test/idemia, and code what HandOver returned.
func Continue(ctx context.Context, client *http.Client, base, code string) (*Applicant, error) {
	var d Device
	in := map[string]string{"code": code}
	if err := exchange(ctx, client, http.MethodPost, strings.TrimSuffix(base, "/")+"/continue", http.Header{}, in, &d); err != nil {
		return nil, fmt.Errorf("continue identity verification: %w", err)
	}
	return &Applicant{Link: d.URL, Device: d.Device, HTTP: client}, nil
}

// HandOver invites another device.
func (a *Applicant) HandOver(ctx context.Context) (h HandOver, err error) {
	err = a.post(ctx, "handover", nil, &h)
	return h, err
}

// State asks how things stand.
func (a *Applicant) State(ctx context.Context) (v View, err error) {
	err = a.exchange(ctx, http.MethodGet, "state", nil, &v)
	return v, err
}

// Consent agrees to the use of pictures of the face.
func (a *Applicant) Consent(ctx context.Context) (v View, err error) {
	err = a.post(ctx, "consent", nil, &v)
	return v, err
}

// Document sends the picture of a document, in PNG.
func (a *Applicant) Document(ctx context.Context, picture []byte) (v View, err error) {
	err = a.post(ctx, "document", picture, &v)
	return v, err
}

// Selfie sends what the camera saw.
func (a *Applicant) Selfie(ctx context.Context, c person.Capture) (v View, err error) {
	err = a.post(ctx, "selfie", c, &v)
	return v, err
}

// Offer asks for the invitation of the wallet.
func (a *Applicant) Offer(ctx context.Context) (o Offer, err error) {
	err = a.post(ctx, "offer", nil, &o)
	return o, err
}

// Person is somebody before a device: what they show to it.
type Person struct {
	*person.Person
	Pictures  [][]byte         // of documents, in PNG, in the order in which they are asked for
	Condition person.Condition // in which the face is seen
	Rand      io.Reader        // of the camera's noise
}

// Proceed does step after step until the session is decided or a step is refused, and
// returns the last view: once each, with no second try. A selfie is taken as the
// person's file says. Start or Continue comes before.
func (a *Applicant) Proceed(ctx context.Context, p Person) (View, error) {
	v, err := a.State(ctx)
	for pictures := p.Pictures; err == nil && v.Status == Pending && len(v.Reasons) == 0; {
		switch v.Step {
		case Consent:
			v, err = a.Consent(ctx)
		case Document, SecondDocument:
			if len(pictures) == 0 {
				return v, fmt.Errorf("identity verification asks for a %s, and %s has none to show", v.Step, p.ID)
			}
			v, err = a.Document(ctx, pictures[0])
			pictures = pictures[1:]
		case Selfie:
			var c person.Capture
			if c, err = p.Capture(p.Rand, p.Condition, v.Challenge); err == nil {
				v, err = a.Selfie(ctx, c)
			}
		default:
			return v, fmt.Errorf("identity verification asks for %q, which this client does not know", v.Step)
		}
	}
	return v, err
}

func (a *Applicant) post(ctx context.Context, path string, in, out any) error {
	return a.exchange(ctx, http.MethodPost, path, in, out)
}

func (a *Applicant) exchange(ctx context.Context, method, path string, in, out any) error {
	header := http.Header{"X-Device": {a.Device}}
	if err := exchange(ctx, a.HTTP, method, a.Link+"/"+path, header, in, out); err != nil {
		return fmt.Errorf("identity verification, %s: %w", path, err)
	}
	return nil
}

// exchange sends JSON, or bytes as a PNG, and reads JSON.
func exchange(ctx context.Context, client *http.Client, method, to string, header http.Header, in, out any) error {
	body, kind, err := encode(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return err
	}
	r.Header = header
	r.Header.Set("Content-Type", kind)
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return hideToken(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return readRefusal(answer.StatusCode, b)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("the answer is not JSON as documented: %w", err)
	}
	return nil
}

// hideToken takes the link, which is a secret, out of the errors of net/http.
func hideToken(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func encode(in any) (io.Reader, string, error) {
	switch v := in.(type) {
	case nil:
		return http.NoBody, "application/json", nil
	case []byte:
		return bytes.NewReader(v), "image/png", nil
	}
	b, err := json.Marshal(in)
	return bytes.NewReader(b), "application/json", err
}

func readRefusal(status int, b []byte) error {
	var e struct {
		Error *Refusal `json:"error"`
	}
	if err := json.Unmarshal(b, &e); err != nil || e.Error == nil || e.Error.Code == "" {
		return &Refusal{Status: status, Code: http.StatusText(status), Message: "the answer has no error as documented"}
	}
	e.Error.Status = status
	return e.Error
}

// within tells whether t is at most d away from now.
func within(now, t time.Time, d time.Duration) bool { return now.Sub(t).Abs() <= d }
