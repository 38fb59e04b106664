// Package web drives relying parties that a page of YAML describes, over HTTP and
// without code.
//
// A description names the addresses of a site and tells, step by step, how a person
// registers a passkey and signs in there; other sections (listing, recovery,
// administration ...) may be left out. [Load] reads one strictly, with
// [grammar.Problems] that name file, line, column and member; [Description.Open]
// returns a relying party that has exactly the optional interfaces of package rp for
// which the description has sections. Document is the table of the language;
// docs/relying-parties.md teaches it.
//
// # Outcomes
//
// A step is accepted, refused or broken. It is refused ([rp.Refused]) when the answer
// is what the description calls a no; accepted when it is all that the step expects;
// and broken ([rp.Broken]) otherwise. A registration and a sign-in are successes only
// when a follow-up call shows it: a site that accepts and then knows nothing of it is
// broken.
//
// # Bounds
//
// No request goes to a host that the description does not name, redirects included,
// and no proxy is used. Bodies, time, redirects, repetitions and steps are limited.
package web
