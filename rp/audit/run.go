package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/rp"
)

// Options says how an audit goes about it. Rand and Now must be given.
type Options struct {
	Rand      io.Reader
	Now       func() time.Time
	Authority *attestation.Authority // attests to passkeys; a relying party that asks for attestation must trust it

	Prefix  string                                       // of the names of test users; "audit-" and eight digits when empty
	Only    []string                                     // ids, or what they begin with up to a dot; all when empty
	Timeout time.Duration                                // that a call may take, longer is a hang; 30 seconds when 0
	Pause   func(context.Context) error                  // before each call to the relying party; nothing when nil
	Done    func(Result)                                 // told of each result; may be nil
	Group   func(name string, attacks int)               // told of each group; may be nil
	Name    func(purpose string, n int) string           // user names; from Prefix, at example.com, when nil
	Single  bool                                         // there is one account only
	Account func(context.Context, rp.Person) (err error) // opens an account where people cannot sign up; nil where they can
}

// Report is what an audit found.
type Report struct {
	RelyingParty string        `json:"relyingParty"`
	Origin       string        `json:"origin"` // of the page whose ceremonies were attacked
	RPID         string        `json:"rpId"`
	Started      time.Time     `json:"started"`
	Took         time.Duration `json:"took"` // in nanoseconds
	Results      []Result      `json:"results"`
	Left         []string      `json:"left"`    // what the audit made and could not take back
	Deleted      int           `json:"deleted"` // passkeys that it took back at the end
}

// Count returns how many results have a verdict.
func (r *Report) Count(v Verdict) (n int) {
	for _, one := range r.Results {
		if one.Verdict == v {
			n++
		}
	}
	return n
}

// Findings returns what was accepted, the worst first, and then what is broken.
func (r *Report) Findings() (all []Result) {
	for _, s := range Severities() {
		for _, one := range r.Results {
			if one.Verdict == Accepted && one.Severity == s {
				all = append(all, one)
			}
		}
	}
	for _, one := range r.Results {
		if one.Verdict == Broken {
			all = append(all, one)
		}
	}
	return all
}

// ErrControl is in the error of an audit whose honest ceremonies do not work.
var ErrControl = errors.New("the honest ceremonies do not work")

// Run attacks a relying party. With an error that wraps ErrControl the report holds
// what was found until then.
func Run(ctx context.Context, name string, site rp.RelyingParty, o Options) (*Report, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	b := newBench(ctx, site, o)
	started := o.Now()
	report := &Report{RelyingParty: name, Started: started, Left: []string{}}
	err := b.all(report)
	report.Origin, report.RPID = b.origin, b.rpID
	report.Deleted, report.Left = b.clean()
	report.Took = o.Now().Sub(started)
	return report, err
}

// defaults fills in what was left out.
func (o *Options) defaults() error {
	if o.Prefix == "" {
		var b [4]byte
		if _, err := io.ReadFull(o.Rand, b[:]); err != nil {
			return fmt.Errorf("audit: random bytes: %w", err)
		}
		o.Prefix = "audit-" + hex.EncodeToString(b[:])
	}
	if o.Name == nil {
		o.Name = func(purpose string, n int) string { return fmt.Sprintf("%s-%s-%d@example.com", o.Prefix, purpose, n) }
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Authority == nil {
		var err error
		if o.Authority, err = attestation.NewAuthority("Audit Root", o.Rand, o.Now()); err != nil {
			return err
		}
	}
	return nil
}

// wants tells whether an attack is to be made.
func (o *Options) wants(a Attack) bool {
	if len(o.Only) == 0 {
		return true
	}
	for _, prefix := range o.Only {
		if a.ID == prefix || strings.HasPrefix(a.ID, strings.TrimSuffix(prefix, ".")+".") {
			return true
		}
	}
	return false
}

// Selected returns the attacks that are to be made, by group in their order.
func (o *Options) Selected() (groups [][]Attack) {
	for _, a := range Catalogue() {
		if !o.wants(a) {
			continue
		}
		if n := len(groups); n == 0 || groups[n-1][0].Group != a.Group {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], a)
	}
	return groups
}

// all makes the selected attacks, the honest ceremonies before each group.
func (b *bench) all(report *Report) error {
	for _, group := range b.options.Selected() {
		if b.options.Group != nil {
			b.options.Group(group[0].Group, len(group))
		}
		if err := b.control(); err != nil {
			return fmt.Errorf("%w before the attacks on %s: %w", ErrControl, group[0].Group, err)
		}
		for _, a := range group {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			r := b.attack(a)
			report.Results = append(report.Results, r)
			if b.options.Done != nil {
				b.options.Done(r)
			}
		}
	}
	return nil
}

// attack makes one attack.
func (b *bench) attack(a Attack) Result {
	f := a.run(b)
	if f.verdict == Accepted && a.Tolerated != "" {
		f.verdict = Tolerated
	}
	if f.verdict == Refused || f.verdict == NotApplicable {
		f.exchanges = nil
	}
	if f.severity != "" {
		a.Severity, a.Gains = f.severity, f.gains
	}
	return Result{Attack: a, Verdict: f.verdict, Why: f.why, Exchanges: f.exchanges}
}

func newBench(ctx context.Context, site rp.RelyingParty, o Options) *bench {
	return &bench{
		ctx: ctx, site: site, options: o, keys: softkeys.New(o.Rand, true), genuine: map[string]error{}, garbled: map[string]finding{},
		accounts: map[string]*account{}, lacks: map[string]bool{},
	}
}

// aaguid is the model that the audit's passkeys say they are.
func aaguid() ctap.AAGUID { return ctap.AAGUID{0xF1, 0xD0, 0xA0, 0xD1, 15: 1} }
