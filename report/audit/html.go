package audit

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"fido-emu/report"
	"fido-emu/rp/audit"
)

//go:embed page/audit.css
var auditCSS string

//go:embed page/audit.js
var auditJS string

//go:embed page/audit.html.tmpl
var auditTemplate string

var page = template.Must(template.New("audit").Funcs(template.FuncMap{
	"span": report.Span, "visible": report.Visible, "class": class, "mark": mark, "pretty": pretty, "search": search,
}).Parse(auditTemplate))

// pageView is what the page draws.
type pageView struct {
	*audit.Report
	CSS       template.CSS
	JS        template.JS
	Policy    string
	Problem   string // why the audit ended early
	Verdict   string
	Headline  string
	Bar       []barPart
	Accepted  []findingView
	Broken    []findingView
	Tolerated []findingView
	Groups    []groupView
	Lacking   []reasonView
	Severest  []severityCount
}

type barPart struct {
	Verdict         audit.Verdict
	Count, X, Width int
}

type severityCount struct {
	Severity audit.Severity
	Count    int
}

type findingView struct {
	audit.Result
	Open bool
}

type groupView struct {
	Group
	Refused []audit.Result
	Counts  []int
}

type reasonView struct {
	Reason  string
	Results []audit.Result
}

// maxOpen is how many findings stand open from the start.
const maxOpen = 3

// WriteHTML writes a report as one self-contained page: what was accepted first, the
// worst first, each with what an attacker gains and the decoded request. problem tells
// why the audit ended early; it is nil when it did not.
func WriteHTML(w io.Writer, r *audit.Report, problem error) error {
	css := report.Style() + auditCSS
	v := &pageView{Report: r, CSS: template.CSS(css), JS: template.JS(auditJS), Policy: report.Policy(css, auditJS)}
	if problem != nil {
		v.Problem = problem.Error()
	}
	for _, one := range r.Findings() {
		if one.Verdict == audit.Accepted {
			v.Accepted = append(v.Accepted, findingView{one, len(v.Accepted) < maxOpen})
		} else {
			v.Broken = append(v.Broken, findingView{one, false})
		}
	}
	for _, one := range r.Results {
		switch one.Verdict {
		case audit.Tolerated:
			v.Tolerated = append(v.Tolerated, findingView{one, false})
		case audit.NotApplicable:
			v.lacks(one)
		}
	}
	v.count(r)
	return page.Execute(w, v)
}

func (v *pageView) lacks(r audit.Result) {
	for i := range v.Lacking {
		if v.Lacking[i].Reason == r.Why {
			v.Lacking[i].Results = append(v.Lacking[i].Results, r)
			return
		}
	}
	v.Lacking = append(v.Lacking, reasonView{r.Why, []audit.Result{r}})
}

func (v *pageView) count(r *audit.Report) {
	x := 0
	for _, verdict := range audit.Verdicts() {
		if n := r.Count(verdict); n > 0 {
			width := max(12, 1000*n/len(r.Results))
			v.Bar = append(v.Bar, barPart{verdict, n, x, width})
			x += width
		}
	}
	for _, s := range audit.Severities() {
		n := 0
		for _, f := range v.Accepted {
			if f.Severity == s {
				n++
			}
		}
		v.Severest = append(v.Severest, severityCount{s, n})
	}
	for _, g := range Groups(r) {
		one := groupView{Group: g}
		for _, verdict := range audit.Verdicts() {
			one.Counts = append(one.Counts, g.Count(verdict))
		}
		for _, result := range g.Results {
			if result.Verdict == audit.Refused {
				one.Refused = append(one.Refused, result)
			}
		}
		v.Groups = append(v.Groups, one)
	}
	v.conclude(r)
}

// conclude says the whole in a sentence.
func (v *pageView) conclude(r *audit.Report) {
	switch {
	case v.Problem != "":
		v.Verdict, v.Headline = "error", "The audit ended early: "+v.Problem
	case len(v.Accepted) > 0:
		v.Verdict = "failed"
		v.Headline = fmt.Sprintf("%s accepted %d of %d attacks that it had to refuse; the worst is %s.", r.RelyingParty, len(v.Accepted), len(r.Results), v.Accepted[0].Severity)
	case len(v.Broken) > 0:
		v.Verdict, v.Headline = "error", fmt.Sprintf("%s accepted no attack, and broke down at %d.", r.RelyingParty, len(v.Broken))
	default:
		v.Verdict, v.Headline = "passed", fmt.Sprintf("%s refused every attack that it had to refuse.", r.RelyingParty)
	}
}

// class names a verdict in the style sheet.
func class(v audit.Verdict) string {
	return map[audit.Verdict]string{
		audit.Accepted: "failed", audit.Broken: "error", audit.Tolerated: "timeout", audit.Refused: "passed", audit.NotApplicable: "skipped",
	}[v]
}

func mark(v audit.Verdict) string {
	return map[audit.Verdict]string{audit.Accepted: "✗", audit.Broken: "!", audit.Tolerated: "≈", audit.Refused: "✓", audit.NotApplicable: "–"}[v]
}

// pretty indents JSON; what is none stays as it is.
func pretty(v any) string {
	var text []byte
	switch v := v.(type) {
	case string:
		text = []byte(v)
	case json.RawMessage:
		text = v
	}
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return report.Visible(string(text))
	}
	return report.Visible(b.String())
}

// search is what the filter looks in.
func search(r audit.Result) string {
	return strings.ToLower(report.Visible(strings.Join([]string{r.ID, r.Title, r.Rule(), r.Why, string(r.Severity), strings.Join(r.Cites, " ")}, " ")))
}
