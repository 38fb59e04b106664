package reference

import (
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
)

// rule is a policy or a passkey profile made ready for use. It is never changed.
type rule struct {
	title            string // for people, such as "the default policy"
	source           rp.Policy
	allowed, blocked map[ctap.AAGUID]bool
	allowsListed     bool // only what is in allowed, even when that is nothing
	algorithms       []cose.Algorithm
}

const defaultPolicy = "the default policy"

// noPasskeys is the rule of people for whom passkeys are switched off.
var noPasskeys = &rule{source: rp.Policy{UserVerification: "preferred"}}

// facts are what a policy looks at.
type facts struct {
	registering    bool
	backupEligible bool
	userVerified   bool
	trusted        bool   // attested by a trusted authority
	flawed         string // what metadata reports against the model; empty for nothing
	rewound        bool   // the signature counter did not go up
	aaguid         ctap.AAGUID
	algorithm      cose.Algorithm
}

// GroupPolicy is the policy of a group; the default has no group.
type GroupPolicy struct {
	Group  string    `json:"group"`
	Policy rp.Policy `json:"policy"`
}

// SetPolicy sets the policy of a group, or, without a group, that of everybody who
// is in no group with a policy or a passkey profile. It holds from the next ceremony
// on, also for passkeys that were registered before. The group is no target of passkey
// profiles any more.
func (c *Core) SetPolicy(group string, policy rp.Policy) error {
	if group != "" {
		if err := checkText("group", group, 64); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	otherwise, own, profiles := c.book.otherwise, slices.Clone(c.book.own), cloneProfiles(c.book.profiles)
	at := slices.IndexFunc(own, func(g GroupPolicy) bool { return g.Group == group })
	switch {
	case group == "":
		otherwise, profiles.Default = policy, ""
	case at >= 0:
		own[at].Policy = policy
	default:
		own = append(own, GroupPolicy{group, policy})
		profiles.Targets = slices.DeleteFunc(profiles.Targets, func(t rp.ProfileTarget) bool { return t.Group == group })
	}
	next, err := newBook(otherwise, own, profiles)
	if err != nil {
		return err
	}
	c.book = next
	c.changed(inSettings, settingPolicies)
	c.note(Event{Action: "set-policy", Outcome: Done, Detail: group})
	return nil
}

// Policies returns the default policy, unless a profile is the default, and then those
// that groups have of their own, in the order in which they were first set.
func (c *Core) Policies() []GroupPolicy {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := []GroupPolicy{}
	if c.book.profiles.Default == "" {
		all = append(all, GroupPolicy{Policy: c.book.otherwise})
	}
	return append(all, c.book.own...)
}

// rules returns the rules of somebody in these groups, of which one must be met; the
// caller holds the lock.
func (c *Core) rules(groups []string) []*rule { return c.book.of(groups) }

// allRules returns every rule, for a ceremony whose person is not known yet; the
// caller holds the lock.
func (c *Core) allRules() []*rule { return c.book.all }

func newRule(title string, p rp.Policy) (*rule, error) {
	for _, t := range p.Types {
		if t != rp.DeviceBound && t != rp.Synced {
			return nil, refuse(BadPolicy, "passkey type %q: want %s or %s", t, rp.DeviceBound, rp.Synced)
		}
	}
	if !slices.Contains([]string{"", "required", "preferred", "discouraged"}, p.UserVerification) {
		return nil, refuse(BadPolicy, "user verification %q: want required, preferred or discouraged", p.UserVerification)
	}
	fallback(&p.UserVerification, "preferred")
	allowed, err := aaguidSet(p.AllowedAAGUIDs)
	if err != nil {
		return nil, err
	}
	blocked, err := aaguidSet(p.BlockedAAGUIDs)
	if err != nil {
		return nil, err
	}
	algorithms, err := parseAlgorithms(p.Algorithms)
	if err != nil {
		return nil, err
	}
	return &rule{
		title: title, source: p, allowed: allowed, allowsListed: len(allowed) > 0, blocked: blocked, algorithms: algorithms,
	}, nil
}

func parseAlgorithms(names []string) ([]cose.Algorithm, error) {
	var all []cose.Algorithm
	for _, name := range names {
		alg, err := cose.ParseAlgorithm(name)
		if err != nil {
			return nil, refuse(BadPolicy, "%v", err)
		}
		all = append(all, alg)
	}
	return all, nil
}

func aaguidSet(list []string) (map[ctap.AAGUID]bool, error) {
	set := map[ctap.AAGUID]bool{}
	for _, s := range list {
		a, err := ctap.ParseAAGUID(s)
		if err != nil {
			return nil, refuse(BadPolicy, "%v", err)
		}
		set[a] = true
	}
	return set, nil
}

// judge returns nil when one of the rules is met, and the first one's refusal when
// none is.
func judge(rules []*rule, f facts) error {
	if no := unmet(rules, f); no != nil {
		return no
	}
	return nil
}

// unmet is what judge returns, nil for none.
func unmet(rules []*rule, f facts) (first *rp.Refused) {
	for _, r := range rules {
		no := r.refuses(f)
		if no == nil {
			return nil
		}
		if first == nil {
			first = no
		}
	}
	return first
}

func (r *rule) refuses(f facts) *rp.Refused {
	p, kind := r.source, passkeyType(f.backupEligible)
	switch {
	case r == noPasskeys:
		return refuse(MethodDisabled, "passkeys are switched off for this person")
	case p.UserVerification == "required" && !f.userVerified:
		return refuse(UserVerificationRequired, "%s asks for user verification", r)
	case len(p.Types) > 0 && !slices.Contains(p.Types, kind):
		return refuse(TypeNotAllowed, "%s does not allow %s passkeys", r, kind)
	case r.blocked[f.aaguid]:
		return refuse(AAGUIDBlocked, "%s blocks authenticators of AAGUID %s", r, f.aaguid)
	case r.allowsListed && !r.allowed[f.aaguid]:
		return refuse(AAGUIDNotAllowed, "%s does not list authenticators of AAGUID %s", r, f.aaguid)
	case len(r.algorithms) > 0 && !slices.Contains(r.algorithms, f.algorithm):
		return refuse(AlgorithmNotAllowed, "%s does not allow passkeys of algorithm %s", r, f.algorithm)
	case f.registering && p.RequireAttestation && f.flawed != "":
		return refuse(ModelFlawed, "%s asks for attestation, and metadata reports of AAGUID %s: %s", r, f.aaguid, f.flawed)
	case f.registering && p.RequireAttestation && !f.trusted:
		return refuse(AttestationRequired, "%s asks for attestation by a trusted authority", r)
	case p.RejectCounterRewind && f.rewound:
		return refuse(CounterRewind, "the signature counter did not go up: the authenticator may have been cloned, and %s rejects that", r)
	}
	return nil
}

// String names the rule for people.
func (r *rule) String() string { return r.title }

// verification is the level to ask for: one that can meet at least one rule, and
// every rule where they agree.
func verification(rules []*rule) protocol.UserVerificationRequirement {
	level := rules[0].source.UserVerification
	for _, r := range rules[1:] {
		if r.source.UserVerification != level {
			return protocol.VerificationPreferred
		}
	}
	return protocol.UserVerificationRequirement(level)
}

// offered lists the algorithms to ask for: those of the rules, in their order, and
// the standard ones for a rule that names none.
func offered(rules []*rule) []protocol.CredentialParameter {
	var list []protocol.CredentialParameter
	for _, r := range rules {
		algorithms := r.algorithms
		if len(algorithms) == 0 {
			algorithms = []cose.Algorithm{cose.ES256, cose.EdDSA, cose.ES384, cose.RS256}
		}
		for _, alg := range algorithms {
			p := protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.COSEAlgorithmIdentifier(alg)}
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// conveyance is direct when some rule wants attestation.
func conveyance(rules []*rule) protocol.ConveyancePreference {
	if slices.ContainsFunc(rules, func(r *rule) bool { return r.source.RequireAttestation }) {
		return protocol.PreferDirectAttestation
	}
	return protocol.PreferNoAttestation
}

// passkeyType tells the type from BE (WebAuthn Level 3, section 6.1.3).
func passkeyType(backupEligible bool) string {
	if backupEligible {
		return rp.Synced
	}
	return rp.DeviceBound
}
