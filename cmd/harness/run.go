package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/reach"
	"fido-emu/report"
	"fido-emu/scenarios"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
	"fido-emu/tpmsim"
)

// runFlags is what the command line says about a run.
type runFlags struct {
	selection scenarios.Selection
	seed      uint64
	seeded    bool
	json      bool
	verbose   bool
	reports   string
	noReports bool
	github    bool
	retries   int
	timeout   time.Duration
	via       string
	tpm       string
	rp        string
	pages     pageFlags
	bind      bindFlags
	parallel  int
	bench     runBenchFlags
}

func runCommand(u ui) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [FILE|FOLDER|NAME]...",
		Short: "Run scenarios; the built-in library when none are named",
		Long: "run runs scenario files, folders of them, or scenarios of the built-in library by their\n" +
			"id or folder (harness list shows them). Without any it runs the whole library.\n\n" +
			"Devices are emulated. They are used in this process, or with --via behind a transport, as\n" +
			"real ones are, with the same outcomes:\n" +
			"  pipe             CTAPHID through a pipe in memory\n" +
			"  udp              CTAPHID in datagrams on loopback\n" +
			"  uhid             a HID device of this computer, reached through hidraw\n" +
			"  usbip[:usb]      a USB device of this computer, reached through hidraw or libusb\n" +
			"  gadget[:usb]     a USB gadget, reached through hidraw or libusb\n\n" +
			"The same --seed gives the same bytes of events in process. Behind a transport the\n" +
			"outcomes are the same every time, and over a pipe the messages too." + bindHelp + runBenchHelp,
		Example: "  harness run\n  harness run --filter 'loss && !tpm'\n  harness run loss my-scenario.yaml --seed 7\n  harness run --parallel 4\n  harness run --bench fixtures/example-bench.yaml --tags 'usb && !slow'",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, names []string) error {
			f.seeded = c.Flags().Changed("seed")
			if len(f.bind.devices) > 0 && !c.Flags().Changed("timeout") {
				f.timeout = handTimeout
			}
			return run(c.Context(), u, names, f)
		},
	}
	flags := c.Flags()
	selecting(flags, &f.selection)
	flags.StringVar(&f.via, "via", "", "transport behind which the devices are (default: none, in this process)")
	flags.StringVar(&f.tpm, "tpm", "", "node of a TPM, such as "+tpmsim.DefaultDevice+", for the device with one (default: simulated TPMs); it is never cleared")
	flags.StringVar(&f.rp, "rp", "", "file that describes the relying party, over HTTP (default: the reference one, in this process)")
	f.pages.register(flags)
	f.bind.register(flags)
	f.bench.register(flags)
	flags.IntVar(&f.parallel, "parallel", 0, "scenarios that may run at the same time; 1 without --bench, as many as it has slots with it")
	flags.Uint64Var(&f.seed, "seed", 0, "make the run reproducible: the same seed, the same bytes")
	flags.BoolVar(&f.json, "json", false, "print the events as JSON lines instead of progress")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show every step")
	flags.StringVar(&f.reports, "reports", "reports", "folder for events.jsonl, junit.xml and report.html")
	flags.BoolVar(&f.noReports, "no-reports", false, "write no reports")
	flags.BoolVar(&f.github, "github", false, "print annotations for GitHub Actions (default there, where a summary of the job is written, too)")
	flags.IntVar(&f.retries, "retries", 0, "further attempts at a scenario that did not pass; every one is in the report")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "real time that a step may take, unless it says otherwise; 2m0s with --device")
	return c
}

// handTimeout is what a step may take in which somebody has to do something.
const handTimeout = 2 * time.Minute

func run(ctx context.Context, u ui, names []string, f runFlags) error {
	if f.retries < 0 || f.timeout <= 0 || f.parallel < 0 {
		return usage("", "--retries and --parallel must not be negative, and --timeout must be more than nothing")
	}
	if err := f.together(); err != nil {
		return err
	}
	if err := f.hasTPM(); err != nil {
		return err
	}
	via, err := f.way()
	if err != nil {
		return err
	}
	elsewhere, err := f.elsewhere(u)
	if err != nil {
		return err
	}
	chosen, err := choose(names, f.selection)
	if err != nil {
		return err
	}
	h := &hand{u: u, again: sayAgain}
	bound, err := f.bind.bound(u, chosen)
	if err != nil {
		return err
	}
	if err := reachable(ctx, bound, h); err != nil {
		return err
	}
	lender, done, err := f.bench.open(ctx, u, h, title(names), f.bind.harmed())
	if err != nil {
		return err
	}
	sinks, err := f.sinks(u)
	if err != nil {
		return errors.Join(err, done())
	}
	stream := report.NewStream(time.Now, sinks...)
	o := scenarios.Options{Title: title(names), Version: version(), Retries: f.retries, Timeout: f.timeout, Via: via, TPM: f.tpm, Bound: bound, Hand: h, Harm: f.bind.harmed(), RP: elsewhere, Parallel: f.parallel, Bench: lender}
	if lender != nil && f.parallel == 0 && elsewhere == nil {
		o.Parallel = lender.Size()
	}
	if !f.noReports {
		o.Reports = f.reports
	}
	if f.seeded {
		o.Seed = &f.seed
	}
	// Whoever reads along may go; the run goes on.
	gone := make(chan os.Signal, 1)
	signal.Notify(gone, syscall.SIGPIPE)
	defer signal.Stop(gone)
	counts, err := scenarios.Run(ctx, chosen, o, stream)
	return f.ended(counts, errors.Join(err, stream.Close(), done()))
}

// ended is the end of a run. A failure is one also where the harness could not do all that
// it should.
func (f runFlags) ended(counts map[report.Outcome]int, err error) error {
	end := verdict(counts)
	if err == nil {
		return end
	}
	e := &exit{code: exitBench, err: err}
	if failed, ok := errors.AsType[*exit](end); ok && failed.code == exitFailed {
		e.code = exitFailed
	}
	if unwritten, ok := errors.AsType[*fs.PathError](err); ok && !f.noReports && filepath.Clean(filepath.Dir(unwritten.Path)) == filepath.Clean(f.reports) {
		e.hint = "make room, or choose another folder with --reports; what could not be written is as it was, and harness report open " + f.reports + " draws " + report.HTMLFile + " from " + report.EventsFile
	}
	return e
}

// together refuses what cannot be done in parallel.
func (f runFlags) together() error {
	switch {
	case f.parallel > 1 && strings.HasPrefix(f.via, "gadget"):
		return usage("--via usbip has as many ports as are needed", "--parallel with --via %s: a computer is one gadget at a time", f.via)
	case f.parallel > 1 && len(f.bind.devices) > 0:
		return usage("a bench has keys for several: --bench", "--parallel with --device: a key can be in one scenario at a time")
	}
	return nil
}

// hasTPM looks whether the TPM is there that the devices are to use.
func (f runFlags) hasTPM() error {
	if f.tpm == "" {
		return nil
	}
	if _, err := os.Stat(f.tpm); err != nil {
		return &exit{code: exitBench, err: fmt.Errorf("--tpm: %w", err), hint: "harness doctor says what is missing; without --tpm, TPMs are simulated"}
	}
	return nil
}

// way returns how devices are reached, nil for in process. A transport that this
// computer has not is a fault of the bench.
func (f runFlags) way() (*reach.Way, error) {
	if f.via == "" {
		return nil, nil
	}
	way, err := reach.ParseWay(f.via)
	if err != nil {
		return nil, &exit{code: exitUsage, err: fmt.Errorf("--via %w", err)}
	}
	if err := way.Check(); err != nil {
		return nil, &exit{code: exitBench, err: fmt.Errorf("--via %s: %w", way, err), hint: "--via pipe and --via udp work everywhere"}
	}
	return &way, nil
}

// elsewhere returns the relying party that a description tells of, nil for the one in
// process.
func (f runFlags) elsewhere(u ui) (*world.Elsewhere, error) {
	if f.rp == "" {
		return nil, nil
	}
	d, err := loadRP(f.rp)
	if err != nil {
		return nil, err
	}
	if !f.noReports {
		f.pages.reports, f.pages.screenshots = f.reports, filepath.Join(f.reports, "screenshots")
	}
	open, err := opener(d, f.pages)
	if err != nil {
		return nil, err
	}
	return &world.Elsewhere{Description: d, Getenv: u.getenv, Open: open}, nil
}

// sinks returns where the events of the run go.
func (f runFlags) sinks(u ui) ([]report.Sink, error) {
	var files *report.FileSink
	var written func() []string
	if !f.noReports {
		var err error
		if files, err = report.Files(f.reports); err != nil {
			return nil, &exit{code: exitBench, err: err, hint: "choose another folder with --reports, or --no-reports"}
		}
		u.tellKept(files)
		written = files.Written
	}
	var sinks []report.Sink
	if files != nil {
		sinks = append(sinks, files)
	}
	if f.github || u.getenv("GITHUB_ACTIONS") == "true" {
		sinks = append(sinks, report.NewGitHub(u.err, u.getenv("GITHUB_STEP_SUMMARY")))
	}
	if f.json {
		return append(sinks, report.NewJSONL(u.out)), nil
	}
	return append(sinks, u.console(written, f.verbose, len(f.bind.devices) > 0)), nil
}

// choose loads scenarios and selects among them.
func choose(names []string, s scenarios.Selection) ([]*language.Scenario, error) {
	all, err := load(names)
	if err != nil {
		return nil, err
	}
	chosen, err := scenarios.Select(all, s)
	if err != nil {
		return nil, &exit{code: exitUsage, err: err}
	}
	if len(chosen) == 0 {
		return nil, usage("harness list shows ids and titles, harness explain labels the labels", "no scenario of %d fits%s", len(all), said(s))
	}
	return chosen, nil
}

func load(names []string) ([]*language.Scenario, error) {
	sources, err := scenarios.Sources(names)
	if err != nil {
		return nil, &exit{code: exitUsage, err: err}
	}
	g, err := scenarios.Grammar()
	if err != nil {
		return nil, err
	}
	return scenarios.Load(sources, g)
}

func title(names []string) string {
	if len(names) == 0 {
		return "Built-in library"
	}
	return strings.Join(names, ", ")
}

// verdict turns outcomes into an exit code. What was tested comes before the
// bench: a failure is a failure whatever else went wrong.
func verdict(counts map[report.Outcome]int) error {
	switch {
	case counts[report.Failed]+counts[report.Timeout] > 0:
		return &exit{code: exitFailed}
	case counts[report.Error] > 0:
		return &exit{code: exitBench}
	case counts[report.Aborted] > 0:
		return &exit{code: exitFailed}
	}
	return nil
}
