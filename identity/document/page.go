package document

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"fido-emu/identity/picture"
)

// printed is a page as it is to be made.
type printed struct {
	Data
	zone     []string
	portrait image.Image
	hologram bool
}

// page draws a document.
func (p printed) page() (*image.RGBA, error) {
	l, ok := layoutOf(p.Kind)
	if !ok {
		return nil, fmt.Errorf("there is no layout for documents of kind %q", p.Kind)
	}
	m := image.NewRGBA(image.Rectangle{Max: l.size})
	paper(m, p.Issuer)
	corners(m)
	t, err := newTypesetter()
	if err != nil {
		return nil, err
	}
	t.print(m, image.Pt(l.portrait.Min.X, 72), 30, true, p.title())
	for i, f := range p.fields() {
		r := l.row(i)
		t.print(m, r.Min.Add(image.Pt(0, 16)), 15, false, f.label)
		t.printFit(m, r.Min.Add(image.Pt(0, 46)), r.Dx()-10, f.text)
	}
	if p.Native != "" && t.can(p.Native) && p.Native != p.Name() {
		t.print(m, image.Pt(l.portrait.Min.X, l.portrait.Max.Y+30), 22, false, p.Native)
	}
	xdraw.BiLinear.Scale(m, l.portrait, p.portrait, p.portrait.Bounds(), draw.Src, nil)
	if p.hologram {
		hologram(m, l.hologram, p.Issuer)
	}
	for i, line := range p.zone {
		printZone(m, l.zoneAt(i), line)
	}
	return m, nil
}

// Name returns the whole name: given, then family.
func (d Data) Name() string {
	if d.Given == "" {
		return d.Family
	}
	return d.Given + " " + d.Family
}

// paper is a pale ground with fine waves, of a colour for each state.
func paper(m *image.RGBA, issuer string) {
	tone := float64(len(issuer))
	for _, c := range issuer {
		tone += float64(c) * 0.7
	}
	r, g, b := 222+12*math.Sin(tone), 220+12*math.Sin(tone+2), 222+12*math.Sin(tone+4)
	across := make([][2]float64, m.Rect.Dx())
	for x := range across {
		across[x][0], across[x][1] = math.Sincos(float64(x) / 23)
	}
	for y, row := range picture.Rows(m, m.Rect) {
		sin, cos := math.Sincos(2 * math.Sin(float64(y)/31))
		for _, a := range across {
			wave := 3 * (a[0]*cos + a[1]*sin) // the sine of the sum
			row[0], row[1], row[2], row[3] = uint8(r+wave), uint8(g+wave), uint8(b-wave), 255
			row = row[4:]
		}
	}
}

// cornerSize is the side of the marks in the corners.
const cornerSize = 14

// cornerMarks returns where the marks are.
func cornerMarks(m image.Rectangle) []image.Rectangle {
	in := m.Inset(10)
	mark := image.Rect(0, 0, cornerSize, cornerSize)
	return []image.Rectangle{
		mark.Add(in.Min), mark.Add(image.Pt(in.Max.X-cornerSize, in.Min.Y)),
		mark.Add(image.Pt(in.Min.X, in.Max.Y-cornerSize)), mark.Add(in.Max.Sub(image.Pt(cornerSize, cornerSize))),
	}
}

func corners(m *image.RGBA) {
	for _, r := range cornerMarks(m.Rect) {
		draw.Draw(m, r, image.NewUniform(ink()), image.Point{}, draw.Src)
	}
}

// hologram lays a disc over the page that shimmers from red to blue, in rings whose
// distance is the state's.
func hologram(m *image.RGBA, r image.Rectangle, issuer string) {
	centre := r.Min.Add(r.Size().Div(2))
	rings := 7.0
	for _, c := range issuer {
		rings += float64(c%5) / 4
	}
	picture.Each(m, r, func(x, y int, c color.RGBA) color.RGBA {
		far := math.Hypot(float64(x-centre.X), float64(y-centre.Y))
		if far > float64(r.Dx())/2 {
			return c
		}
		v := 26 * math.Sin(far/rings+3*math.Atan2(float64(y-centre.Y), float64(x-centre.X)))
		return color.RGBA{clamp(float64(c.R) + v - 14), clamp(float64(c.G) - 8), clamp(float64(c.B) - v - 14), 255}
	})
}

func clamp(v float64) uint8 { return uint8(min(max(v, 0), 248)) }

// typesetter prints text in the Go fonts, which have Latin, Greek and Cyrillic letters.
type typesetter struct{ regular, medium *sfnt.Font }

var newTypesetter = sync.OnceValues(func() (typesetter, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return typesetter{}, fmt.Errorf("typeface of documents: %w", err)
	}
	medium, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		return typesetter{}, fmt.Errorf("typeface of documents: %w", err)
	}
	return typesetter{regular, medium}, nil
})

// can tells whether the font has every letter of a text.
func (t typesetter) can(text string) bool {
	var b sfnt.Buffer
	for _, r := range text {
		if i, err := t.medium.GlyphIndex(&b, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}

func (t typesetter) face(size float64, medium bool) (font.Face, error) {
	f := t.regular
	if medium {
		f = t.medium
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}

// print prints a text whose line begins at a point. A face that cannot be made prints
// nothing, which the comparison of every page finds.
func (t typesetter) print(m *image.RGBA, at image.Point, size float64, medium bool, text string) {
	face, err := t.face(size, medium)
	if err != nil {
		return
	}
	d := font.Drawer{Dst: m, Src: image.NewUniform(ink()), Face: face, Dot: fixed.P(at.X, at.Y)}
	d.DrawString(text)
}

// printFit prints a text in 26 pixels, or as much less as it needs to be no wider.
func (t typesetter) printFit(m *image.RGBA, at image.Point, width int, text string) {
	size := 26.0
	if face, err := t.face(size, true); err == nil {
		if wide := font.MeasureString(face, text).Ceil(); wide > width {
			size *= float64(width) / float64(wide)
		}
	}
	t.print(m, at, size, true, text)
}
