package language

import "fido-emu/grammar"

// What a scenario file is made of, and what can be wrong with it.
type (
	Value    = grammar.Value
	Field    = grammar.Field
	Problem  = grammar.Problem
	Problems = grammar.Problems
)
