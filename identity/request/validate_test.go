package request_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/identity/credential"
	"fido-emu/identity/request"
)

// TestRequestsThatAreRefused posts the documented example with one change after
// another.
func TestRequestsThatAreRefused(t *testing.T) {
	type object = map[string]any
	credential := func(r object) object { return r["requestedCredentials"].([]any)[0].(object) }
	validation := func(r object) object { return credential(r)["configuration"].(object)["validation"].(object) }
	face := func(values object) func(object) {
		return func(r object) { r["includeReceipt"] = false; validation(r)["faceCheck"] = values }
	}
	constraint := func(values object) func(object) {
		return func(r object) { credential(r)["constraints"] = []any{values} }
	}
	for _, c := range []struct {
		name    string
		change  func(object)
		target  string
		message string
	}{
		{"QR code", func(r object) { r["includeQRCode"] = "yes" }, "includeQRCode", "The request contains `includeQRCode`, but it is not boolean."},
		{"no callback", func(r object) { delete(r, "callback") }, "callback", "does not contain"},
		{"no URL", func(r object) { delete(r["callback"].(object), "url") }, "callback.url", "does not contain"},
		{"no state", func(r object) { delete(r["callback"].(object), "state") }, "callback.state", "does not contain"},
		{"plain http", func(r object) { r["callback"].(object)["url"] = "http://rp.test/callback" }, "callback.url", "not an absolute https URL"},
		{"a path alone", func(r object) { r["callback"].(object)["url"] = "/callback" }, "callback.url", "not an absolute https URL"},
		{"URL with a password", func(r object) { r["callback"].(object)["url"] = "https://a:b@rp.test/" }, "callback.url", "not an absolute https URL"},
		{"URL of a wrong type", func(r object) { r["callback"].(object)["url"] = 1 }, "callback.url", "not a string"},
		{"another header", func(r object) { r["callback"].(object)["headers"] = object{"Cookie": "a"} }, "callback.headers", "other than"},
		{"header with a line break", func(r object) { r["callback"].(object)["headers"] = object{"api-key": "a\r\nX: y"} }, "callback.headers", "not that of a header"},
		{"no authority", func(r object) { delete(r, "authority") }, "authority", "does not contain"},
		{"another authority", func(r object) { r["authority"] = "did:web:verifiedid.test:fabrikam" }, "authority", "not the decentralized identifier of your tenant"},
		{"no registration", func(r object) { delete(r, "registration") }, "registration", "does not contain"},
		{"no name", func(r object) { delete(r["registration"].(object), "clientName") }, "registration.clientName", "does not contain"},
		{"nothing requested", func(r object) { r["requestedCredentials"] = []any{} }, "requestedCredentials", "does not contain"},
		{"requested is an object", func(r object) { r["requestedCredentials"] = object{} }, "requestedCredentials", "not a collection"},
		{"no type", func(r object) { delete(credential(r), "type") }, "requestedCredentials[0].type", "does not contain"},
		{"issuer by its name", func(r object) { credential(r)["acceptedIssuers"] = []any{"Contoso"} }, "requestedCredentials[0].acceptedIssuers", "decentralized identifier"},
		{"face check without a claim", face(object{}), "requestedCredentials[0].configuration.validation.faceCheck.sourcePhotoClaimName", "does not contain"},
		{"threshold 49", face(object{"sourcePhotoClaimName": "portrait", "matchConfidenceThreshold": 49}), "requestedCredentials[0].configuration.validation.faceCheck.matchConfidenceThreshold", "between 50 and 100"},
		{"threshold 101", face(object{"sourcePhotoClaimName": "portrait", "matchConfidenceThreshold": 101}), "requestedCredentials[0].configuration.validation.faceCheck.matchConfidenceThreshold", "between 50 and 100"},
		{"threshold 70.5", face(object{"sourcePhotoClaimName": "portrait", "matchConfidenceThreshold": 70.5}), "requestedCredentials.configuration.validation.faceCheck.matchConfidenceThreshold", "not an integer"},
		{"receipt with face check", func(r object) { face(object{"sourcePhotoClaimName": "portrait"})(r); r["includeReceipt"] = true }, "includeReceipt", "receipt is not possible"},
		{"constraint on nothing", constraint(object{"contains": "a"}), "requestedCredentials[0].constraints[0].claimName", "does not contain"},
		{"constraint without an operand", constraint(object{"claimName": "a"}), "requestedCredentials[0].constraints[0]", "exactly one"},
		{"constraint with two", constraint(object{"claimName": "a", "contains": "b", "startsWith": "c"}), "requestedCredentials[0].constraints[0]", "exactly one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			var r object
			if err := json.Unmarshal(documented(t), &r); err != nil {
				t.Fatal(err)
			}
			r["authority"] = w.service.Authority("contoso")
			c.change(r)
			resp, body := w.post(t, createPath, r)
			checkError(t, resp, body, http.StatusBadRequest, "badRequest", request.InnerError{Code: request.BadOrMissingField, Message: c.message, Target: c.target})
		})
	}
}

// documented is the example of the presentation specification.
func documented(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "presentation_request.json"))
	return must(t, b, err)
}

func checkError(t *testing.T, resp *http.Response, body []byte, status int, code string, inner request.InnerError) {
	t.Helper()
	var e request.ErrorResponse
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	got := e.Error.InnerError
	if resp.StatusCode != status || e.Error.Code != code || got.Code != inner.Code || got.Target != inner.Target || !strings.Contains(got.Message, inner.Message) {
		t.Errorf("%s: %s", resp.Status, body)
	}
	if e.RequestID == "" || e.Date != "Sun, 01 Mar 2026 12:00:00 GMT" || e.MSCV == "" {
		t.Errorf("envelope: %s", body)
	}
}

// TestEdges: thresholds at the ends of their range are taken, and plain http on this
// machine.
func TestEdges(t *testing.T) {
	w := newWorld(t)
	for _, lowest := range []int{50, 100} {
		w.create(t, func(r *request.PresentationRequest) { threshold(r, lowest) })
	}
	for url, status := range map[string]int{
		"http://localhost:8080/x": 201, "http://127.0.0.1/x": 201, "http://[::1]:1/x": 201, "https://192.0.2.1/x": 201,
		"http://192.0.2.1/x": 400, "http://localhost.test/x": 400, "https:///x": 400, "https://%": 400, "ftp://rp.test": 400,
	} {
		r := w.asked()
		r.Callback.URL = url
		if resp, body := w.post(t, createPath, r); resp.StatusCode != status {
			t.Errorf("%s: %s", url, body)
		}
	}
}

// TestConstraints: how the value of a claim is compared.
func TestConstraints(t *testing.T) {
	for _, c := range []struct {
		request.Constraint
		holds bool
	}{
		{request.Constraint{Values: []string{"byron", "LOVELACE"}}, true}, {request.Constraint{Values: []string{"Love"}}, false},
		{request.Constraint{Contains: "VELA"}, true}, {request.Constraint{Contains: "ada"}, false},
		{request.Constraint{StartsWith: "LOVE"}, true}, {request.Constraint{StartsWith: "lace"}, false},
		{request.Constraint{ClaimName: "nothing", Contains: "a"}, false},
	} {
		w := newWorld(t)
		w.issue(t, photo(240, false))
		if c.ClaimName == "" {
			c.ClaimName = credential.LastName
		}
		link := w.create(t, func(r *request.PresentationRequest) {
			r.RequestedCredentials[0].Constraints = []request.Constraint{c.Constraint}
		}).URL
		if err := w.wallet.Present(t.Context(), link); (err == nil) != c.holds {
			t.Errorf("%+v: %v", c.Constraint, err)
		}
	}
}

// TestTenantsThatCannotBe: names that would be something else in a DID, and no token.
func TestTenantsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []request.Tenant{{Token: "t"}, {Name: "a/b", Token: "t"}, {Name: "a:b", Token: "t"}, {Name: "a"}} {
		config := w.config
		config.Tenants = []request.Tenant{tenant}
		if _, err := request.New(config); err == nil {
			t.Errorf("%+v was taken", tenant)
		}
	}
	config := w.config
	config.BaseURL = "verifiedid.test"
	if _, err := request.New(config); err == nil {
		t.Error("an address without a scheme was taken")
	}
	config = w.config
	config.Rand = strings.NewReader("short")
	if _, err := request.New(config); err == nil {
		t.Error("a tenant has a key of nothing")
	}
	for _, name := range []string{"fabrikam", "nobody"} {
		if _, err := w.service.Linkage(name); err == nil {
			t.Errorf("%s has an origin", name)
		}
	}
	if resp, _ := w.fetch(t, "/nobody/did.json"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a document of nobody: %s", resp.Status)
	}
}

// TestNothingRandom: requests are refused that could be guessed.
func TestNothingRandom(t *testing.T) {
	for drawn := range 48 {
		w := newWorld(t)
		key, err := credential.NewKey(rand.NewChaCha8([32]byte{1}))
		w.config.Tenants[0].Key = must(t, key, err)
		w.config.Tenants = w.config.Tenants[:1]
		w.config.Rand = strings.NewReader(strings.Repeat("x", drawn))
		s, err := request.New(w.config)
		w.service = must(t, s, err)
		w.net.Handle("verifiedid.test", w.service)
		if resp, body := w.post(t, createPath, w.asked()); resp.StatusCode != http.StatusInternalServerError {
			t.Fatalf("after %d bytes: %s", drawn, body)
		}
	}
}

func TestDocumentedRequestIsTaken(t *testing.T) {
	w := newWorld(t)
	body := strings.ReplaceAll(string(documented(t)), "did:web:verifiedid.contoso.com", w.service.Authority("contoso"))
	if resp, answer := w.post(t, createPath, body); resp.StatusCode != http.StatusCreated {
		t.Errorf("%s: %s", resp.Status, answer)
	}
}

func TestAccessToTheAPI(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
		code   string
		inner  request.Code
	}{
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, 401, "unauthorized", request.TokenError},
		{"wrong token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer guess") }, 401, "unauthorized", request.TokenError},
		{"empty token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401, "unauthorized", request.TokenError},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, "unsupportedMediaType", request.BadOrMissingField},
		{"GET", func(r *http.Request) { r.Method = "GET" }, 405, "methodNotAllowed", request.BadOrMissingField},
		{"no JSON", func(*http.Request) {}, 400, "badRequest", request.BadOrMissingField},
		{"nowhere", func(r *http.Request) { r.URL.Path = "/v1.0/other" }, 404, "notFound", request.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			req, err := http.NewRequest("POST", service+createPath, strings.NewReader("{"))
			req = must(t, req, err)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			c.change(req)
			resp, body := w.do(t, req)
			var e request.ErrorResponse
			if err := json.Unmarshal(body, &e); err != nil || resp.StatusCode != c.status || e.Error.Code != c.code || e.Error.InnerError.Code != c.inner {
				t.Errorf("%s: %s", resp.Status, body)
			}
		})
	}
	w := newWorld(t)
	if resp, _ := w.post(t, createPath, strings.Repeat(" ", 5<<20)); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("five megabytes: %s", resp.Status)
	}
}

func TestWithoutFaceCheckAddOn(t *testing.T) {
	w := newWorld(t)
	w.config.Faces = nil
	s, err := request.New(w.config)
	w.service = must(t, s, err)
	w.net.Handle("verifiedid.test", w.service)
	if resp, body := w.post(t, createPath, w.asked()); resp.StatusCode != http.StatusForbidden {
		t.Errorf("%s: %s", resp.Status, body)
	}
}
