package interop

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"fido-emu/rp/audit"
	"fido-emu/rp/web"
)

// Record is what an audit found at a server, in short: what is kept of it in the file
// audit.txt of the host, and held against the next.
type Record struct {
	Head     string // version, conveyance and how many attacks had which verdict
	Findings []Finding
}

// Finding is an attack that was not refused as it must be.
type Finding struct {
	Verdict audit.Verdict // accepted, broken or tolerated
	Attack  string
}

// String returns the record as its file has it: a line for each finding, in the order
// in which the attacks are made.
func (r Record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Head)
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%-9s  %s\n", f.Verdict, f.Attack)
	}
	return b.String()
}

// ParseRecord reads what [Record.String] writes.
func ParseRecord(text string) (r Record, err error) {
	head, rest, ok := strings.Cut(text, "\n\n")
	if !ok {
		return r, errors.New("a record of an audit begins with a line and an empty one")
	}
	r.Head = head
	for line := range strings.Lines(rest) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return r, fmt.Errorf("a record of an audit has a verdict and an attack in each line, not %q", line)
		}
		r.Findings = append(r.Findings, Finding{audit.Verdict(fields[0]), fields[1]})
	}
	return r, nil
}

// RecordFile returns the file with what the audit of a server found. root is the folder
// of the module.
func (t Target) RecordFile(root string) string { return filepath.Join(t.source(root), "audit.txt") }

// Audit audits a server that was fetched, by the description of its requests that its
// host has. It goes to loopback alone, and is as fast as the server.
func (t Target) Audit(ctx context.Context, root, cache string) (_ *audit.Report, err error) {
	mail, err := freeAddress()
	if err != nil {
		return nil, err
	}
	h, err := t.Start(ctx, root, cache, "INTEROP_MAIL=http://"+mail+"/messages")
	if err != nil {
		return nil, err
	}
	defer h.Stop()
	d, err := web.Load(filepath.Join(t.source(root), "site.yaml"))
	if err != nil {
		return nil, err
	}
	settings := map[string]string{"INTEROP_ADDRESS": h.Address, "INTEROP_MAIL": mail, "INTEROP_ATTESTATION": t.Audited}
	site, err := d.Open(ctx, web.Options{Getenv: func(name string) string { return settings[name] }, Run: strings.ToLower(rand.Text()[:6])})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	report, err := audit.Run(ctx, d.Name, site, audit.Options{
		Rand: rand.Reader, Now: time.Now,
		Name: func(purpose string, n int) string { return site.UserName(fmt.Sprintf("audit-%s-%d", purpose, n)) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", t.Library, err, h.Said())
	}
	return report, nil
}

// Record shortens a report of this server.
func (t Target) Record(r *audit.Report) Record {
	counts := make([]string, 0, len(audit.Verdicts()))
	for _, v := range audit.Verdicts() {
		counts = append(counts, fmt.Sprintf("%d %s", r.Count(v), v))
	}
	short := Record{Head: fmt.Sprintf("%s %s, attestation %s: %d attacks: %s", t.Library, t.Version, t.Audited, len(r.Results), strings.Join(counts, ", "))}
	for _, one := range r.Results {
		if one.Verdict != audit.Refused && one.Verdict != audit.NotApplicable {
			short.Findings = append(short.Findings, Finding{one.Verdict, one.ID})
		}
	}
	return short
}
