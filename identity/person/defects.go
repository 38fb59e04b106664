package person

// Defect is one thing that is wrong with a document or with the picture of it.
// Package document draws them.
type Defect string

// The defects of documents.
const (
	TamperedName    Defect = "tampered-name"     // the name was changed after issue, in print and zone
	TamperedBirth   Defect = "tampered-birth"    // the date of birth was changed, in print and zone
	SwappedPortrait Defect = "swapped-portrait"  // another photo was put over the first
	WrongCheckDigit Defect = "wrong-check-digit" // the zone's check digit of the number is off by one
	NoHologram      Defect = "no-hologram"       // the overlay is missing
	NoChip          Defect = "no-chip"           // the security object is missing
	ForgedChip      Defect = "forged-chip"       // the security object fits what is printed, under a key that is not the state's
	Expired         Defect = "expired"           // the last day was twenty years before the one in the file
	Stolen          Defect = "stolen"            // the number is on the list of stolen and lost documents
	UnknownState    Defect = "unknown-state"     // issued by a state that there is not
	Blurred         Defect = "blurred"           // out of focus
	Glare           Defect = "glare"             // a lamp is reflected
	Cropped         Defect = "cropped"           // a side is outside the picture
	Photocopy       Defect = "photocopy"         // grey
	Screenshot      Defect = "screen"            // photographed from a screen: moiré
	SomeoneElses    Defect = "someone-elses"     // genuine, of another person; the selfie tells
)

// Defects returns every defect.
func Defects() []Defect {
	return []Defect{TamperedName, TamperedBirth, SwappedPortrait, WrongCheckDigit, NoHologram,
		NoChip, ForgedChip, Expired, Stolen, UnknownState,
		Blurred, Glare, Cropped, Photocopy, Screenshot, SomeoneElses}
}

// Condition is how a face is seen by a camera.
type Condition string

// The conditions.
const (
	Daylight Condition = "daylight"
	Dim      Condition = "dim"     // too little light
	Glasses  Condition = "glasses" // worn now, not on the photo
	OutFocus Condition = "blurred" // the camera's lens is smeared
)

// Conditions returns every condition.
func Conditions() []Condition { return []Condition{Daylight, Dim, Glasses, OutFocus} }

// Pose is what a face does.
type Pose string

// The poses. A challenge asks for some of them but for Front, with which every capture begins.
const (
	Front     Pose = "front"
	TurnLeft  Pose = "turn-left"
	TurnRight Pose = "turn-right"
	Blink     Pose = "blink"
	OpenMouth Pose = "open-mouth"
)

// Poses returns every pose, Front first.
func Poses() []Pose { return []Pose{Front, TurnLeft, TurnRight, Blink, OpenMouth} }

// Liveness is what somebody holds before the camera.
type Liveness string

// What may be before the camera.
const (
	Live      Liveness = "live"       // a face that does what is asked
	Still     Liveness = "still"      // one picture, whatever is asked
	Printed   Liveness = "printed"    // a photo on paper
	OnScreen  Liveness = "screen"     // a photo on a screen, which does not turn
	Deepfake  Liveness = "deepfake"   // a screen that does what is asked
	WrongTurn Liveness = "wrong-turn" // a face that does not what is asked
	Stand     Liveness = "stand-in"   // the person for the selfie, and somebody else for the poses
)

// Livenesses returns everything that may be before the camera.
func Livenesses() []Liveness {
	return []Liveness{Live, Still, Printed, OnScreen, Deepfake, WrongTurn, Stand}
}
