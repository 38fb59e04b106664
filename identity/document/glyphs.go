package document

import (
	"image"
	"image/color"
	"image/draw"
	"math/bits"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"fido-emu/identity/picture"
)

// The cells of a zone: the fixed bitmap font, each of its pixels three by three.
const (
	cellWidth, cellHeight = 7, 13
	cellScale             = 3
	cellX, cellY          = cellWidth * cellScale, cellHeight * cellScale
)

// alphabet is what a zone may hold.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// glyph is a character's pixels, row after row.
type glyph [2]uint64

func (g *glyph) set(i int) { g[i/64] |= 1 << (i % 64) }

func (g glyph) distance(h glyph) int {
	return bits.OnesCount64(g[0]^h[0]) + bits.OnesCount64(g[1]^h[1])
}

// glyphOf returns the pixels of a character.
func glyphOf(c byte) (g glyph) {
	m := image.NewAlpha(image.Rect(0, 0, cellWidth, cellHeight))
	d := font.Drawer{Dst: m, Src: image.Opaque, Face: basicfont.Face7x13, Dot: fixed.P(0, basicfont.Face7x13.Ascent)}
	d.DrawString(string(c))
	for i, a := range m.Pix {
		if a > 127 {
			g.set(i)
		}
	}
	return g
}

// printZone prints a line from the point on.
func printZone(m *image.RGBA, at image.Point, line string) {
	for i := range len(line) {
		g := glyphOf(line[i])
		for p := range cellWidth * cellHeight {
			if g[p/64]>>(p%64)&1 == 0 {
				continue
			}
			x, y := at.X+i*cellX+p%cellWidth*cellScale, at.Y+p/cellWidth*cellScale
			draw.Draw(m, image.Rect(x, y, x+cellScale, y+cellScale), image.NewUniform(ink()), image.Point{}, draw.Src)
		}
	}
}

// ink is the colour of print.
func ink() color.RGBA { return color.RGBA{22, 24, 32, 255} }

// maxMisread is how many of a character's 91 pixels may be wrong.
const maxMisread = 12

// readZone reads a line of so many characters from the point on: of each cell the
// character whose pixels are nearest, or ? where none is near.
func readZone(m *image.RGBA, at image.Point, width int) string {
	glyphs := make([]glyph, len(alphabet))
	for i := range glyphs {
		glyphs[i] = glyphOf(alphabet[i])
	}
	line := make([]byte, width)
	for i := range line {
		seen := readCell(m, at.Add(image.Pt(i*cellX, 0)))
		line[i] = '?'
		for j, best := 0, maxMisread+1; j < len(glyphs); j++ {
			if d := seen.distance(glyphs[j]); d < best {
				best, line[i] = d, alphabet[j]
			}
		}
	}
	return string(line)
}

// readCell takes for ink what is darker than half way between paper and ink, on average
// over the pixels of the picture that are one of the font.
func readCell(m *image.RGBA, at image.Point) (g glyph) {
	for p := range cellWidth * cellHeight {
		x, y := at.X+p%cellWidth*cellScale, at.Y+p/cellWidth*cellScale
		if picture.Brightness(m, image.Rect(x, y, x+cellScale, y+cellScale)) < 125 {
			g.set(p)
		}
	}
	return g
}
