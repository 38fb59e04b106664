package reference_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// names are stands for identifiers in a transcript: {user ada}, {group staff}, and
// {passkey ada} and {pass ada} for the first that she has.
var names = regexp.MustCompile(`\{(user|group|passkey|pass) ([^}]+)\}`)

// TestGraphTranscript sends the requests of testdata/graph.txt, one after the other, and
// wants the answers that stand below them.
func TestGraphTranscript(t *testing.T) {
	core, _ := newCore(t)
	h := reference.Handler(core)
	if err := core.AddPerson(ada); err != nil {
		t.Fatal(err)
	}
	signedIn(t, core)
	if err := core.SetGroups(ada.Name, []string{"staff"}); err != nil {
		t.Fatal(err)
	}
	first := func(path string) string {
		var list struct{ Value []struct{ ID string } }
		_, body := visit(t, h, "GET", "/graph/v1.0"+path, "", "Authorization", bearer)
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Value) == 0 {
			return "none"
		}
		return list.Value[0].ID
	}
	resolve := func(text string) string {
		return names.ReplaceAllStringFunc(text, func(name string) string {
			m := names.FindStringSubmatch(name)
			switch m[1] {
			case "group":
				return first("/groups?$filter=" + url.QueryEscape("displayName eq '"+m[2]+"'"))
			case "user":
				return first("/users?$filter=" + url.QueryEscape("userPrincipalName eq '"+m[2]+"'"))
			case "passkey":
				return first("/users/" + m[2] + "/authentication/fido2Methods")
			}
			return first("/users/" + m[2] + "/authentication/temporaryAccessPassMethods")
		})
	}
	passkey := first("/users/" + ada.Name + "/authentication/fido2Methods") // drawn by the authenticator
	want, err := os.ReadFile("testdata/graph.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	lines := bufio.NewScanner(strings.NewReader(string(want)))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || line == "" {
			got.WriteString(line + "\n")
		}
		request, is := strings.CutPrefix(line, "> ")
		if !is {
			continue
		}
		method, rest, _ := strings.Cut(resolve(request), " ")
		path, body, _ := strings.Cut(rest, " ")
		answer, text := visit(t, h, method, "/graph"+path, body, "Authorization", bearer, "Origin", "", "client-request-id", "c")
		if answer.StatusCode >= 400 {
			text = regexp.MustCompile(`"request-id":"[0-9a-f-]{36}"`).ReplaceAllString(text, `"request-id":"…"`)
		}
		if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 204 && !strings.HasPrefix(kind, "application/json;odata.metadata=minimal") {
			t.Errorf("%s: content type %q", request, kind)
		}
		text = strings.ReplaceAll(text, passkey, "{passkey ada@example.com}")
		text = regexp.MustCompile(`"temporaryAccessPass":"[^"]+"`).ReplaceAllString(text, `"temporaryAccessPass":"…"`)
		text = regexp.MustCompile(`"challenge":"[^"]+"`).ReplaceAllString(text, `"challenge":"…"`)
		fmt.Fprintf(&got, "> %s\n< %d %s\n", request, answer.StatusCode, strings.TrimSpace(text))
	}
	for name, want := range map[string]string{ada.Name: rp.RiskHigh, "bob@example.com": rp.RiskHigh} {
		if risk, err := core.Risk(name); err != nil || risk != want {
			t.Errorf("the risk of %s is %s, %v", name, risk, err)
		}
	}
	wanted, gotten := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for i := range min(len(wanted), len(gotten)) {
		if wanted[i] != gotten[i] {
			t.Fatalf("line %d is\n%s\nwant\n%s", i+1, gotten[i], wanted[i])
		}
	}
	if len(wanted) != len(gotten) {
		t.Errorf("%d lines, want %d", len(gotten), len(wanted))
	}
}
