// Package picture reads pictures from outside with care, does to them what lenses,
// lamps, copiers and screens do, and measures what those did.
//
// Nothing in it knows what a picture shows. The measures are the textbook's: variance
// of the Laplacian for sharpness, a discrete Fourier transform along the lines for the
// beat of a screen against a sensor (moiré).
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // Decode reads it
	"image/png"
	"iter"
)

// ErrNone is the error for bytes that are no picture.
var ErrNone = errors.New("no picture in PNG or JPEG of a sensible size")

// maxPixels is the size beyond which a picture is not decoded: a few bytes of PNG can
// claim gigabytes.
const maxPixels = 4 << 20

// Decode reads a picture in PNG or JPEG, of 16 by 16 to four million pixels. Other bytes
// wrap ErrNone.
func Decode(b []byte) (*image.RGBA, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	if c.Width < 16 || c.Height < 16 || c.Width > maxPixels/c.Height {
		return nil, fmt.Errorf("%w: %d × %d pixels", ErrNone, c.Width, c.Height)
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	return canvas(m), nil
}

// canvas returns a picture as RGBA with its upper left corner at 0, 0.
func canvas(m image.Image) *image.RGBA {
	r := image.Rectangle{Max: m.Bounds().Size()}
	if rgba, ok := m.(*image.RGBA); ok && rgba.Rect == r {
		return rgba
	}
	rgba := image.NewRGBA(r)
	draw.Draw(rgba, r, m, m.Bounds().Min, draw.Src)
	return rgba
}

// PNG writes a picture, fast rather than small: nothing is compressed, of which a
// camera's noise leaves little to gain.
func PNG(m *image.RGBA) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(3*len(m.Pix)/4 + len(m.Pix)/64 + 1<<10)
	e := png.Encoder{CompressionLevel: png.NoCompression}
	if err := e.Encode(&b, m); err != nil {
		return nil, fmt.Errorf("write PNG: %w", err)
	}
	return b.Bytes(), nil
}

// Rows returns, of each row of r that is on the picture, its y and its pixels: four
// bytes each, red, green, blue and alpha.
func Rows(m *image.RGBA, r image.Rectangle) iter.Seq2[int, []uint8] {
	return func(yield func(int, []uint8) bool) {
		r := r.Intersect(m.Rect)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			from := m.PixOffset(r.Min.X, y)
			if !yield(y, m.Pix[from:from+4*r.Dx()]) {
				return
			}
		}
	}
}

// Each replaces every pixel within r.
func Each(m *image.RGBA, r image.Rectangle, by func(x, y int, c color.RGBA) color.RGBA) {
	left := r.Intersect(m.Rect).Min.X
	for y, row := range Rows(m, r) {
		for x := left; len(row) >= 4; x, row = x+1, row[4:] {
			c := by(x, y, color.RGBA{row[0], row[1], row[2], row[3]})
			row[0], row[1], row[2], row[3] = c.R, c.G, c.B, c.A
		}
	}
}

// Shade makes a colour darker or lighter.
func Shade(c color.RGBA, by float64) color.RGBA {
	shade := func(v uint8) uint8 { return uint8(min(255, float64(v)*by)) }
	return color.RGBA{shade(c.R), shade(c.G), shade(c.B), c.A}
}

// The weights of the channels in brightness, in thousandths (ITU-R BT.601).
const red, green, blue, thousand = 299, 587, 114, 1000

// luma is the brightness of the pixel with which p begins, in thousandths of a step.
func luma(p []uint8) int { return red*int(p[0]) + green*int(p[1]) + blue*int(p[2]) }
