package document

import (
	"fmt"
	"image"
	"image/draw"
	"slices"
	"strings"

	xdraw "golang.org/x/image/draw"

	"fido-emu/identity/person"
	"fido-emu/identity/picture"
)

// Draw returns the picture of a person's document, with the defects that it has: PNG,
// with the chip in a text chunk. The same document gives the same bytes.
func Draw(p *person.Person, d person.Document) ([]byte, error) {
	b, err := drawing{p, d}.bytes()
	if err != nil {
		return nil, fmt.Errorf("draw the %s of %s: %w", d.Kind, p.ID, err)
	}
	return b, nil
}

// Someone is the face on documents with the defect SomeoneElses.
const Someone = "somebody-else"

// drawing is a document being made.
type drawing struct {
	*person.Person
	person.Document
}

func (d drawing) has(defect person.Defect) bool { return slices.Contains(d.Defects, defect) }

func (d drawing) bytes() ([]byte, error) {
	issued, face := d.issued()
	c, err := d.chip(issued, face)
	if err != nil {
		return nil, err
	}
	onPage, err := d.printed(issued, face, c)
	if err != nil {
		return nil, err
	}
	m, err := onPage.page()
	if err != nil {
		return nil, err
	}
	file, err := picture.PNG(d.photograph(m))
	if err != nil || d.has(person.NoChip) {
		return file, err
	}
	return c.embed(file)
}

// issued returns what the state wrote, and whose face it took.
func (d drawing) issued() (Data, string) {
	data, face := dataOf(d.Person, d.Document), d.Face
	if d.has(person.SomeoneElses) {
		data.Family, data.Given, data.Native, data.LatinFamily, data.LatinGiven = "Else", "Somebody", "", "", ""
		data.Birth, face = "1970-01-01", Someone
	}
	if d.has(person.Expired) {
		data.Issued, data.Expires = "20"+data.Issued[2:], earlier(data.Expires)
		data.Issued = earlier(data.Issued)
	}
	if d.has(person.Stolen) {
		data.Number = stolenNumber
	}
	if d.has(person.UnknownState) {
		data.Issuer = "XXZ"
	}
	return data, face
}

// earlier is a day twenty years before.
func earlier(d person.Date) person.Date {
	var year int
	if _, err := fmt.Sscanf(string(d), "%4d", &year); err != nil {
		return d
	}
	return person.Date(fmt.Sprintf("%04d%s", year-20, d[4:]))
}

func (d drawing) chip(data Data, face string) (*chip, error) {
	zone, err := Zone(data)
	if err != nil {
		return nil, err
	}
	portrait, err := person.Portrait(face)
	if err != nil {
		return nil, err
	}
	c := &chip{DG1: strings.Join(zone, ""), DG2: portrait, DG11: data}
	key := data.Issuer
	if d.has(person.ForgedChip) {
		key = "a forger's"
	}
	return c, c.sign(data.Issuer, key)
}

// printed returns what is on the page, which is what was issued but for the defects.
func (d drawing) printed(data Data, face string, c *chip) (printed, error) {
	if d.has(person.TamperedName) {
		data.Family, data.LatinFamily = "Changed", ""
	}
	if d.has(person.TamperedBirth) {
		data.Birth = data.Birth[:2] + flip(data.Birth[2:4]) + data.Birth[4:]
	}
	zone, err := Zone(data)
	if err != nil {
		return printed{}, err
	}
	if d.has(person.WrongCheckDigit) {
		if zone, err = misprint(data.Kind, zone); err != nil {
			return printed{}, err
		}
	}
	portrait, err := picture.Decode(c.DG2)
	if err != nil {
		return printed{}, err
	}
	if d.has(person.SwappedPortrait) {
		portrait = person.Face(face+"-swapped", person.Front)
	}
	return printed{data, zone, portrait, !d.has(person.NoHologram)}, nil
}

// flip changes both digits of a year.
func flip(d person.Date) person.Date {
	return person.Date([]byte{'0' + (d[0]-'0'+3)%10, '0' + (d[1]-'0'+1)%10})
}

// misprint changes the check digit of the document's number.
func misprint(kind person.Kind, zone []string) ([]string, error) {
	line, at := 1, 9
	switch kind {
	case person.IdentityCard:
		line, at = 0, 14
	case person.DrivingLicence:
		return nil, fmt.Errorf("defect %s: driving licences have no zone", person.WrongCheckDigit)
	}
	wrong := '0' + (zone[line][at]-'0'+1)%10
	zone[line] = zone[line][:at] + string(wrong) + zone[line][at+1:]
	return zone, nil
}

// photograph is what becomes of the page before and in the camera.
func (d drawing) photograph(m *image.RGBA) *image.RGBA {
	if d.has(person.Photocopy) {
		picture.Grey(m)
	}
	if d.has(person.Screenshot) {
		picture.Screen(m)
	}
	if d.has(person.Glare) {
		picture.Lamp(m, m.Rect.Dx()/2, m.Rect.Dy()/3, m.Rect.Dy()/4)
	}
	if d.has(person.Blurred) {
		m = picture.Soften(picture.Soften(m, 3), 3)
	}
	if d.has(person.Cropped) {
		size := m.Rect.Size()
		part := image.Rect(0, 0, size.X*7/8, size.Y*7/8)
		out := image.NewRGBA(m.Rect)
		xdraw.BiLinear.Scale(out, out.Rect, m, part, draw.Src, nil)
		m = out
	}
	return m
}
