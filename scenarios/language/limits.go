package language

import (
	"fmt"
	"time"

	"fido-emu/scenarios/measure"
)

// about says what each quantity is, for people.
var about = map[measure.Quantity]string{
	measure.TouchToResponse: "From a touch to the answer to the request that asked for it.",
	measure.FirstKeepalive:  "From a request to its first keepalive.",
	measure.Signature:       "How long the device works on a registration or a sign-in, without the time that it waits for its user.",
	measure.Enumeration:     "From giving the device power to its first answer.",
	measure.Retries:         "How many touches a request takes beyond the first.",
}

// limitMembers lists what may be limited.
func limitMembers() []Member {
	var members []Member
	for _, q := range measure.Quantities() {
		kind := Duration
		if q.Counted() {
			kind = Number
		}
		members = append(members, Member{Name: string(q), Kind: Mapping, Text: about[q], Members: []Member{
			{Name: "max", Kind: kind, Required: true, Text: "More than this fails the step."},
			{Name: "marginal", Kind: kind, Default: "four fifths of max", Text: "More than this is marked in the report."},
		}})
	}
	return members
}

// limits reads what the quantities of a scenario may be.
func limits(v *Value) (all []measure.Limit) {
	if v == nil {
		return nil
	}
	for _, q := range measure.Quantities() {
		if f := v.Field(string(q)); f != nil {
			all = append(all, measure.Limit{Quantity: q, Max: quantity(f, q, "max"), Marginal: quantity(f, q, "marginal")})
		}
	}
	return all
}

// quantity returns a member in the unit of a quantity; it was checked when the file was
// loaded.
func quantity(v *Value, q measure.Quantity, name string) float64 {
	if q.Counted() {
		return float64(number(v.Field(name)))
	}
	return float64(duration(v.Field(name))) / float64(time.Millisecond)
}

// checkLimits finds limits that contradict themselves.
func (c *checker) checkLimits(v *Value) {
	if v == nil {
		return
	}
	for _, l := range limits(v) {
		if l.Marginal > l.Max {
			at := v.Field(string(l.Quantity)).At
			c.report(Problem{At: at, Found: fmt.Sprintf("%s: marginal is more than max", l.Quantity)})
		}
	}
}
