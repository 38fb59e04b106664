package conformance

import (
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// Each makes a case of every row of a table.
func Each[T any](rows []T, of func(row T) Case) []Case {
	cases := make([]Case, len(rows))
	for i, row := range rows {
		cases[i] = of(row)
	}
	return cases
}

// Join makes one list of cases of several.
func Join(lists ...[]Case) []Case { return slices.Concat(lists...) }

// One is a list of cases written out.
func One(cases ...Case) []Case { return cases }

// Type is a CBOR type, as wrong types are chosen by it.
type Type string

// The types of members.
const (
	Unsigned Type = "unsigned"
	Negative Type = "negative"
	ByteStr  Type = "bytes"
	TextStr  Type = "text"
	Array    Type = "array"
	Map      Type = "map"
	Bool     Type = "bool"
	Float    Type = "float"
	Null     Type = "null"
)

// samples is a value of each type.
var samples = []struct {
	of    Type
	value any
}{
	{Unsigned, 1}, {Negative, -1}, {ByteStr, []byte("wrong")}, {TextStr, "wrong"}, {Array, []any{}}, {Map, M{}},
	{Bool, true}, {Float, 1.5}, {Null, cbor.RawMessage{0xF6}},
}

// Parameter is a parameter of a command, for tables of what can be wrong with it.
type Parameter struct {
	Key      int
	Name     string // of the specification, such as clientDataHash
	Type     Type
	Required bool
}

// WrongTypes makes a case of every parameter with every type that is not its own:
// from the id x come x.clientDataHash.unsigned and so on. params makes parameters that
// nothing is wrong with. The answer must be CTAP2_ERR_CBOR_UNEXPECTED_TYPE.
func WrongTypes(c Case, command ctap.Command, parameters []Parameter, params func(r *Run) M) (cases []Case) {
	for _, p := range parameters {
		for _, s := range samples {
			if s.of == p.Type {
				continue
			}
			v := c
			v.ID = c.ID + "." + p.Name + "." + string(s.of)
			v.Why = p.Name + " is no " + string(s.of) + ": CTAP2_ERR_CBOR_UNEXPECTED_TYPE"
			v.Run = func(r *Run) {
				r.Doing("%s as %s", p.Name, s.of)
				r.Send(command, params(r).With(p.Key, s.value)).Tolerate(TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
			}
			cases = append(cases, v)
		}
	}
	return cases
}

// Missing makes a case of every required parameter without it: from the id x comes
// x.clientDataHash and so on. The answer must be CTAP2_ERR_MISSING_PARAMETER.
func Missing(c Case, command ctap.Command, parameters []Parameter, params func(r *Run) M) (cases []Case) {
	for _, p := range parameters {
		if !p.Required {
			continue
		}
		v := c
		v.ID = c.ID + "." + p.Name
		v.Why = p.Name + " is required: CTAP2_ERR_MISSING_PARAMETER"
		v.Run = func(r *Run) {
			r.Doing("without %s", p.Name)
			r.Send(command, params(r).Without(p.Key)).Tolerate(MissingAs02).Want(ctap.ErrMissingParameter)
		}
		cases = append(cases, v)
	}
	return cases
}
