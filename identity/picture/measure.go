package picture

import (
	"image"
	"math"
	"slices"
)

// Sharpness is the variance of the Laplacian of brightness within r: some thousands for
// sharp print, under a hundred out of focus.
func Sharpness(m *image.RGBA, r image.Rectangle) float64 {
	r = r.Intersect(m.Rect.Inset(1))
	var sum, squares, n float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			l := Luma(m.RGBAAt(x-1, y)) + Luma(m.RGBAAt(x+1, y)) + Luma(m.RGBAAt(x, y-1)) + Luma(m.RGBAAt(x, y+1)) - 4*Luma(m.RGBAAt(x, y))
			sum, squares, n = sum+l, squares+l*l, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return squares/n - sum/n*sum/n
}

// Colourfulness is the mean distance of the channels from grey within r, 0 to 255.
func Colourfulness(m *image.RGBA, r image.Rectangle) float64 {
	var sum, n float64
	r = r.Intersect(m.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := m.RGBAAt(x, y)
			sum += float64(max(c.R, c.G, c.B) - min(c.R, c.G, c.B))
			n++
		}
	}
	return sum / max(n, 1)
}

// White is the share of pixels within r that no channel of which is under 250.
func White(m *image.RGBA, r image.Rectangle) float64 {
	var white, n float64
	r = r.Intersect(m.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if c := m.RGBAAt(x, y); min(c.R, c.G, c.B) >= 250 {
				white++
			}
			n++
		}
	}
	return white / max(n, 1)
}

// Moire is how much stronger than the others the strongest of the fine periods (2.2 to
// 6 pixels) is in the brightness of the columns within r: about 1 to 4 of anything
// natural, beyond 10 of a screen.
func Moire(m *image.RGBA, r image.Rectangle) float64 {
	columns := detrend(profile(m, r.Intersect(m.Rect)))
	if len(columns) < 32 {
		return 0
	}
	var powers []float64
	for period := 2.2; period < 6; period *= 1 + 0.5*period/float64(len(columns)) {
		powers = append(powers, amplitude(columns, period))
	}
	strongest := slices.Max(powers)
	slices.Sort(powers)
	return strongest / (powers[len(powers)/2] + 0.35) // below a third of a step nothing is seen
}

// profile returns the mean brightness of each column.
func profile(m *image.RGBA, r image.Rectangle) []float64 {
	columns := make([]float64, max(r.Dx(), 0))
	for i := range columns {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			columns[i] += Luma(m.RGBAAt(r.Min.X+i, y))
		}
		columns[i] /= float64(max(r.Dy(), 1))
	}
	return columns
}

// detrend leaves what changes within a few columns.
func detrend(columns []float64) []float64 {
	const reach = 4
	if len(columns) <= 2*reach {
		return nil
	}
	out := make([]float64, len(columns)-2*reach)
	for i := range out {
		var mean float64
		for _, v := range columns[i : i+2*reach+1] {
			mean += v / (2*reach + 1)
		}
		out[i] = columns[i+reach] - mean
	}
	return out
}

// amplitude returns that of one period.
func amplitude(columns []float64, period float64) float64 {
	var re, im float64
	for i, v := range columns {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / period)
		re, im = re+v*cos, im+v*sin
	}
	return 2 * math.Hypot(re, im) / float64(len(columns))
}

// Correlation is that of two series of one length, −1 to 1; 0 where one does not vary.
func Correlation(a, b []float64) float64 {
	n := float64(min(len(a), len(b)))
	var sa, sb float64
	for i := range int(n) {
		sa, sb = sa+a[i]/n, sb+b[i]/n
	}
	var ab, aa, bb float64
	for i := range int(n) {
		da, db := a[i]-sa, b[i]-sb
		ab, aa, bb = ab+da*db, aa+da*da, bb+db*db
	}
	if aa < 1e-9 || bb < 1e-9 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
