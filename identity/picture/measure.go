package picture

import (
	"image"
	"math"
	"slices"
)

// Brightness is the mean brightness within r, 0 to 255 (ITU-R BT.601).
func Brightness(m *image.RGBA, r image.Rectangle) float64 {
	sum, n := 0, 0
	for _, row := range Rows(m, r) {
		for n += len(row) / 4; len(row) >= 4; row = row[4:] {
			sum += luma(row)
		}
	}
	return mean(sum, n) / thousand
}

// Sharpness is the variance of the Laplacian of brightness within r: some thousands for
// sharp print, under a hundred out of focus.
func Sharpness(m *image.RGBA, r image.Rectangle) float64 {
	r = r.Intersect(m.Rect.Inset(1))
	var lumas [3][]int // of the row above, this one and the one below, one pixel wider on both sides
	sum, squares, n := 0, 0, 0
	for y, row := range Rows(m, r.Inset(-1)) {
		next := lumas[0][:0]
		for ; len(row) >= 4; row = row[4:] {
			next = append(next, luma(row))
		}
		lumas[0], lumas[1], lumas[2] = lumas[1], lumas[2], next
		if y <= r.Min.Y {
			continue
		}
		for i, here := range lumas[1][1 : len(next)-1] {
			l := lumas[0][i+1] + lumas[2][i+1] + lumas[1][i] + lumas[1][i+2] - 4*here
			sum, squares, n = sum+l, squares+l*l, n+1
		}
	}
	average := mean(sum, n)
	return (mean(squares, n) - average*average) / (thousand * thousand)
}

// mean divides; of nothing it is 0.
func mean(sum, n int) float64 { return float64(sum) / float64(max(n, 1)) }

// Colourfulness is the mean distance of the channels from grey within r, 0 to 255.
func Colourfulness(m *image.RGBA, r image.Rectangle) float64 {
	sum, n := 0, 0
	for _, row := range Rows(m, r) {
		for n += len(row) / 4; len(row) >= 4; row = row[4:] {
			sum += int(max(row[0], row[1], row[2]) - min(row[0], row[1], row[2]))
		}
	}
	return mean(sum, n)
}

// White is the share of pixels within r that no channel of which is under a limit.
func White(m *image.RGBA, r image.Rectangle, limit uint8) float64 {
	white, n := 0, 0
	for _, row := range Rows(m, r) {
		for n += len(row) / 4; len(row) >= 4; row = row[4:] {
			if min(row[0], row[1], row[2]) >= limit {
				white++
			}
		}
	}
	return mean(white, n)
}

// Difference is the mean difference of brightness between two pictures within r, 0 to
// 255.
func Difference(a, b *image.RGBA, r image.Rectangle) float64 {
	r = r.Intersect(a.Rect).Intersect(b.Rect)
	sum := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		p, q := a.Pix[a.PixOffset(r.Min.X, y):], b.Pix[b.PixOffset(r.Min.X, y):]
		for i := 0; i < 4*r.Dx(); i += 4 {
			d := luma(p[i:i+3:i+3]) - luma(q[i:i+3:i+3])
			sum += max(d, -d)
		}
	}
	return mean(sum, r.Dx()*r.Dy()) / thousand
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
	sums := make([]int, r.Dx())
	for _, row := range Rows(m, r) {
		for i := range sums {
			sums[i] += luma(row[4*i : 4*i+3 : 4*i+3])
		}
	}
	columns := make([]float64, len(sums))
	for i, sum := range sums {
		columns[i] = mean(sum, r.Dy()) / thousand
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

// amplitude returns that of one period (Goertzel's algorithm).
func amplitude(columns []float64, period float64) float64 {
	cos := math.Cos(2 * math.Pi / period)
	var one, two float64 // the filter's last states
	for _, v := range columns {
		one, two = v+2*cos*one-two, one
	}
	power := one*one + two*two - 2*cos*one*two
	return 2 * math.Sqrt(max(power, 0)) / float64(len(columns))
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
