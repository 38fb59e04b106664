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
	rgba := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
	draw.Draw(rgba, rgba.Rect, m, m.Bounds().Min, draw.Src)
	return rgba, nil
}

// PNG writes a picture, fast rather than small.
func PNG(m image.Image) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&b, m); err != nil {
		return nil, fmt.Errorf("write PNG: %w", err)
	}
	return b.Bytes(), nil
}

// Each replaces every pixel within r.
func Each(m *image.RGBA, r image.Rectangle, by func(x, y int, c color.RGBA) color.RGBA) {
	r = r.Intersect(m.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := m.Pix[m.PixOffset(x, y):][:4:4]
			c := by(x, y, color.RGBA{p[0], p[1], p[2], p[3]})
			p[0], p[1], p[2], p[3] = c.R, c.G, c.B, c.A
		}
	}
}

// Shade makes a colour darker or lighter.
func Shade(c color.RGBA, by float64) color.RGBA {
	shade := func(v uint8) uint8 { return uint8(min(255, float64(v)*by)) }
	return color.RGBA{shade(c.R), shade(c.G), shade(c.B), c.A}
}

// Luma is the brightness of a colour, 0 to 255 (ITU-R BT.601).
func Luma(c color.RGBA) float64 {
	return 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
}
