// Package scenarios runs scenarios: files in which a person describes the life of
// a passkey, step by step, with what should come of each step.
//
// The rooms beneath are the language (what may be written), the world (what a
// scenario happens in) and the steps (what happens). This package loads files and
// the built-in library, selects, and runs what was selected as a Ginkgo suite
// built at run time, telling everything to a stream of events from which all
// reports are drawn.
package scenarios
