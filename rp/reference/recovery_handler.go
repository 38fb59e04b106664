package reference

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"rsc.io/qr"

	identity "fido-emu/identity/credential"
	"fido-emu/rp"
	"fido-emu/rp/reference/recovery"
)

// CallbackPath is where the request service reports. It comes from no page, so it
// has no Origin; the key of its request stands in for one.
const CallbackPath = "/api/recovery/callback"

// continuePath is what the page asks that a QR code opens on another device.
const continuePath = "/api/recovery/continue"

// The JSON bodies of account recovery.
type (
	recoveryStartJSON struct {
		Name string `json:"name"`
		rp.RecoveryAsk
	}
	recoveryCaseJSON struct {
		rp.RecoveryCase
		Page string `json:"page"` // address of the link, for another device
		QR   string `json:"qr"`   // the same as a picture: data:image/png;base64,…
	}
	recoverySecretJSON struct {
		Case   string `json:"case"`
		Secret string `json:"secret"`
	}
	recoveryLinkJSON struct {
		Link string `json:"link"`
	}
	recoveryWayJSON struct {
		State string `json:"state"`
		URL   string `json:"url,omitempty"`
	}
	noticesJSON struct {
		Notices []rp.RecoveryNotice `json:"notices"`
	}
	recoveryLogJSON struct {
		Events []rp.RecoveryEvent `json:"events"`
	}
	// callbackJSON is the part of the documented callback that counts here. Members
	// that are not named are not looked at: the service may add some.
	callbackJSON struct {
		RequestID     string `json:"requestId"`
		RequestStatus string `json:"requestStatus"`
		State         string `json:"state"`
		Credentials   []struct {
			FaceCheck *struct {
				Score   float64 `json:"matchConfidenceScore"`
				Quality string  `json:"sourcePhotoQuality"`
			} `json:"faceCheck"`
		} `json:"verifiedCredentialsData"`
		Error *struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
)

func (s *server) routeRecovery(mux *http.ServeMux) {
	for route, handle := range map[string]action{
		"POST /api/recovery/start":  s.startRecovery,
		"POST /api/recovery/status": s.recoveryStatus,
		"POST " + continuePath:      s.continueRecovery,
		"POST " + CallbackPath:      s.recoveryCallback,
		"GET /api/recovery/notices": s.ownNotices,
	} {
		mux.Handle(route, handle)
	}
	for route, handle := range map[string]action{
		"GET /api/admin/recovery":                s.showRecoveryPolicy,
		"PUT /api/admin/recovery":                s.setRecoveryPolicy,
		"GET /api/admin/recovery/log":            s.showRecoveryLog,
		"GET /api/admin/people/{name}/identity":  s.showIdentity,
		"PUT /api/admin/people/{name}/identity":  s.setIdentity,
		"GET /api/admin/people/{name}/recovered": s.personNotices,
	} {
		mux.Handle(route, s.adminOnly(handle))
	}
	s.routeRecoveryPages(mux)
}

func (s *server) startRecovery(w http.ResponseWriter, r *http.Request) (any, error) {
	var body recoveryStartJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	began, err := s.core.StartRecovery(r.Context(), body.Name, client, body.RecoveryAsk)
	if err != nil {
		return nil, err
	}
	answer := recoveryCaseJSON{RecoveryCase: began, Page: cmp.Or(s.core.office.public, s.core.config.Origins[0]) + "/recover/go/" + began.Link}
	answer.QR, err = qrCode(answer.Page)
	return answer, err
}

// qrCode draws a text as the address of a picture.
func qrCode(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", &rp.Broken{Doing: "drawing a QR code", Err: err}
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()), nil
}

func (s *server) recoveryStatus(w http.ResponseWriter, r *http.Request) (any, error) {
	var body recoverySecretJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	return s.core.RecoveryStatus(r.Context(), body.Case, body.Secret)
}

func (s *server) continueRecovery(w http.ResponseWriter, r *http.Request) (any, error) {
	var body recoveryLinkJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	state, url, err := s.core.ContinueRecovery(r.Context(), body.Link)
	return recoveryWayJSON{state, url}, err
}

func (s *server) recoveryCallback(w http.ResponseWriter, r *http.Request) (any, error) {
	desk, err := s.core.recoveryDesk()
	if err != nil {
		return nil, err
	}
	c, err := readCallback(w, r)
	if no, refused := errors.AsType[*rp.Refused](err); refused {
		s.core.noteRecovery(recovery.Event{Step: recovery.StepCallback, Reason: no.Code, Detail: no.Reason})
		return nil, no
	}
	return nil, desk.Callback(r.Context(), c)
}

// readCallback reads a callback with its key. Its errors are refusals.
func readCallback(w http.ResponseWriter, r *http.Request) (recovery.Callback, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return recovery.Callback{}, refuse(recovery.CallbackMalformed, "the content type of the callback is %q, want application/json", r.Header.Get("Content-Type"))
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer)) // photos come back in claims
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return recovery.Callback{}, refuse(TooLarge, "the callback holds more than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return recovery.Callback{}, refuse(recovery.CallbackMalformed, "the callback was cut off: %v", err)
	}
	c, err := parseCallback(b)
	c.Key = r.Header.Get("Api-Key")
	return c, err
}

// parseCallback reads the body of a callback. A score that is none, such as NaN, is
// no JSON; one out of range is refused where it is compared.
func parseCallback(b []byte) (recovery.Callback, error) {
	var body callbackJSON
	if err := json.Unmarshal(b, &body); err != nil {
		return recovery.Callback{}, refuse(recovery.CallbackMalformed, "the callback cannot be read: %v", err)
	}
	c := recovery.Callback{Request: body.RequestID, State: body.State, Status: body.RequestStatus}
	if body.Error != nil {
		c.Code, c.Message = presentationCode(body.Error.Code, body.Error.Message), body.Error.Message
	}
	if len(body.Credentials) == 1 && body.Credentials[0].FaceCheck != nil {
		f := body.Credentials[0].FaceCheck
		c.Face = &recovery.FaceCheck{Score: f.Score, Quality: f.Quality}
	}
	return c, nil
}

// presentationCode is the code of a refusal for an error.code of the service. Of a
// token that did not verify the message begins with the reason; any other
// claimValidationError is Face Check's.
func presentationCode(code, message string) string {
	reason, _, _ := strings.Cut(message, ":")
	of := func(s identity.Step) bool { return string(s.Reason) == reason }
	steps := identity.Steps()
	switch i := slices.IndexFunc(steps, of); {
	case i >= 0:
		return tokenCode(steps[i].Name, steps[i].Reason)
	case code == "claimValidationError":
		return recovery.FaceCheckFailed
	}
	return code
}

func (s *server) ownNotices(_ http.ResponseWriter, r *http.Request) (any, error) {
	list, err := s.core.OwnRecoveryNotices(s.token(r))
	return noticesJSON{list}, err
}

func (s *server) personNotices(_ http.ResponseWriter, r *http.Request) (any, error) {
	list, err := s.core.RecoveryNotices(r.PathValue("name"))
	return noticesJSON{list}, err
}

func (s *server) showRecoveryPolicy(http.ResponseWriter, *http.Request) (any, error) {
	return s.core.RecoveryPolicy(), nil
}

func (s *server) setRecoveryPolicy(w http.ResponseWriter, r *http.Request) (any, error) {
	var policy rp.RecoveryPolicy
	if err := read(w, r, &policy); err != nil {
		return nil, err
	}
	return nil, s.core.SetRecoveryPolicy(policy)
}

func (s *server) showRecoveryLog(_ http.ResponseWriter, r *http.Request) (any, error) {
	return recoveryLogJSON{s.core.RecoveryLog(r.URL.Query().Get("person"))}, nil
}

func (s *server) showIdentity(_ http.ResponseWriter, r *http.Request) (any, error) {
	return s.core.Identity(r.PathValue("name")), nil
}

func (s *server) setIdentity(w http.ResponseWriter, r *http.Request) (any, error) {
	var id rp.Identity
	if err := read(w, r, &id); err != nil {
		return nil, err
	}
	return nil, s.core.SetIdentity(r.PathValue("name"), id)
}
