// Package conformance shows what a run of the conformance suite (package
// ctap/conformance) found: a page for people, which section of the specifications
// which cases stand for, and JUnit XML for build servers. The pages open from a file
// and load nothing.
package conformance
