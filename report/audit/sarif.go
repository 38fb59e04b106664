package audit

import (
	"encoding/json"
	"io"

	"fido-emu/rp/audit"
)

// The objects of SARIF 2.1.0 (OASIS) that a report needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string          `json:"id"`
		ShortDescription sarifText       `json:"shortDescription"`
		FullDescription  sarifText       `json:"fullDescription"`
		HelpURI          string          `json:"helpUri,omitempty"`
		Default          sarifDefault    `json:"defaultConfiguration"`
		Properties       sarifProperties `json:"properties"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifProperties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity,omitempty"` // what code hosts sort by, 0.0 to 10.0
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful bool   `json:"executionSuccessful"`
		Started    string `json:"startTimeUtc"`
	}
	sarifResult struct {
		RuleID      string            `json:"ruleId"`
		RuleIndex   int               `json:"ruleIndex"`
		Kind        string            `json:"kind"`
		Level       string            `json:"level"`
		Message     sarifText         `json:"message"`
		Locations   []sarifLocation   `json:"locations"`
		Fingerprint map[string]string `json:"partialFingerprints"`
		Properties  map[string]any    `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// WriteSARIF writes a report as SARIF 2.1.0. Every attack is a rule; every one that
// was made has a result: fail where it was accepted or something broke, informational
// where it is tolerated, pass where it was refused, notApplicable where it is not
// applicable. A result is located at the origin of the relying party.
func WriteSARIF(w io.Writer, r *audit.Report, version string, complete bool) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "harness audit", Version: version, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{Successful: complete, Started: r.Started.UTC().Format("2006-01-02T15:04:05.000Z")}},
		Results:     []sarifResult{},
	}
	for i, one := range r.Results {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule(one.Attack))
		run.Results = append(run.Results, result(r, &one, i))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func rule(a audit.Attack) sarifRule {
	full := a.Title + ". Rule: " + inWords(a) + ". If it is accepted: " + a.Gains + "."
	for _, c := range a.Cites {
		full += " Published: " + c + "."
	}
	tags := []string{"security", "webauthn", string(a.Severity)}
	return sarifRule{
		ID: a.ID, ShortDescription: sarifText{a.Title}, FullDescription: sarifText{full}, HelpURI: a.Link(),
		Default: sarifDefault{level(a.Severity)}, Properties: sarifProperties{Tags: tags, Severity: score(a.Severity)},
	}
}

func level(s audit.Severity) string {
	switch s {
	case audit.Critical, audit.High:
		return "error"
	case audit.Medium:
		return "warning"
	}
	return "note"
}

func score(s audit.Severity) string {
	return map[audit.Severity]string{audit.Critical: "9.5", audit.High: "8.0", audit.Medium: "5.5", audit.Low: "2.0"}[s]
}

func result(r *audit.Report, one *audit.Result, index int) sarifResult {
	s := sarifResult{
		RuleID: one.ID, RuleIndex: index, Kind: "fail", Level: "none", Message: sarifText{one.Title + ": " + string(one.Verdict) + ": " + one.Why},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{sarifArtifact{r.Origin}}, Logical: []sarifLogical{{Name: r.RelyingParty, Kind: "module"}},
		}},
		Fingerprint: map[string]string{"attack/v1": r.RPID + " " + one.ID},
		Properties:  map[string]any{"verdict": one.Verdict, "rule": one.Rule()},
	}
	switch one.Verdict {
	case audit.Accepted:
		s.Level = level(one.Severity)
		s.Properties["exchanges"] = one.Exchanges
	case audit.Broken:
		s.Level = "warning"
	case audit.Tolerated:
		s.Kind, s.Message.Text = "informational", s.Message.Text+"; "+one.Tolerated
	case audit.Refused:
		s.Kind = "pass"
	case audit.NotApplicable:
		s.Kind = "notApplicable"
	}
	return s
}
