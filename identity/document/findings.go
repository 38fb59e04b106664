package document

import "fido-emu/identity/person"

// Code names a finding.
type Code string

// The codes. Those of the picture ask for another one; the others speak against the document.
const (
	Unreadable       Code = "image_unreadable"        // no PNG of a sensible size
	Cropped          Code = "image_cropped"           // of no document's shape, or without all corners
	Blurred          Code = "image_blurred"           //
	Glare            Code = "image_glare"             //
	Screen           Code = "screen_capture"          // photographed from a screen
	Photocopy        Code = "photocopy"               // without colours
	ChipMissing      Code = "chip_missing"            // nothing was read from a chip
	ChipForged       Code = "chip_forged"             // signature or digests do not hold
	IssuerUnknown    Code = "issuer_unknown"          // a state whose key is not known
	ZoneUnreadable   Code = "mrz_unreadable"          //
	ZoneCheckDigit   Code = "mrz_check_digit"         //
	ZoneDiffers      Code = "mrz_differs_from_chip"   //
	DataAltered      Code = "print_altered"           // a field is not printed as the chip's data have it
	PortraitAltered  Code = "portrait_altered"        // the portrait is not the chip's
	HologramMissing  Code = "hologram_missing"        //
	DocumentExpired  Code = "document_expired"        //
	DocumentTooEarly Code = "document_not_yet_issued" //
	DocumentStolen   Code = "document_reported_stolen"
)

// Codes returns every code.
func Codes() []Code {
	return []Code{Unreadable, Cropped, Blurred, Glare, Screen, Photocopy, ChipMissing, ChipForged, IssuerUnknown,
		ZoneUnreadable, ZoneCheckDigit, ZoneDiffers, DataAltered, PortraitAltered, HologramMissing,
		DocumentExpired, DocumentTooEarly, DocumentStolen}
}

// Retake tells whether another picture of the same document may do.
func (c Code) Retake() bool {
	switch c {
	case Unreadable, Cropped, Blurred, Glare:
		return true
	}
	return false
}

// Finding is one thing that is wrong.
type Finding struct {
	Code   Code   `json:"code"`
	Detail string `json:"detail"` // what was measured or compared, without the person's data
}

// Report is what a picture shows.
type Report struct {
	Kind     person.Kind // by the shape of the picture
	Zone     []string    // as read from the picture
	Data     Data        // of the chip where that is genuine, else of the zone as far as it could be read
	Portrait []byte      // of the chip, JPEG; nil where that is not genuine
	Findings []Finding
}

// Genuine tells whether nothing is wrong.
func (r *Report) Genuine() bool { return len(r.Findings) == 0 }

// Retake tells whether another picture may do: all that is wrong is the picture.
func (r *Report) Retake() bool {
	for _, f := range r.Findings {
		if !f.Code.Retake() {
			return false
		}
	}
	return len(r.Findings) > 0
}

// Has tells whether there is a finding of that code.
func (r *Report) Has(c Code) bool {
	for _, f := range r.Findings {
		if f.Code == c {
			return true
		}
	}
	return false
}
