package cbor

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// faulty is a command with a parameter that it cannot do without.
type faulty struct {
	subject
	key   int // of a parameter that is required
	wrong any // what it cannot be
}

// statuses is about what the statuses of a malformed request say: they tell a platform
// which mistake of its own it was.
func statuses() []conformance.Case {
	return conformance.Each([]faulty{
		{subjects[0], 1, 5}, {subjects[1], 2, 5}, {subjects[2], 2, "two"},
	}, faulty.asCase)
}

func (f faulty) asCase() conformance.Case {
	return conformance.Case{
		ID: "cbor.status." + f.name, Rule: conformance.Since20("8.2"),
		Why:   "malformed CBOR, a wrong type and a missing parameter have a status each",
		Needs: f.needs,
		Run:   f.run,
	}
}

func (f faulty) run(r *conformance.Run) {
	good := f.params(r)
	r.Doing("cut short")
	encoded := r.Encode(good)
	r.Send(f.command, encoded[:len(encoded)-1]).Tolerate(conformance.CBORAsOthers).Want(ctap.ErrInvalidCBOR)
	r.Doing("member %d of another type", f.key)
	r.Send(f.command, good.With(f.key, f.wrong)).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
	r.Doing("without member %d", f.key)
	r.Send(f.command, good.Without(f.key)).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
}
