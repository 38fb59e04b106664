// Package getassertion holds the conformance cases about authenticatorGetAssertion
// (section 6.2) and authenticatorGetNextAssertion (section 6.3): which credentials
// answer, to whom, and what they sign.
package getassertion

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group getassertion.
func Group() conformance.Group {
	return conformance.Group{Name: "getassertion", Title: "authenticatorGetAssertion and GetNextAssertion", Cases: conformance.Join(
		parameters(), malformed(), options(), alwaysUV(), probes(), tokens(), spending(), builtIn(),
		allowLists(), passedOver(), discoverable(), presence(), silence(),
		next(), ends(), channels(), users(), flags(), signatures(), counters(), extensions(),
	)}
}

type (
	run = conformance.Run
	m   = conformance.M
	s   = conformance.S
)

// once is a case that any state will do for and that leaves nothing behind. The user
// touches when asked.
func once(id, section, why string, do func(r *run)) conformance.Case {
	return conformance.Case{
		ID: "getassertion." + id, Rule: conformance.Since20(section), Why: why,
		Start: conformance.Usable, Hands: conformance.Touch, Run: do,
	}
}

// since21 is once for what came with CTAP 2.1.
func since21(id, section, why string, do func(r *run)) conformance.Case {
	c := once(id, section, why, do)
	c.Rule = conformance.Since21(section)
	return c
}

// stored is once with discoverable credentials.
func stored(id, section, why string, do func(r *run)) conformance.Case {
	return conformance.Leaving(conformance.Needing(once(id, section, why, do), conformance.Option("rk")))
}

// attempt sends a request that is authorised as the authenticator needs it.
func attempt(r *run, params m) *conformance.Reply {
	return r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, params))
}

// silent is parameters that ask for no touch.
func silent(params m) m { return params.With(5, s{"up": false}) }
