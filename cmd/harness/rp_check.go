package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/grammar"
	"fido-emu/rp"
	"fido-emu/rp/browser"
	"fido-emu/rp/reference"
	"fido-emu/rp/web"
)

func rpSchemaCommand(u ui) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of relying-party descriptions, for editors",
		Long: "schema prints a JSON Schema by which editors complete and check descriptions of relying\n" +
			"parties. With the YAML language server, put this line on top of a file:\n\n  # yaml-language-server: $schema=relying-party.schema.json",
		RunE: func(*cobra.Command, []string) error { return u.printJSON(web.Schema(browser.Foreign())) },
	}
}

func rpCheckCommand(u ui) *cobra.Command {
	var brief bool
	var f pageFlags
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Register and sign in at a relying party that a description tells of, and explain each exchange",
		Long: "check makes one passkey with an emulated key and signs in with it, with a new user name each\n" +
			"time, and shows each request, what was taken from its answer, and why that counts as\n" +
			"accepted, refused or broken. Secrets are masked.\n\n" +
			"Exit codes: 0 both worked; 1 the site refused or is broken; 2 the description is not in\n" +
			"order; 3 the site cannot be reached, or a setting is missing.",
		Example: "  harness rp check my-site.yaml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return checkRP(c.Context(), u, args[0], brief, f) },
	}
	c.Flags().BoolVar(&brief, "brief", false, "show one line for each exchange")
	c.Flags().StringVar(&f.screenshots, "screenshots", "", "folder for a picture of each step, for descriptions with pages")
	f.register(c.Flags())
	return c
}

// loadRP reads a description.
func loadRP(file string) (*web.Description, error) {
	d, err := web.Load(file, browser.Foreign())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("docs/relying-parties.md tells how one is written", "there is no description of a relying party %s", file)
	}
	if err != nil {
		return nil, problemsOf(err)
	}
	return d, nil
}

// problemsOf tells what is wrong with a description as it is told of scenario files.
func problemsOf(err error) error {
	found, ok := errors.AsType[grammar.Problems](err)
	if !ok {
		return &exit{code: exitUsage, err: err}
	}
	return found
}

// opener returns what opens a site: in Chromium where the description has pages.
func opener(d *web.Description, f pageFlags) (func(context.Context, web.Options) (web.Site, error), error) {
	if d.Section("browser") == nil {
		return d.Open, nil
	}
	pages, err := browser.Of(d)
	if err != nil {
		return nil, problemsOf(err)
	}
	return f.open(pages), nil
}

func checkRP(ctx context.Context, u ui, file string, brief bool, f pageFlags) (err error) {
	d, err := loadRP(file)
	if err != nil {
		return err
	}
	e := &explainer{u: u, brief: brief}
	o := web.Options{Getenv: u.getenv, Run: strings.ToLower(rand.Text()[:6]), Observe: e.step}
	if d.Starts(u.getenv) != "" {
		stop, settings, err := startReference(ctx, nil)
		if err != nil {
			return &exit{code: exitBench, err: err}
		}
		defer func() { err = errors.Join(err, stop()) }()
		o.Settings = settings
	}
	open, err := opener(d, f)
	if err != nil {
		return err
	}
	site, err := open(ctx, o)
	if err != nil {
		return &exit{code: exitBench, err: err, hint: "settings and bases are at the top of the description"}
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	fmt.Fprintf(u.out, "%s: origin %s, RP ID %s\n", d.Name, site.Origin(), site.RPID())
	return e.ceremonies(ctx, site)
}

// startReference starts the reference relying party on loopback. It trusts the
// attestation of roots, which may be nil.
func startReference(ctx context.Context, roots *x509.CertPool) (stop func() error, settings map[string]string, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	page, token := "http://localhost:"+port, rand.Text()
	core, err := reference.New(reference.Config{RPID: "localhost", Origins: []string{page}, AdminToken: token, AttestationRoots: roots})
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- reference.Serve(ctx, l, core) }()
	stop = func() error {
		cancel()
		return <-done
	}
	return stop, map[string]string{"address": "http://" + l.Addr().String(), "page": page, "domain": "localhost", "admin-token": token}, nil
}

// explainer shows what happens.
type explainer struct {
	u       ui
	brief   bool
	section string
}

// ceremonies goes through registration and sign-in.
func (e *explainer) ceremonies(ctx context.Context, site web.Site) error {
	client, err := newChecker(rand.Reader, time.Now)
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	who := rp.Person{Name: site.UserName("check"), DisplayName: "Check"}
	if site.Capabilities().ClosedSignUp {
		if err := site.AddPerson(ctx, who); err != nil {
			return e.failed("making an account", err)
		}
	}
	made, err := site.Register(ctx, who, client)
	if err != nil {
		return e.failed("registration", err)
	}
	fmt.Fprintf(e.u.out, "registered passkey %x of %s\n", made.ID[:min(6, len(made.ID))], who.Name)
	for _, as := range names(who, site) {
		s, err := site.SignIn(ctx, as, client)
		if lacks, ok := errors.AsType[*rp.Unsupported](err); ok {
			fmt.Fprintln(e.u.out, "sign-in was left out:", lacks)
			return nil
		}
		if err != nil {
			return e.failed("sign-in", err)
		}
		if !strings.EqualFold(s.Person, who.Name) {
			return e.failed("sign-in", fmt.Errorf("the site signed in %q, not %q", s.Person, who.Name))
		}
		fmt.Fprintf(e.u.out, "signed in as %s by %s%s\n", s.Person, s.Method, map[bool]string{true: ", without a user name"}[as.Name == ""])
		for _, w := range s.Warnings {
			fmt.Fprintln(e.u.out, "the site noticed:", w)
		}
	}
	return nil
}

// names returns whom to sign in as: by name, and without where the site can.
func names(who rp.Person, site web.Site) []rp.Person {
	if site.Capabilities().Usernameless {
		return []rp.Person{who, {}}
	}
	return []rp.Person{who}
}

func (e *explainer) failed(what string, err error) error {
	x := &exit{code: exitFailed, err: fmt.Errorf("%s: %w", what, err), hint: "the last exchange above shows what the site answered"}
	if away, ok := errors.AsType[*rp.Unreachable](err); ok {
		x.code, x.hint = exitBench, away.Hint()
	}
	if lacks, ok := errors.AsType[*rp.Unsupported](err); ok {
		x.err, x.hint = fmt.Errorf("%s: %w", what, lacks), "describe the section that is missing"
	}
	return x
}

// step shows one step.
func (e *explainer) step(x web.Exchange) {
	if x.Kind == "" {
		return
	}
	section := x.Section
	if x.Proof {
		section += ", proof"
	}
	if section != e.section {
		e.section = section
		fmt.Fprintf(e.u.out, "\n%s\n", section)
	}
	line := x.Line
	if line == "" {
		line = x.Kind
	}
	as := ""
	if x.Actor != "person" {
		as = " as " + x.Actor
	}
	fmt.Fprintf(e.u.out, "  %s%s   (%s)\n", line, as, x.Place)
	if e.brief {
		fmt.Fprintf(e.u.out, "    %s: %s\n", x.Verdict, x.Why)
		return
	}
	e.detail(x)
}

func (e *explainer) detail(x web.Exchange) {
	e.row("why", x.Note)
	e.row("sent", string(x.Request))
	if x.Status > 0 {
		e.row("answer", fmt.Sprintf("%d %s", x.Status, x.Response))
	} else {
		e.row("answer", string(x.Response))
	}
	for _, t := range x.Taken {
		e.row("took", t.Name+" = "+t.Value)
	}
	e.row("picture", x.Picture)
	e.row(x.Verdict, x.Why)
}

// longest is how much of a body is shown.
const longest = 400

func (e *explainer) row(name, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	if r := []rune(text); len(r) > longest {
		text = fmt.Sprintf("%s… (%d characters more)", string(r[:longest]), len(r)-longest)
	}
	fmt.Fprintf(e.u.out, "    %-9s %s\n", name, strings.ReplaceAll(text, "\n", "\n              "))
}
