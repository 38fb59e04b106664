// Package grammar reads YAML files strictly, by tables that list what a file may
// hold. Checking, the errors and the JSON Schema for editors are drawn from the same
// tables, so that they cannot disagree.
//
// [Parse] makes a tree of [Value], each with its place. [Check] compares it with a
// table of [Member] and returns everything that is wrong at once, each [Problem] with
// file, line, column, what was found, what is allowed, and the nearest allowed word.
package grammar
