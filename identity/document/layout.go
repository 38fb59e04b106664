package document

import (
	"image"

	"fido-emu/identity/person"
)

// layout says where things are on the picture of a document, in pixels: eight for each
// millimetre.
type layout struct {
	kind     person.Kind
	size     image.Point
	portrait image.Rectangle
	fields   image.Rectangle // all printed fields
	hologram image.Rectangle
	zone     image.Point // its upper left corner; lines follow zoneLine apart
	lines    int
	width    int // of the zone, in characters
}

const zoneLine = 52

// Size returns how large the picture of a document is, in pixels; the zero Point for a
// kind that there is not.
func Size(kind person.Kind) image.Point {
	for _, l := range layouts() {
		if l.kind == kind {
			return l.size
		}
	}
	return image.Point{}
}

// layouts returns the layout of each kind: a page of 125 by 88 mm (9303-3, TD3), two
// sides of a card of 85.6 by 54 mm (TD1), and one side of such a card.
func layouts() []layout {
	return []layout{
		{
			kind: person.Passport, size: image.Pt(1000, 704),
			portrait: image.Rect(36, 110, 316, 470), fields: image.Rect(340, 104, 960, 540), hologram: image.Rect(700, 300, 930, 530),
			zone: image.Pt(38, 572), lines: 2, width: td3Width,
		},
		{
			kind: person.IdentityCard, size: image.Pt(685, 864),
			portrait: image.Rect(24, 90, 220, 342), fields: image.Rect(236, 84, 670, 424), hologram: image.Rect(500, 240, 660, 400),
			zone: image.Pt(28, 660), lines: 3, width: td1Width,
		},
		{
			kind: person.DrivingLicence, size: image.Pt(685, 432),
			portrait: image.Rect(24, 90, 220, 342), fields: image.Rect(236, 84, 670, 414), hologram: image.Rect(500, 240, 660, 400),
		},
	}
}

func layoutOf(kind person.Kind) (layout, bool) {
	for _, l := range layouts() {
		if l.kind == kind {
			return l, true
		}
	}
	return layout{}, false
}

// zoneAt returns where a line of the zone begins.
func (l layout) zoneAt(line int) image.Point { return l.zone.Add(image.Pt(0, line*zoneLine)) }

// row returns where field i is printed. Names have a row each, the others two to a row.
func (l layout) row(i int) image.Rectangle {
	const high = 60
	half := l.fields.Dx() / 2
	if i < 2 {
		y := l.fields.Min.Y + i*high
		return image.Rect(l.fields.Min.X, y, l.fields.Max.X, y+high)
	}
	x, y := l.fields.Min.X+(i%2)*half, l.fields.Min.Y+(i/2+1)*high
	return image.Rect(x, y, x+half, y+high)
}
