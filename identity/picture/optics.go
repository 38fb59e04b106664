package picture

import (
	"image"
	"image/color"
	"math"
)

// Soften averages over squares of 2r+1 pixels, as a lens out of focus does.
func Soften(m *image.RGBA, r int) *image.RGBA {
	return pass(pass(m, r, 1, 0), r, 0, 1)
}

// pass averages along one direction, with a window that slides.
func pass(m *image.RGBA, r, dx, dy int) *image.RGBA {
	out := image.NewRGBA(m.Rect)
	w, h := m.Rect.Dx(), m.Rect.Dy()
	lines, length := h, w
	if dy > 0 {
		lines, length = w, h
	}
	for line := range lines {
		at := func(i int) int {
			i = min(max(i, 0), length-1)
			return m.PixOffset(i*dx+line*dy, i*dy+line*dx)
		}
		for channel := range 3 {
			sum := 0
			for i := -r; i <= r; i++ {
				sum += int(m.Pix[at(i)+channel])
			}
			for i := range length {
				out.Pix[at(i)+channel] = uint8(sum / (2*r + 1))
				sum += int(m.Pix[at(i+r+1)+channel]) - int(m.Pix[at(i-r)+channel])
			}
		}
		for i := range length {
			out.Pix[at(i)+3] = 255
		}
	}
	return out
}

// pitch is the distance of a screen's columns in the picture, in pixels.
const pitch = 3.3

// Screen is what a picture is after it was shown on a screen and photographed: the
// screen's columns beat against those of the sensor.
func Screen(m *image.RGBA) {
	Each(m, m.Rect, func(x, _ int, c color.RGBA) color.RGBA {
		return Shade(c, 0.88+0.12*math.Sin(2*math.Pi*float64(x)/pitch))
	})
}

// Grey is what a picture is after a copier without colours.
func Grey(m *image.RGBA) {
	Each(m, m.Rect, func(_, _ int, c color.RGBA) color.RGBA {
		l := uint8(Luma(c))
		return color.RGBA{l, l, l, 255}
	})
}

// Lamp is the reflection of a lamp: white about a point, out to a radius.
func Lamp(m *image.RGBA, x, y, radius int) {
	r := image.Rect(x-radius, y-radius, x+radius, y+radius)
	Each(m, r, func(px, py int, c color.RGBA) color.RGBA {
		far := math.Hypot(float64(px-x), float64(py-y)) / float64(radius)
		if far >= 1 {
			return c
		}
		return mix(c, min(1, 2*(1-far)))
	})
}

// mix moves a colour towards white.
func mix(c color.RGBA, white float64) color.RGBA {
	up := func(v uint8) uint8 { return uint8(float64(v) + white*(255-float64(v))) }
	return color.RGBA{up(c.R), up(c.G), up(c.B), 255}
}
