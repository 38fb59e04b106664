// Package steps holds the steps of the scenario language, one file a group. Each
// is an entry of the table in [All]: how it is written and explained, and what it
// does in a world.
package steps

import (
	"context"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// Step is one verb of the language.
type Step struct {
	language.Usage
	// Run does it. A refusal by somebody who works is an error that
	// [world.AsRefusal] knows; a claim that does not hold is an [Unmet]; what this
	// run cannot do is a [world.Missing]. Any other error is a fault of the bench.
	Run func(ctx context.Context, w *world.World, c language.Call) error
}

// Unmet is a claim about the world that does not hold.
type Unmet struct {
	Claim  string // such as: backed-up of ${first} should be yes
	Found  string // what is the case
	Device string // the device concerned; may be empty
	Hint   string
}

// Error says what was claimed and what was found.
func (u *Unmet) Error() string { return u.Claim + ", but " + u.Found }

// Usages returns the usages of a table of steps.
func Usages(table []Step) []language.Usage {
	all := make([]language.Usage, len(table))
	for i := range table {
		all[i] = table[i].Usage
	}
	return all
}
