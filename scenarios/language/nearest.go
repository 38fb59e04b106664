package language

import "fido-emu/rp/web/grammar"

// Nearest returns the candidate that was probably meant by word, or "".
func Nearest(word string, candidates []string) string { return grammar.Nearest(word, candidates) }
