package keychain

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

//go:embed providers/*.yaml
var builtin embed.FS

// order is how the built-in providers are listed.
func order() []string {
	return []string{"reference", "apple", "google", "1password", "careless", "cautious"}
}

// Providers returns the built-in providers. The reference provider does all that
// can be done and shows when a credential is really backed up; careless and cautious
// are invented. The others are like the providers of their names where those are
// public, and simpler.
func Providers() []Provider {
	var all []Provider
	for _, name := range order() {
		if p, err := LookupProvider(name); err == nil { // a test loads them all
			all = append(all, p)
		}
	}
	return all
}

// LookupProvider returns a built-in provider by its name.
func LookupProvider(name string) (Provider, error) {
	if !slices.Contains(order(), name) {
		return Provider{}, fmt.Errorf("sync provider %q is not known; there are %s", name, strings.Join(order(), ", "))
	}
	file := "providers/" + name + ".yaml"
	b, err := builtin.ReadFile(file)
	if err != nil {
		return Provider{}, err
	}
	return ParseProvider(file, b)
}

// FindProvider returns the provider of a file, if name ends in .yaml or .yml, or the
// built-in one of this name.
func FindProvider(name string) (Provider, error) {
	if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
		return LookupProvider(name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return Provider{}, fmt.Errorf("a sync provider cannot be read: %w", err)
	}
	return ParseProvider(name, b)
}

// unknownMember is how the library says that a member is not known.
var unknownMember = regexp.MustCompile(`field (\S+) not found in type \S+`)

// ParseProvider reads a provider from YAML. file is its name, for errors, which say
// the line. Members that are not known are an error, and so are rules that contradict
// each other.
func ParseProvider(file string, b []byte) (Provider, error) {
	var p Provider
	if len(bytes.TrimSpace(b)) == 0 {
		return p, fmt.Errorf("%s: empty; a provider has at least a name", file)
	}
	if err := yaml.Load(b, &p, yaml.WithKnownFields()); err != nil {
		return Provider{}, fmt.Errorf("%s: %s", file, unknownMember.ReplaceAllString(err.Error(), `a provider has no member "$1"`))
	}
	p.fill()
	lines := map[string]int{}
	var root yaml.Node
	if err := yaml.Load(b, &root); err == nil && len(root.Content) > 0 {
		for i := 0; i+1 < len(root.Content[0].Content); i += 2 {
			key := root.Content[0].Content[i]
			lines[key.Value] = key.Line
		}
	}
	c := checker{file: file, lines: lines}
	c.provider(&p)
	if len(c.errs) > 0 {
		return Provider{}, errors.Join(c.errs...)
	}
	return p, nil
}

// fill gives what is left out its ordinary value.
func (p *Provider) fill() {
	fill(&p.AAGUIDShown, ShowsProvider)
	fill(&p.BackedUp, AtOnce)
	fill(&p.SignCount, CountsZero)
	fill(&p.Conflicts, NewestWins)
	fill(&p.Deletion.Signal, SignalIgnored)
	fill(&p.Removed, RemovedKeeps)
	if p.Allows(ByEscrow) {
		fill(&p.Escrow.Secret, Passcode)
		fill(&p.Escrow.AtEnd, Destroyed)
	}
}

func fill[T ~string](value *T, ordinary T) {
	if *value == "" {
		*value = ordinary
	}
}

// checker collects what is wrong with a provider, with the line of the member.
type checker struct {
	file  string
	lines map[string]int
	errs  []error
}

func (c *checker) want(ok bool, member, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf("%s:%d: %s: %s", c.file, max(c.lines[member], 1), member, fmt.Sprintf(format, args...)))
	}
}

func (c *checker) provider(p *Provider) {
	c.want(p.Name != "" && !strings.ContainsAny(p.Name, " /\t\n"), "name", "give it one word")
	c.want(len(p.Join) > 0, "join", "without a way to join an account stays with its first device; there are %v", JoinWays())
	for _, way := range p.Join {
		c.oneOf("join", way, JoinWays())
	}
	for _, kind := range p.Notify {
		oneOf(c, "notify", kind, Kinds()...)
	}
	oneOf(c, "aaguidShown", p.AAGUIDShown, ShowsProvider, ShowsZero)
	oneOf(c, "backedUp", p.BackedUp, AtOnce, AfterUpload, AfterSecondDevice)
	oneOf(c, "signCount", p.SignCount, CountsZero, CountsPerDevice)
	oneOf(c, "conflicts", p.Conflicts, NewestWins, ShadowList, ServerRevision)
	oneOf(c, "deletion", p.Deletion.Signal, SignalHides, SignalDeletes, SignalIgnored)
	oneOf(c, "removed", p.Removed, RemovedKeeps, RemovedWiped)
	c.want(p.Deletion.KeepDays <= 3650, "deletion", "keepDays is at most 3650")
	c.want(p.Limits.Devices != 1, "limits", "an account with one device syncs with nobody; devices is at least 2")
	c.escrow(p)
}

func (c *checker) oneOf(member string, way JoinWay, ways []JoinWay) { oneOf(c, member, way, ways...) }

func oneOf[T ~string](c *checker, member string, value T, allowed ...T) {
	c.want(slices.Contains(allowed, value), member, "%q is not known; there are %v", value, allowed)
}

func (c *checker) escrow(p *Provider) {
	e := p.Escrow
	if !p.Allows(ByEscrow) {
		c.want(e.Secret == "" && e.Tries == 0 && e.AtEnd == "" && e.Digits == 0 && len(e.LockMinutes) == 0, "escrow", "devices do not join by escrow; add it to join, or leave this out")
		return
	}
	oneOf(c, "escrow", e.Secret, Passcode, PIN)
	oneOf(c, "escrow", e.AtEnd, Destroyed, Locked, Never)
	c.want((e.AtEnd == Never) == (e.Tries == 0), "escrow", "tries is how many wrong ones there may be; it is left out with atEnd: never and needed otherwise")
	c.want((e.AtEnd == Locked) == (len(e.LockMinutes) > 0), "escrow", "lockMinutes goes with atEnd: locked")
	c.want((e.Secret == PIN) == (e.Digits > 0) && e.Digits <= 16, "escrow", "digits, at most 16, goes with secret: pin")
	for i, m := range e.LockMinutes {
		c.want(m > 0 && m <= 527040 && (i == 0 || m >= e.LockMinutes[i-1]), "escrow", "lockMinutes are 1 to 527040 each, and do not shrink")
	}
}
