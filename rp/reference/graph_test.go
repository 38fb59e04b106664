package reference_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

const (
	fido2Path  = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2"
	odataFido2 = `"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration"`
)

// graphProfiles writes n passkey profiles as Graph has them.
func graphProfiles(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"@odata.type":"#microsoft.graph.passkeyProfile","id":"00000000-0000-0000-0000-00000000000%d","name":"p%d","passkeyTypes":"deviceBound,synced","attestationEnforcement":"disabled","keyRestrictions":{"isEnforced":false,"enforcementType":"allow","aaGuids":[]}}`, i+1, i+1))
	}
	return `"passkeyProfiles":[` + strings.Join(all, ",") + "]"
}

// TestGraph goes through what administrators do, one request after the other.
func TestGraph(t *testing.T) {
	core, _ := newCore(t)
	h := reference.Handler(core)
	for i, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v1.0/users", "", 200, `"value":[]`},
		{"POST", "/v1.0/users", `{"displayName":"Ada"}`, 400, "Request_BadRequest"},
		{"POST", "/v1.0/users", `{"accountEnabled":true,"displayName":"Ada","mailNickname":"ada","userPrincipalName":"ada@example.com","passwordProfile":{"password":"x"}}`, 201, `"userPrincipalName":"ada@example.com"`},
		{"GET", "/v1.0/users/ADA@example.com", "", 200, `"displayName":"Ada"`},
		{"GET", "/v1.0/users?$filter=userPrincipalName%20eq%20'ada@example.com'", "", 200, "ada@example.com"},
		{"GET", "/v1.0/users?$filter=startsWith(displayName,'A')", "", 400, "Request_UnsupportedQuery"},
		{"GET", "/v1.0/users/nobody", "", 404, "Request_ResourceNotFound"},
		{"POST", "/v1.0/groups", `{"displayName":"admins","mailNickname":"admins","mailEnabled":false,"securityEnabled":true}`, 201, `"displayName":"admins"`},
		{"GET", "/v1.0/groups?$filter=displayName%20eq%20'admins'", "", 200, "admins"},
		{"GET", "/v1.0/users/ada@example.com/authentication/fido2Methods/creationOptions", "", 200, `"challengeTimeoutDateTime":"2026-11-02T09:05:00Z"`},
		{"GET", "/v1.0/users/ada@example.com/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes=10)", "", 400, "v1.0"},
		{"GET", "/beta/users/ada@example.com/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes=43200)", "", 200, `"challengeTimeoutDateTime":"2026-12-02T09:00:00Z"`},
		{"GET", "/beta/users/ada@example.com/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes=4)", "", 400, "between 5 and 43200"},
		{"POST", "/v1.0/users/ada@example.com/authentication/fido2Methods", `{"displayName":"Key"}`, 400, "publicKeyCredential"},
		{"DELETE", "/v1.0/users/ada@example.com/authentication/fido2Methods/AAAA", "", 404, "Request_ResourceNotFound"},
		{"POST", "/v1.0/users/ada@example.com/authentication/temporaryAccessPassMethods", `{"lifetimeInMinutes":9}`, 400, "between 10 and 43200"},
		{"POST", "/v1.0/users/ada@example.com/authentication/temporaryAccessPassMethods", `{"startDateTime":"2026-11-03T09:00:00Z","lifetimeInMinutes":60,"isUsableOnce":true}`, 201, `"methodUsabilityReason":"NotYetValid"`},
		{"GET", "/v1.0/users/ada@example.com/authentication/temporaryAccessPassMethods", "", 200, `"temporaryAccessPass":null`},
		{"POST", "/v1.0/users/ada@example.com/revokeSignInSessions", "", 200, `"value":true`},
		{"PATCH", "/v1.0" + fido2Path, "{" + graphProfiles(1) + "}", 400, "@odata.type is required"},
		{"PATCH", "/v1.0" + fido2Path, "{" + odataFido2 + "," + graphProfiles(4) + "}", 400, "too-many-profiles"},
		{"PATCH", "/v1.0" + fido2Path, "{" + odataFido2 + `,"passkeyProfile":[]}`, 400, "Invalid property"},
		{"PATCH", "/v1.0" + fido2Path, "{" + odataFido2 + `,"x@odata.context":"` + strings.Repeat("x", rp.MaxProfilesSize) + `"}`, 400, "20 KB"},
		{"PATCH", "/v1.0" + fido2Path, "{" + odataFido2 + "," + graphProfiles(3) + `,"includeTargets":[{"targetType":"group","id":"all_users","isRegistrationRequired":false,"allowedPasskeyProfiles":["00000000-0000-0000-0000-000000000002"]}]}`, 204, ""},
		{"PATCH", "/v1.0" + fido2Path, "{" + odataFido2 + `,"state":"disabled"}`, 204, ""},
		{"GET", "/v1.0" + fido2Path, "", 200, `"allowedPasskeyProfiles":["00000000-0000-0000-0000-000000000002"]`},
		{"GET", "/v1.0" + fido2Path, "", 200, `"state":"disabled"`},
		{"PATCH", "/beta/policies/authenticationMethodsPolicy", `{"systemCredentialPreferences":{"state":"disabled","includeTargets":[{"targetType":"group","id":"all_users"}],"excludeTargets":[]}}`, 204, ""},
		{"GET", "/beta/policies/authenticationMethodsPolicy", "", 200, `"state":"disabled"`},
		{"POST", "/beta/identityProtection/riskyUsers/confirmCompromised", `{"userIds":["nobody"]}`, 404, "Request_ResourceNotFound"},
		{"GET", "/v1.0/auditLogs/signIns", "", 200, `"value":[]`},
		{"GET", "/v1.0/devices", "", 400, "Resource not found for the segment"},
		{"POST", "/v1.0/users", "{", 400, "Unable to read JSON"},
	} {
		answer, body := visit(t, h, test.method, "/graph"+test.path, test.body, "Authorization", bearer, "Origin", "")
		if answer.StatusCode != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%d: %s %s: status %d, want %d and %q in\n%s", i, test.method, test.path, answer.StatusCode, test.status, test.want, body)
		}
	}
	if core.MethodPolicy().SystemPreferences.State != "disabled" {
		t.Error("systemCredentialPreferences did not reach those who ask for methods")
	}
}

// Somebody who signs up under the id of another is not taken for that one.
func TestGraphIDsComeFirst(t *testing.T) {
	core, _ := newCore(t)
	user := func(name string) (id, got string) {
		var u struct{ ID, UserPrincipalName string }
		_, body := visit(t, reference.Handler(core), "GET", "/graph/v1.0/users/"+name, "", "Authorization", bearer)
		if err := json.Unmarshal([]byte(body), &u); err != nil {
			t.Fatal(err)
		}
		return u.ID, u.UserPrincipalName
	}
	for _, name := range []string{"ada", "00000000-0000-0000-0000-000000000000"} {
		if err := core.AddPerson(rp.Person{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	id, _ := user("ada")
	if err := core.AddPerson(rp.Person{Name: id}); err != nil {
		t.Fatal(err)
	}
	if _, got := user(id); got != "ada" {
		t.Errorf("%s is %q, want ada", id, got)
	}
	if _, got := user("00000000-0000-0000-0000-000000000000"); got == "" {
		t.Error("a name that looks like an id is not found")
	}
}

func TestGraphIsClosed(t *testing.T) {
	core, _ := newCore(t)
	for _, header := range [][]string{nil, {"Authorization", "Bearer x"}, {"Cookie", "__Host-admin=9999999999.AAAA"}} {
		answer, body := visit(t, reference.Handler(core), "GET", "/graph/v1.0/users", "", header...)
		var e struct {
			Error struct{ Code string }
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil || answer.StatusCode != http.StatusUnauthorized || e.Error.Code != "InvalidAuthenticationToken" {
			t.Errorf("with %v: %d %s", header, answer.StatusCode, body)
		}
	}
}

func TestGraphThrottles(t *testing.T) {
	core, clk := newCore(t, func(c *reference.Config) { c.GraphLimit = 2 })
	h := reference.Handler(core)
	ask := func() *http.Response {
		answer, _ := visit(t, h, "GET", "/graph/v1.0/users", "", "Authorization", bearer)
		return answer
	}
	ask()
	clk.pass(4e9)
	ask()
	if answer := ask(); answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "6" {
		t.Errorf("the third: %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
	clk.pass(6e9)
	if answer := ask(); answer.StatusCode != http.StatusOK {
		t.Errorf("after the wait: %d", answer.StatusCode)
	}
}

func FuzzGraphConfiguration(f *testing.F) {
	f.Add("{" + odataFido2 + "," + graphProfiles(3) + "}")
	f.Add("{" + odataFido2 + `,"isAttestationEnforced":true,"keyRestrictions":{"isEnforced":true,"enforcementType":"block","aaGuids":["` + bitwarden + `"]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		core, _ := newCore(t)
		answer, text := visit(t, reference.Handler(core), "PATCH", "/graph/v1.0"+fido2Path, body, "Authorization", bearer)
		if changed := len(core.PasskeyProfiles().Profiles) > 0; changed && answer.StatusCode != http.StatusNoContent || answer.StatusCode >= 500 {
			t.Errorf("status %d: %s, changed %t", answer.StatusCode, text, changed)
		}
	})
}
