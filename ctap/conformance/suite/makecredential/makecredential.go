// Package makecredential holds the conformance cases about authenticatorMakeCredential
// (section 6.1): what a request must have, who authorises it, what is made, stored and
// attested.
package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group makecredential.
func Group() conformance.Group {
	return conformance.Group{Name: "makecredential", Title: "authenticatorMakeCredential", Cases: conformance.Join(
		parameters(), entities(), lists(), algorithms(), options(), required(),
		probes(), tokens(), spending(), builtIn(),
		excludeLists(), presence(), storing(), names(),
		authData(), keys(), attestations(), enterprise(), extensions(),
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
		ID: "makecredential." + id, Rule: conformance.Since20(section), Why: why,
		Start: conformance.Usable, Hands: conformance.Touch, Run: do,
	}
}

// since21 is once for what came with CTAP 2.1.
func since21(id, section, why string, do func(r *run)) conformance.Case {
	c := once(id, section, why, do)
	c.Rule = conformance.Since21(section)
	return c
}

// attempt sends a request that is authorised as the authenticator needs it.
func attempt(r *run, params m) *conformance.Reply {
	return r.Send(ctap.MakeCredential, r.Authorise(ctap.MakeCredential, params))
}
