package pages

import (
	"strings"

	"fido-emu/identity/person"
)

// shown says in words what stands before a camera.
func shown(l person.Liveness) string {
	switch l {
	case person.Live:
		return "in person"
	case person.Still:
		return "a picture that does not move"
	case person.Printed:
		return "a printed photo"
	case person.OnScreen:
		return "a photo on a screen"
	case person.Deepfake:
		return "a deepfake on a screen"
	case person.WrongTurn:
		return "in person, doing something else"
	case person.Stand:
		return "somebody else for the poses"
	}
	return string(l)
}

// asked says in words what a face is asked to do.
func asked(p person.Pose) string {
	switch p {
	case person.Front:
		return "look ahead"
	case person.TurnLeft:
		return "turn left"
	case person.TurnRight:
		return "turn right"
	case person.Blink:
		return "close your eyes"
	case person.OpenMouth:
		return "open your mouth"
	}
	return string(p)
}

// Condition says in words how a face is seen.
func Condition(c person.Condition) string {
	switch c {
	case person.Daylight:
		return "daylight"
	case person.Dim:
		return "too little light"
	case person.Glasses:
		return "with glasses, which are not on the photo"
	case person.OutFocus:
		return "through a smeared lens"
	}
	return string(c)
}

// Defect says in words what is wrong with a document.
func Defect(d person.Defect) string {
	switch d {
	case person.TamperedName:
		return "the name was changed"
	case person.TamperedBirth:
		return "the date of birth was changed"
	case person.SwappedPortrait:
		return "another photo was put over the first"
	case person.WrongCheckDigit:
		return "a check digit is wrong"
	case person.NoHologram:
		return "the hologram is missing"
	case person.NoChip:
		return "the chip is missing"
	case person.ForgedChip:
		return "the chip is signed by nobody's authority"
	case person.Stolen:
		return "reported stolen"
	case person.UnknownState:
		return "issued by a state that there is not"
	case person.Blurred:
		return "out of focus"
	case person.Glare:
		return "a lamp is reflected"
	case person.Cropped:
		return "a side is outside the picture"
	case person.Screenshot:
		return "photographed from a screen"
	case person.SomeoneElses:
		return "of another person, genuine"
	}
	return strings.ReplaceAll(string(d), "-", " ") // expired, photocopy
}
