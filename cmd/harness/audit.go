package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/attestation"
	"fido-emu/fixtures/bench"
	auditreport "fido-emu/report/audit"
	"fido-emu/rp"
	"fido-emu/rp/audit"
	"fido-emu/rp/web"
)

// auditFlags is what the command line says about an audit.
type auditFlags struct {
	rp, reports string
	only, own   []string
	list, json  bool
	mutants     bool
	verbose     bool
	rate        float64
	timeout     time.Duration
}

func auditCommand(u ui) *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit",
		Short: "Attack a relying party, and tell what it accepts that it must refuse",
		Long: "audit makes some 400 attacks on the registrations and sign-ins of a relying party: each is an\n" +
			"honest ceremony that is wrong in one way, for which WebAuthn Level 3 says that it must be\n" +
			"refused. That one was accepted is proved by what comes of it, such as a session that stands;\n" +
			"that one was refused, by the honest ceremony that still works afterwards.\n\n" +
			"Without --rp the reference relying party is attacked, in this process. With --rp FILE it is\n" +
			"the one that FILE describes (harness rp check FILE tries a description). Requests go to\n" +
			"loopback only, but for hosts that --i-own-this-site names: attack nothing that is not yours.\n" +
			"The audit makes test users of its own; what it could not take back is listed at the end.\n\n" +
			"--mutants proves that the audit sees: it attacks a relying party with one step of its\n" +
			"verification left out, for each step.\n\n" +
			"Exit codes: 0 nothing was accepted; 1 something was, or broke down, or a mutant survived; 2 wrong\n" +
			"usage; 3 the honest ceremonies do not work, the relying party cannot be reached, or a fault of\n" +
			"the harness.",
		Example: "  harness audit\n  harness audit --rp my-site.yaml --reports audit-of-my-site\n" +
			"  harness audit --only authentication.signature,registration.origin\n" +
			"  harness audit --rp staging.yaml --i-own-this-site staging.example.com --rate 5\n  harness audit --mutants",
		RunE: func(c *cobra.Command, _ []string) error { return runAudit(c.Context(), u, f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.rp, "rp", "", "file that describes the relying party (default: the reference one, in this process)")
	flags.StringSliceVar(&f.only, "only", nil, "only the attacks whose ids begin so")
	flags.BoolVar(&f.list, "list", false, "list the attacks and make none")
	flags.BoolVar(&f.mutants, "mutants", false, "attack relying parties with one step left out each, to prove that the audit sees")
	flags.StringArrayVar(&f.own, "i-own-this-site", nil, "host beyond loopback that may be attacked, because it is yours")
	flags.Float64Var(&f.rate, "rate", 0, "requests a second, with --rp (default 100 on loopback, 10 elsewhere)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "time that one call may take; longer is a hang")
	flags.StringVar(&f.reports, "reports", "", "folder for audit.html, audit.json, audit.xml (JUnit) and audit.sarif")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show whole responses, and what is tolerated and not applicable")
	return c
}

func runAudit(ctx context.Context, u ui, f auditFlags) error {
	switch {
	case f.mutants && (f.rp != "" || f.list || len(f.only) > 0 || f.reports != "" || f.json):
		return usage("", "--mutants goes with --verbose alone")
	case f.rp == "" && (len(f.own) > 0 || f.rate != 0):
		return usage("give the relying party with --rp", "--i-own-this-site and --rate are for relying parties over HTTP")
	case f.rate < 0 || f.timeout <= 0:
		return usage("", "--rate and --timeout must be more than 0")
	}
	selected := &audit.Options{Only: f.only}
	if len(selected.Selected()) == 0 {
		return usage("harness audit --list shows ids", "no attack fits --only %q", f.only)
	}
	switch {
	case f.list:
		return u.listAttacks(selected, f.json)
	case f.mutants:
		return u.auditMutants(ctx, f.verbose)
	case f.rp == "":
		return f.auditReference(ctx, u)
	}
	return f.auditDescribed(ctx, u)
}

// auditSeed is what an audit in this process draws from, so that every run is the
// same.
const auditSeed = 1

// auditReference attacks the reference relying party in this process.
func (f auditFlags) auditReference(ctx context.Context, u ui) error {
	random := bench.NewRand(auditSeed)
	o, err := f.options(random, time.Now)
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	site, err := audit.NewLocal(bench.NewRand(auditSeed+1), time.Now, o.Authority.Pool())
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	return f.audit(ctx, u, "reference relying party", site, o)
}

func (f auditFlags) options(random io.Reader, now func() time.Time) (audit.Options, error) {
	o := audit.Options{Rand: random, Now: now, Only: f.only, Timeout: f.timeout}
	var err error
	o.Authority, err = attestation.NewAuthority("Audit Root", random, now().Add(-time.Hour))
	return o, err
}

// auditDescribed attacks a relying party over HTTP.
func (f auditFlags) auditDescribed(ctx context.Context, u ui) (err error) {
	d, err := loadRP(f.rp)
	if err != nil {
		return err
	}
	if d.Section("browser") != nil && !d.Has("register") {
		return usage("describe the requests that the pages send; interop/targets/keycloak/site.yaml does so for Keycloak's",
			"%s drives pages: there the page's own script writes what is sent, and would mend or drop most of what an attack has broken", f.rp)
	}
	o, err := f.options(rand.Reader, time.Now)
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	guard := newGuard(f.own, f.rate)
	opened := web.Options{Getenv: u.getenv, Run: strings.ToLower(rand.Text()[:6]), Transport: guard}
	if d.Starts(u.getenv) != "" {
		stop, settings, err := startReference(ctx, o.Authority.Pool())
		if err != nil {
			return &exit{code: exitBench, err: err}
		}
		defer func() { err = errors.Join(err, stop()) }()
		opened.Settings = settings
	}
	site, err := d.Open(ctx, opened)
	if err != nil {
		return &exit{code: exitBench, err: err, hint: "settings and bases are at the top of the description"}
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	o.Name = func(purpose string, n int) string { return site.UserName(fmt.Sprintf("audit-%s-%d", purpose, n)) }
	o.Single = site.Capabilities().SingleUser
	if site.Capabilities().ClosedSignUp {
		o.Account = audit.Onboard(site)
	}
	if !f.json {
		o.Group = func(name string, n int) { fmt.Fprintf(u.err, "%d attacks on %s\n", n, name) }
	}
	return f.audit(ctx, u, d.Name, site, o)
}

// audit attacks, writes the reports and returns what the exit code is to be.
func (f auditFlags) audit(ctx context.Context, u ui, name string, site rp.RelyingParty, o audit.Options) error {
	report, failed := audit.Run(ctx, name, site, o)
	if report == nil {
		return &exit{code: exitBench, err: failed}
	}
	if err := f.write(u, report, failed); err != nil {
		return &exit{code: exitBench, err: err}
	}
	return auditVerdict(report, failed)
}

// auditVerdict turns what an audit found into an exit code.
func auditVerdict(r *audit.Report, failed error) error {
	var foreign *foreignHost
	var away *rp.Unreachable
	switch {
	case errors.As(failed, &foreign):
		return &exit{code: exitUsage, err: failed, hint: "if it is yours: --i-own-this-site " + foreign.host}
	case errors.As(failed, &away):
		return &exit{code: exitBench, err: failed, hint: away.Hint()}
	case errors.Is(failed, audit.ErrControl):
		return &exit{code: exitBench, err: failed, hint: "nothing that an audit finds means anything then; harness rp check FILE explains each exchange"}
	case failed != nil:
		return &exit{code: exitBench, err: failed}
	case len(r.Findings()) > 0:
		return &exit{code: exitFailed}
	}
	return nil
}

// listAttacks lists the attacks that are selected.
func (u ui) listAttacks(o *audit.Options, asJSON bool) error {
	all := slices.Concat(o.Selected()...)
	if asJSON {
		e := json.NewEncoder(u.out)
		e.SetEscapeHTML(false)
		for _, a := range all {
			if err := e.Encode(a); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	for _, a := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", a.ID, a.Severity, a.Rule(), a.Title)
	}
	fmt.Fprintf(t, "%d attacks\n", len(all))
	return t.Flush()
}

// write writes the reports and shows the one that is asked for.
func (f auditFlags) write(u ui, r *audit.Report, failed error) error {
	if f.reports != "" {
		if err := writeAudit(f.reports, r, failed); err != nil {
			return err
		}
	}
	if f.json {
		return auditreport.WriteJSON(u.out, r)
	}
	if err := (auditreport.Console{Colour: u.colours(), Verbose: f.verbose}).Write(u.out, r); err != nil {
		return err
	}
	if f.reports != "" {
		fmt.Fprintf(u.out, "\nreports: %s\n", f.reports)
	}
	return nil
}
