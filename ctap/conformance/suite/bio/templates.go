package bio

import (
	"strings"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// listing is about enumerateEnrollments.
func listing() []conformance.Case {
	return conformance.Join(
		both("list.members", "6.7.6", "enumerateEnrollments answers a list of templates with ids, without a touch", func(e *enroller) {
			e.enroll()
			p := e.do(ctap.EnumerateEnrollments, nil).OK().Untouched().Canonical().Only(7)
			seen := map[string]bool{}
			for _, t := range read(p).Templates {
				e.Require(len(t.ID) > 0, "a template has no id")
				e.Require(!seen[string(t.ID)], "the template %x is listed twice", []byte(t.ID))
				seen[string(t.ID)] = true
			}
			e.Require(len(seen) > 0, "a finger is enrolled, and none is listed")
		}),
		both("list.nothing", "6.7.6", "where no finger is enrolled, enumerateEnrollments is CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			e.removeAll()
			e.do(ctap.EnumerateEnrollments, nil).Want(ctap.ErrInvalidOption)
		}),
		with(conformance.Replug, both("list.power-cycle", "6.7.6", "fingers last over a power cycle", func(e *enroller) {
			id := e.enroll()
			e.PowerCycle()
			e.token = nil
			e.Require(e.finger(id) != nil, "the finger is not listed any more")
		})),
		with(conformance.Replug|conformance.LongTouch, only("list.reset", "6.6", "a reset removes all fingers, and user verification with them", func(e *enroller) {
			pin := e.PIN()
			e.enroll()
			e.PowerCycle()
			if long := e.Info().LongTouchForReset; long != nil && *long {
				e.Plan(conformance.LongTouch)
			}
			e.Send(ctap.Reset, nil).OK()
			e.Require(!e.made() && !e.option("uv"), "after a reset bioEnroll or uv is true")
			e.Plan(conformance.Touch)
			e.SetPIN(pin)
			e.token = nil
			e.do(ctap.EnumerateEnrollments, nil).Want(ctap.ErrInvalidOption)
		})),
	)
}

// longestName is maxTemplateFriendlyName.
func (e *enroller) longestName() int {
	return int(e.send(e.unsigned(ctap.GetFingerprintSensorInfo, nil)).OK().Uint(8))
}

// renaming is about setFriendlyName.
func renaming() []conformance.Case {
	named := func(e *enroller, id []byte, name string) {
		f := e.finger(id)
		e.Require(f != nil, "the finger is not listed")
		conformance.Equal(e.Run, "templateFriendlyName", f.FriendlyName, name)
	}
	return conformance.Join(
		both("rename.new", "6.7.7", "setFriendlyName gives a finger a name, and another", func(e *enroller) {
			id := e.enroll()
			e.rename(id, "left thumb").OK().Untouched().Empty()
			named(e, id, "left thumb")
			e.rename(id, "right thumb").OK()
			named(e, id, "right thumb")
		}),
		both("rename.others", "6.7.7", "setFriendlyName leaves the names of other fingers alone", func(e *enroller) {
			e.removeAll()
			one, two := e.enroll(), e.enroll()
			e.rename(one, "one").OK()
			e.rename(two, "two").OK()
			named(e, one, "one")
		}),
		only("rename.longest", "6.7.7", "a name of maxTemplateFriendlyName bytes is taken whole", func(e *enroller) {
			id, name := e.enroll(), strings.Repeat("n", e.longestName())
			e.rename(id, name).OK()
			named(e, id, name)
		}),
		only("rename.too-long", "6.7.7", "a longer name is CTAP1_ERR_INVALID_LENGTH, and the old one stays", func(e *enroller) {
			id := e.enroll()
			e.rename(id, "short").OK()
			e.rename(id, strings.Repeat("n", e.longestName()+1)).Want(ctap.ErrInvalidLength)
			named(e, id, "short")
		}),
		only("rename.bytes", "6.7.7", "names are counted in bytes of UTF-8, not in characters", func(e *enroller) {
			id := e.enroll()
			e.rename(id, strings.Repeat("é", e.longestName()/2)).OK()
			e.rename(id, strings.Repeat("é", e.longestName()/2+1)).Want(ctap.ErrInvalidLength)
		}),
		both("rename.unknown", "6.7.7", "a finger that is not there is CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			e.enroll()
			e.rename(unknown(), "nobody").Want(ctap.ErrInvalidOption)
		}),
		with(conformance.Replug, both("rename.power-cycle", "6.7.7", "a name lasts over a power cycle", func(e *enroller) {
			id := e.enroll()
			e.rename(id, "left thumb").OK()
			e.PowerCycle()
			e.token = nil
			named(e, id, "left thumb")
		})),
	)
}

// removal is about removeEnrollment.
func removal() []conformance.Case {
	return conformance.Join(
		both("remove.gone", "6.7.8", "a finger that was removed is not listed any more", func(e *enroller) {
			id := e.enroll()
			e.remove(id).OK().Untouched().Empty()
			e.Require(e.finger(id) == nil, "the finger is still listed")
		}),
		both("remove.others", "6.7.8", "other fingers stay", func(e *enroller) {
			e.removeAll()
			one, two := e.enroll(), e.enroll()
			e.remove(one).OK()
			e.Require(e.finger(two) != nil, "another finger is gone too")
		}),
		both("remove.unknown", "6.7.8", "a finger that is not there is CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			e.enroll()
			e.remove(unknown()).Want(ctap.ErrInvalidOption)
		}),
		both("remove.twice", "6.7.8", "a finger cannot be removed twice: CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			id := e.enroll()
			e.remove(id).OK()
			e.remove(id).Want(ctap.ErrInvalidOption)
		}),
		with(conformance.Replug, both("remove.power-cycle", "6.7.8", "a finger stays removed over a power cycle", func(e *enroller) {
			id := e.enroll()
			e.remove(id).OK()
			e.PowerCycle()
			e.token = nil
			e.Require(e.finger(id) == nil, "the finger is listed again")
		})),
		both("remove.not-last", "6.7.8", "user verification stays configured while a finger is left", func(e *enroller) {
			e.enroll()
			e.remove(e.enroll()).OK()
			e.Require(e.made() && e.option("uv"), "a finger is left, and the options say that none is")
		}),
		both("remove.last", "6.7.8", "without a finger user verification is not configured any more: bioEnroll and uv are false", func(e *enroller) {
			e.enroll()
			e.removeAll()
			e.Require(!e.made(), "the option %s is still true", e.variant.option)
			e.Require(!e.option("uv"), "the option uv is still true")
		}),
	)
}
