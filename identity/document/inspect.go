package document

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"
	"slices"
	"strings"
	"time"

	xdraw "golang.org/x/image/draw"

	"fido-emu/identity/person"
	"fido-emu/identity/picture"
)

// Inspector finds out what a picture of a document is worth.
type Inspector struct {
	Now    func() time.Time
	Stolen func(issuer, number string) bool // nil: the package's Stolen

	Archive *Archive // remembers what was read; nil: nobody does
}

// The limits of what is measured.
const (
	minSharpness = 200   // variance of the Laplacian
	maxWhite     = 0.004 // share of white pixels
	maxMoire     = 8     // picture.Moire
	minColour    = 3     // picture.Colourfulness of the hologram's surroundings
	minHologram  = 0.6   // correlation of what is red and blue
	maxPrint     = 0.2   // brightness of a square of print, as a share of a letter's
	maxPortrait  = 12    // mean difference of brightness
)

// inspection is a picture under inspection.
type inspection struct {
	*Inspector
	Report
	file []byte
	m    *image.RGBA // scaled to the layout
	l    layout
	chip *chip // nil unless it is genuine
}

// Inspect looks at a picture in PNG and reports all that is wrong. Where the picture
// itself is bad, it does not look further. Findings never quote the document: they reach
// those who are not to know whose it is.
func (i *Inspector) Inspect(file []byte) Report {
	s := &inspection{Inspector: i, file: file}
	s.Report = i.Archive.reading(file, i.Now().Year(), s.read)
	if !s.Retake() {
		s.Findings = slices.Clip(s.Findings) // others may have them, too
		s.valid()                            // 8. a document that is valid today and not stolen
	}
	return s.Report
}

// read does what is the same whenever it is done, but for the century of a zone.
func (s *inspection) read() Report {
	for _, step := range []func(){
		s.decode,     // 1. a picture
		s.shape,      // 2. of a document, all of it
		s.quality,    // 3. sharp, without glare
		s.reproduced, // 4. of the document itself, not of a screen or a copy
		s.passive,    // 5. a chip that a known state signed
		s.zone,       // 6. a zone whose check digits fit, and which is the chip's
		s.print,      // 7. print, portrait and hologram as these data want them
	} {
		step()
		if s.Retake() {
			break
		}
	}
	return s.Report
}

func (s *inspection) find(c Code, format string, args ...any) {
	s.Findings = append(s.Findings, Finding{c, fmt.Sprintf(format, args...)})
}

func (s *inspection) decode() {
	if !strings.HasPrefix(string(s.file), pngHeader) {
		s.find(Unreadable, "not a PNG file")
		return
	}
	m, err := picture.Decode(s.file)
	if err != nil {
		s.find(Unreadable, "%v", err)
		return
	}
	s.m = m
}

func (s *inspection) shape() {
	size := s.m.Rect.Size()
	aspect := float64(size.X) / float64(size.Y)
	i := slices.IndexFunc(layouts(), func(l layout) bool {
		return math.Abs(aspect-float64(l.size.X)/float64(l.size.Y)) < 0.01
	})
	if i < 0 {
		s.find(Cropped, "%d × %d pixels is the shape of no document", size.X, size.Y)
		return
	}
	s.l = layouts()[i]
	s.Kind = s.l.kind
	if size != s.l.size {
		scaled := image.NewRGBA(image.Rectangle{Max: s.l.size})
		xdraw.BiLinear.Scale(scaled, scaled.Rect, s.m, s.m.Rect, draw.Src, nil)
		s.m = scaled
	}
	for _, r := range cornerMarks(s.m.Rect) {
		if b := picture.Brightness(s.m, r); b > 110 {
			s.find(Cropped, "no corner near %d, %d (brightness %.0f)", r.Min.X, r.Min.Y, b)
			return
		}
	}
}

func (s *inspection) quality() {
	if v := picture.Sharpness(s.m, s.l.fields); v < minSharpness {
		s.find(Blurred, "sharpness %.0f, %d at least", v, minSharpness)
	}
	if v := picture.White(s.m, s.m.Rect, 250); v > maxWhite {
		s.find(Glare, "%.1f %% of the picture is white", 100*v)
	}
}

func (s *inspection) reproduced() {
	if v := picture.Moire(s.m, s.m.Rect); v > maxMoire {
		s.find(Screen, "moiré %.0f, %d at most", v, maxMoire)
	}
	if v := picture.Colourfulness(s.m, s.m.Rect); v < minColour {
		s.find(Photocopy, "colours are %.1f from grey, %d at least", v, minColour)
	}
}

func (s *inspection) passive() {
	c, err := readChip(s.file)
	if errors.Is(err, errNoChip) {
		s.find(ChipMissing, "%v", err)
		return
	}
	if err != nil {
		s.find(ChipForged, "%v", err)
		return
	}
	state, err := c.verify()
	if _, known := FindState(state); !known {
		s.find(IssuerUnknown, "no key is known of the state %q", state)
		return
	}
	if err != nil {
		s.find(ChipForged, "%v", err)
		return
	}
	if c.DG11.Kind != s.Kind {
		s.find(ChipForged, "the chip is that of a %s", c.DG11.Kind)
		return
	}
	s.chip, s.Data, s.Portrait = c, c.DG11, c.DG2
}

func (s *inspection) zone() {
	for i := range s.l.lines {
		s.Zone = append(s.Zone, readZone(s.m, s.l.zoneAt(i), s.l.width))
	}
	if s.l.lines == 0 {
		return
	}
	if i := strings.IndexByte(strings.Join(s.Zone, ""), '?'); i >= 0 {
		s.find(ZoneUnreadable, "character %d in line %d", i%s.l.width+1, i/s.l.width+1)
		return
	}
	data, wrong, err := ReadZone(s.Zone, s.Now().Year())
	if err != nil {
		s.find(ZoneUnreadable, "%v", err)
		return
	}
	for _, w := range wrong {
		s.find(ZoneCheckDigit, "%v", w)
	}
	if s.chip == nil {
		s.Data = data
	} else if strings.Join(s.Zone, "") != s.chip.DG1 {
		s.find(ZoneDiffers, "what is printed is not what is on the chip")
	}
}

// print compares the page with what it must look like.
func (s *inspection) print() {
	if s.chip == nil || s.Has(Screen) { // a screen's lines are over everything
		return
	}
	portrait, err := picture.Decode(s.chip.DG2)
	if err != nil {
		s.find(ChipForged, "portrait: %v", err)
		return
	}
	want, err := printed{s.chip.DG11, nil, portrait, true}.page()
	if err != nil {
		s.find(ChipForged, "%v", err)
		return
	}
	if v := picture.Correlation(shimmer(s.m, s.l.hologram), shimmer(want, s.l.hologram)); v < minHologram && !s.Has(Photocopy) {
		s.find(HologramMissing, "correlation %.2f, %.1f at least", v, minHologram)
		if want, err = (printed{s.chip.DG11, nil, portrait, false}).page(); err != nil { // compare the print beneath
			s.find(ChipForged, "%v", err)
			return
		}
	}
	for i, f := range s.chip.DG11.fields() {
		if v := inkDiffers(s.m, want, s.l.row(i)); v > maxPrint {
			s.find(DataAltered, "field %s is not printed as the chip has it (difference %.2f, %.1f at most)", f.label, v, maxPrint)
		}
	}
	if v := picture.Difference(s.m, want, s.l.portrait); v > maxPortrait {
		s.find(PortraitAltered, "brightness is %.0f from that of the chip's portrait", v)
	}
}

// window is the side of the squares in which print is compared, in pixels: less than a
// letter. They overlap by half.
const window = 16

// inkDiffers compares the brightness of a field, square by square, and returns the
// greatest difference as a share of a solid letter's.
func inkDiffers(got, want *image.RGBA, r image.Rectangle) (worst float64) {
	const half = window / 2
	var above []float64 // of the row of quarters above
	for y := r.Min.Y; y+half <= r.Max.Y; y += half {
		var row []float64
		for x := r.Min.X; x+half <= r.Max.X; x += half {
			row = append(row, picture.Difference(got, want, image.Rect(x, y, x+half, y+half)))
		}
		for i := 1; i < len(row) && above != nil; i++ {
			square := (above[i-1] + above[i] + row[i-1] + row[i]) / 4
			worst = max(worst, square/60) // a letter blackens about a third of its square
		}
		above = row
	}
	return worst
}

// shimmer is red against blue.
func shimmer(m *image.RGBA, r image.Rectangle) []float64 {
	out := make([]float64, 0, r.Dx()*r.Dy())
	for _, row := range picture.Rows(m, r) {
		for ; len(row) >= 4; row = row[4:] {
			out = append(out, float64(row[0])-float64(row[2]))
		}
	}
	return out
}

func (s *inspection) valid() {
	if s.Data.Number == "" {
		return
	}
	today := person.Date(s.Now().UTC().Format(time.DateOnly))
	if s.Data.Expires < today {
		s.find(DocumentExpired, "was valid until %s", s.Data.Expires)
	}
	if s.Data.Issued > today {
		s.find(DocumentTooEarly, "is valid from %s", s.Data.Issued)
	}
	stolen := s.Stolen
	if stolen == nil {
		stolen = Stolen
	}
	if stolen(s.Data.Issuer, s.Data.Number) {
		s.find(DocumentStolen, "its number is on the list of stolen and lost documents")
	}
}
