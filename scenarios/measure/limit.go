package measure

import "fmt"

// Limit is what a quantity may be.
type Limit struct {
	Quantity Quantity
	Max      float64 // in the unit of the quantity; more is a failure
	Marginal float64 // more is worth looking at; 0 for four fifths of Max
}

// Verdict is how a reading stands to its limit.
type Verdict string

// The verdicts.
const (
	Unlimited Verdict = ""
	Within    Verdict = "within"
	Marginal  Verdict = "marginal"
	Exceeded  Verdict = "exceeded"
)

// margin is the part of Max above which a reading is marginal where a limit does not
// say so.
const margin = 0.8

// From returns from where on a reading is marginal.
func (l Limit) From() float64 {
	if l.Marginal > 0 {
		return l.Marginal
	}
	return margin * l.Max
}

// Judge holds a reading against the limits.
func Judge(limits []Limit, r Reading) (Limit, Verdict) {
	for _, l := range limits {
		switch {
		case l.Quantity != r.Quantity:
			continue
		case r.Value > l.Max:
			return l, Exceeded
		case r.Value > l.From():
			return l, Marginal
		}
		return l, Within
	}
	return Limit{}, Unlimited
}

// Excess says in words by what a reading exceeds its limit.
func (l Limit) Excess(device string, r Reading) string {
	return fmt.Sprintf("%s of %s is %s, and at most %s is allowed", r.Quantity, device, r.Quantity.Format(r.Value), r.Quantity.Format(l.Max))
}
