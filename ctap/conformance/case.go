package conformance

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Case is one rule of a specification, and how to see whether an authenticator
// keeps it.
type Case struct {
	// ID is stable and unique: lower-case words with dashes, or names of the
	// specification, between dots. The first word is the group's name, as in
	// clientpin.changePIN.wrong-pin-counts.
	ID   string
	Rule Rule   // where it stands
	Why  string // what the rule is, in a line without a full stop

	Needs []Need // what the authenticator must have; otherwise the case is not applicable
	Start Start  // what state the case begins in

	// Hands is what is done to the authenticator besides requests, all that Run
	// plans. A touch when asked is planned from the beginning of every case that says
	// Touch.
	Hands Gesture
	// Destructive says that what is on the authenticator is not the same afterwards: a
	// PIN set or changed, PIN tries spent, discoverable credentials or blobs left
	// there, settings changed, everything reset.
	Destructive bool
	// Waits is how long the case sleeps; the time is real on a real authenticator.
	Waits time.Duration

	Run func(r *Run)
}

// userTime is how long an authenticator waits for its user.
const userTime = 30 * time.Second

// waits is how long the case waits in all.
func (c *Case) waits() time.Duration {
	if c.Hands&Ignore != 0 {
		return c.Waits + userTime
	}
	return c.Waits
}

// Group returns the name of the case's group.
func (c *Case) Group() string {
	group, _, _ := strings.Cut(c.ID, ".")
	return group
}

// Group is a part of the suite.
type Group struct {
	Name  string // the first word of its cases' ids
	Title string // for people
	Cases []Case
}

// Start is the state that a case begins in.
type Start string

// The states. After a case that leaves another, the runner goes back to the state
// that the next case needs.
const (
	Any     Start = ""         // as it is
	Blank   Start = "blank"    // just reset: no PIN, no credentials, factory settings
	WithPIN Start = "with PIN" // a PIN is set, Run.PIN, with all tries left; credentials may be there
	Usable  Start = "usable"   // as it is, but WithPIN where alwaysUv lets nothing be made before a PIN is set
)

// Document is a specification.
type Document string

// The documents that rules stand in.
const (
	CTAP     Document = "CTAP"
	U2F      Document = "U2F Raw Message Formats"
	WebAuthn Document = "WebAuthn"
	Metadata Document = "FIDO Metadata Statement"
)

// Edition is an edition of a document.
type Edition string

// The editions of CTAP, in order.
const (
	CTAP20 Edition = "2.0"
	CTAP21 Edition = "2.1"
	CTAP22 Edition = "2.2"
	CTAP23 Edition = "2.3"
)

var ctapEditions = []Edition{CTAP20, CTAP21, CTAP22, CTAP23}

// Rule says where a rule stands. Sections of CTAP are numbered as in CTAP 2.3.
type Rule struct {
	Document Document
	Section  string    // such as 6.5.5.6
	Editions []Edition // that have the rule
	wire     bool      // it is about the transport, and holds for U2F keys too
}

// String returns the place for people, such as "CTAP 2.3 section 6.5.5.6".
func (r Rule) String() string {
	if len(r.Editions) == 0 {
		return fmt.Sprintf("%s section %s", r.Document, r.Section)
	}
	return fmt.Sprintf("%s %s section %s", r.Document, r.Editions[len(r.Editions)-1], r.Section)
}

// Until returns the rule without the editions after last.
func (r Rule) Until(last Edition) Rule {
	for i, e := range r.Editions {
		if e == last {
			r.Editions = r.Editions[:i+1]
		}
	}
	return r
}

// Since20 is a rule of CTAP 2.0 that all later editions have.
func Since20(section string) Rule {
	return Rule{Document: CTAP, Section: section, Editions: ctapEditions}
}

// Since21 is a rule that came with CTAP 2.1. It applies to authenticators of
// FIDO_2_1 or later.
func Since21(section string) Rule {
	return Rule{Document: CTAP, Section: section, Editions: ctapEditions[1:]}
}

// Since22 is a rule that came with CTAP 2.2, which has no version string of its
// own: as Since21, and the case's Needs say which feature it is about.
func Since22(section string) Rule {
	return Rule{Document: CTAP, Section: section, Editions: ctapEditions[2:]}
}

// Since23 is a rule that came with CTAP 2.3: as [Since22].
func Since23(section string) Rule {
	return Rule{Document: CTAP, Section: section, Editions: ctapEditions[3:]}
}

// OnWire is a rule about CTAPHID, which holds for every authenticator.
func OnWire(section string) Rule {
	r := Since20(section)
	r.wire = true
	return r
}

// OfU2F is a rule of U2F Raw Message Formats 1.2. It applies to authenticators that
// speak U2F.
func OfU2F(section string) Rule {
	return Rule{Document: U2F, Section: section, Editions: []Edition{"1.2"}}
}

// OfWebAuthn is a rule of Web Authentication Level 3 that is about authenticators.
func OfWebAuthn(section string) Rule {
	return Rule{Document: WebAuthn, Section: section, Editions: []Edition{"3"}}
}

// OfMetadata is a rule of FIDO Metadata Statement 3.1.
func OfMetadata(section string) Rule {
	return Rule{Document: Metadata, Section: section, Editions: []Edition{"3.1"}}
}

var wellFormedID = regexp.MustCompile(`^[a-z0-9]+(\.[a-z0-9][A-Za-z0-9-]*)+$`)

// Check looks over the cases of a suite: an error names each that has no proper id,
// one that another has, or lacks section, editions, reason or Run.
func Check(groups []Group) error {
	var problems []string
	seen := map[string]bool{}
	for _, g := range groups {
		for i := range g.Cases {
			c := &g.Cases[i]
			if p := c.problem(g.Name); p != "" {
				problems = append(problems, c.ID+": "+p)
			}
			if seen[c.ID] {
				problems = append(problems, c.ID+": two cases have this id")
			}
			seen[c.ID] = true
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("conformance: %s", strings.Join(problems, "; "))
	}
	return nil
}

func (c *Case) problem(group string) string {
	switch {
	case !wellFormedID.MatchString(c.ID):
		return "an id is words between dots, as in clientpin.changePIN.wrong-pin-counts"
	case c.Group() != group:
		return "it stands in the group " + group
	case c.Rule.Document == "" || c.Rule.Section == "" || len(c.Rule.Editions) == 0:
		return "no document, section or edition"
	case c.Why == "" || strings.HasSuffix(c.Why, "."):
		return "a reason is a line without a full stop"
	case c.Run == nil:
		return "no Run"
	}
	return ""
}
