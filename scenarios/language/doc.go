// Package language reads scenario files: YAML in which a person describes who
// takes part, with which devices, and what happens, step by step.
//
// The language is a table. [Document] lists what a file may hold, and every step
// brings a [Usage] that lists what may follow its verb; checking, the help texts
// and the JSON Schema for editors are all drawn from these tables, so that they
// cannot disagree.
//
// [Load] is strict. It reports everything that is wrong with a file at once, each
// as a [Problem] with file, line and column, what was found, what is allowed, and
// the nearest allowed word where there is one.
package language
