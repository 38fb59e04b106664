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
	lines, length := m.Rect.Dy(), m.Rect.Dx()
	line, step := m.Stride, 4 // from line to line, and along one
	if dy > dx {
		lines, length = length, lines
		line, step = step, line
	}
	for i := range lines {
		for channel := range 3 {
			slide(out.Pix[i*line+channel:], m.Pix[i*line+channel:], step, length, r)
		}
		for at := range length {
			out.Pix[i*line+at*step+3] = 255
		}
	}
	return out
}

// slide averages one channel of one line. Beyond its ends the line goes on as it ends.
func slide(out, in []uint8, step, length, r int) {
	last := (length - 1) * step
	sum := (r + 1) * int(in[0])
	for i := 1; i <= r; i++ {
		sum += int(in[min(i*step, last)])
	}
	for at := 0; at <= last; at += step {
		out[at] = uint8(sum / (2*r + 1))
		sum += int(in[min(at+(r+1)*step, last)]) - int(in[max(at-r*step, 0)])
	}
}

// pitch is the distance of a screen's columns in the picture, in pixels.
const pitch = 3.3

// Screen is what a picture is after it was shown on a screen and photographed: the
// screen's columns beat against those of the sensor.
func Screen(m *image.RGBA) {
	lines := make([]float64, m.Rect.Dx())
	for i := range lines {
		lines[i] = 0.88 + 0.12*math.Sin(2*math.Pi*float64(m.Rect.Min.X+i)/pitch)
	}
	Each(m, m.Rect, func(x, _ int, c color.RGBA) color.RGBA { return Shade(c, lines[x-m.Rect.Min.X]) })
}

// Grey is what a picture is after a copier without colours.
func Grey(m *image.RGBA) {
	Each(m, m.Rect, func(_, _ int, c color.RGBA) color.RGBA {
		l := uint8(luma([]uint8{c.R, c.G, c.B}) / thousand)
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
