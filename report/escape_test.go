package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hostile tries to leave every context there is.
const hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>]]></style>--><!-- &lt; \x00\x01\x1b[31m\x7f\u202e\u2028\uFFFE\xff {{.}} javascript:alert(1)\nnext"

// poison sets every string that v holds to the hostile text.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.Struct:
		if v.Type().PkgPath() != "time" {
			for i := range v.NumField() {
				poison(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.String:
		if t := v.Type(); t != reflect.TypeFor[Kind]() && t != reflect.TypeFor[Outcome]() {
			v.SetString(hostile)
		}
	}
}

func poisoned(t *testing.T) []Event {
	seed := uint64(1)
	id := hostile
	events := []Event{
		{Kind: RunStart, Run: &Run{Title: "t", Version: "v", Seed: &seed}},
		{Kind: ScenarioStart, ScenarioID: id, Scenario: &Scenario{
			Labels: []string{"l"}, Matrix: map[string]string{hostile: hostile}, Devices: []Device{{}}, Steps: 1}},
		{Kind: StepStart, ScenarioID: id, StepIndex: 1, Step: &Step{}},
		{Kind: CTAP, ScenarioID: id, StepIndex: 1, Exchange: &Exchange{Request: Message{
			Raw: []byte{1, 2}, Decoded: []Field{{Fields: []Field{{}}}}}}},
		{Kind: Note, ScenarioID: id, StepIndex: 1},
		{Kind: StepEnd, ScenarioID: id, StepIndex: 1, Outcome: Failed, Failure: &Failure{}},
		{Kind: ScenarioEnd, ScenarioID: id, Outcome: Failed, Failure: &Failure{}},
		{Kind: ScenarioStart, ScenarioID: id, Attempt: 2, Scenario: &Scenario{}},
		{Kind: ScenarioEnd, ScenarioID: id, Attempt: 2, Outcome: Error, Failure: &Failure{}},
		{Kind: RunEnd},
	}
	for i := range events {
		poison(reflect.ValueOf(&events[i]))
	}
	ceremony := Event{Kind: WebAuthn, ScenarioID: id, StepIndex: 1, Ceremony: NewCeremony(
		hostile, hostile, hostile, []byte(hostile), sampleJSON(t, map[string]string{hostile: hostile}), errors.New(hostile))}
	return append(events[:4:4], append([]Event{ceremony}, events[4:]...)...)
}

// The page of hostile events has the same elements and attributes as it would have
// with harmless ones: none of the text became markup.
func TestHTMLCannotBeBrokenOutOf(t *testing.T) {
	var out bytes.Buffer
	if err := WriteHTML(&out, BuildModel(poisoned(t))); err != nil {
		t.Fatal(err)
	}
	scripts := 0
	z := html.NewTokenizer(&out)
	for {
		switch z.Next() {
		case html.ErrorToken:
			if scripts != 1 {
				t.Errorf("%d scripts, want our own", scripts)
			}
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			if token.Data == "script" {
				scripts++
			}
			checkTag(t, token)
		case html.CommentToken:
			t.Errorf("comment %q", z.Token().Data)
		}
	}
}

func checkTag(t *testing.T, token html.Token) {
	t.Helper()
	if token.Data == "img" || token.Data == "iframe" || token.Data == "link" {
		t.Errorf("element %s", token.Data)
	}
	for _, a := range token.Attr {
		if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" ||
			a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
			t.Errorf("attribute %s=%q of %s", a.Key, a.Val, token.Data)
		}
	}
}

// The policy allows exactly the style and the script that the page has.
func TestHTMLPolicy(t *testing.T) {
	var out bytes.Buffer
	if err := WriteHTML(&out, BuildModel(sample(t))); err != nil {
		t.Fatal(err)
	}
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(out.String())[1])
	for _, tag := range []string{"style", "script"} {
		content := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(out.String())[1]
		if want := tag + "-src " + policyHash(content) + ";"; !strings.Contains(policy, want) {
			t.Errorf("policy %s lacks %s", policy, want)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("policy %s", policy)
	}
	if m := regexp.MustCompile(`(?:src|action)="|url\(|@import`).FindString(out.String()); m != "" {
		t.Errorf("the page loads something: %s", m)
	}
}

func TestJUnitCannotBeBrokenOutOf(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJUnit(&out, BuildModel(poisoned(t))); err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{"testsuites": true, "testsuite": true, "properties": true, "property": true, "testcase": true,
		"error": true, "rerunFailure": true, "stackTrace": true, "system-out": true}
	d := xml.NewDecoder(&out)
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && !allowed[start.Name.Local] {
			t.Errorf("element %s", start.Name.Local)
		}
	}
}

// Nothing in an event moves the cursor or changes colours.
func TestConsoleCannotBeBrokenOutOf(t *testing.T) {
	for _, o := range []ConsoleOptions{{}, {Verbose: true}, {Terminal: true, Verbose: true}} {
		var out bytes.Buffer
		if err := replay(poisoned(t), NewConsole(&out, o)); err != nil {
			t.Fatal(err)
		}
		ours := regexp.MustCompile("\x1b\\[\\d+A\r\x1b\\[J").ReplaceAllString(out.String(), "")
		if i := strings.IndexAny(ours, "\x00\x01\x1b\x7f\r\u202e\u2028"); i >= 0 {
			t.Errorf("%+v: control character in %q", o, ours[max(0, i-20):i+10])
		}
	}
}
