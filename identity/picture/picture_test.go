package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"
)

// chequered is a picture of squares, dark and pale, of a side.
func chequered(w, h, side int, dark, pale color.RGBA) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	Each(m, m.Rect, func(x, y int, _ color.RGBA) color.RGBA {
		if (x/side+y/side)%2 == 0 {
			return dark
		}
		return pale
	})
	return m
}

func grey(v uint8) color.RGBA { return color.RGBA{v, v, v, 255} }

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The measures of pictures of which they can be worked out by hand.
func TestMeasures(t *testing.T) {
	whole := image.Rect(0, 0, 64, 48)
	fine, flat := chequered(64, 48, 1, grey(100), grey(200)), chequered(64, 48, 1, grey(90), grey(90))
	near(t, "sharpness of single pixels", Sharpness(fine, whole), 400*400) // the Laplacian is 400 or -400
	near(t, "sharpness of nothing", Sharpness(flat, whole), 0)
	near(t, "sharpness outside", Sharpness(fine, image.Rect(100, 100, 200, 200)), 0)
	near(t, "brightness", Brightness(fine, whole), 150)
	near(t, "brightness of red", Brightness(chequered(16, 16, 1, color.RGBA{255, 0, 0, 255}, color.RGBA{255, 0, 0, 255}), whole), 0.299*255)
	near(t, "difference", Difference(fine, flat, whole), (10.0+110)/2)
	near(t, "difference from itself", Difference(fine, fine, whole), 0)
	near(t, "white", White(chequered(64, 48, 1, grey(249), grey(250)), whole, 250), 0.5)
	near(t, "colours of grey", Colourfulness(fine, whole), 0)
	near(t, "colours", Colourfulness(chequered(64, 48, 1, color.RGBA{200, 150, 100, 255}, grey(7)), whole), 50)
}

func TestCorrelation(t *testing.T) {
	for name, tt := range map[string]struct {
		b    []float64
		want float64
	}{
		"same": {[]float64{1, 2, 3, 4}, 1}, "scaled": {[]float64{10, 20, 30, 40}, 1},
		"against": {[]float64{4, 3, 2, 1}, -1}, "flat": {[]float64{5, 5, 5, 5}, 0}, "neither": {[]float64{1, -1, -1, 1}, 0},
	} {
		near(t, name, Correlation([]float64{1, 2, 3, 4}, tt.b), tt.want)
	}
}

// What is done to a picture is what the measures find, and nothing else is found.
func TestOpticsAreMeasured(t *testing.T) {
	pale := color.RGBA{190, 200, 240, 255}
	print := func() *image.RGBA { return chequered(400, 300, 7, grey(40), pale) }
	r := print().Rect
	if v := Moire(print(), r); v > 4 {
		t.Errorf("moiré of print: %.1f", v)
	}
	screen := print()
	Screen(screen)
	if v := Moire(screen, r); v < 10 {
		t.Errorf("moiré of a screen: %.1f", v)
	}
	if sharp, soft := Sharpness(print(), r), Sharpness(Soften(print(), 3), r); soft > sharp/20 {
		t.Errorf("sharpness %.0f, out of focus %.0f", sharp, soft)
	}
	if a, b := Brightness(print(), r), Brightness(Soften(print(), 3), r); math.Abs(a-b) > 2 {
		t.Errorf("a lens made brightness %.1f of %.1f", b, a)
	}
	copied := print()
	Grey(copied)
	if before, after := Colourfulness(print(), r), Colourfulness(copied, r); before < 10 || after != 0 {
		t.Errorf("colours %.1f, copied %.1f", before, after)
	}
	lit := print()
	Lamp(lit, 200, 150, 60)
	if before, after := White(print(), r, 250), White(lit, r, 250); before != 0 || after < 0.01 {
		t.Errorf("white %.3f, under a lamp %.3f", before, after)
	}
	if far := image.Rect(0, 0, 100, 300); Difference(lit, print(), far) != 0 {
		t.Error("a lamp shines beyond its radius")
	}
}

// Soften is the mean of the square about each pixel, whose edges go on beyond the picture.
func TestSoftenIsTheMean(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 20, 16))
	m.SetRGBA(10, 8, grey(225))
	m.SetRGBA(0, 0, grey(225))
	out := Soften(m, 1)
	for at, want := range map[image.Point]uint8{
		{10, 8}: 25, {9, 7}: 25, {11, 9}: 25, {12, 8}: 0, {10, 10}: 0,
		{0, 0}: 100, {1, 0}: 50, {1, 1}: 25, {19, 15}: 0,
	} {
		if got := out.RGBAAt(at.X, at.Y); got != grey(want) {
			t.Errorf("at %v: %v, want %d", at, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	m := chequered(40, 30, 3, color.RGBA{10, 20, 30, 255}, grey(200))
	b, err := PNG(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(b); err != nil || !bytes.Equal(got.Pix, m.Pix) {
		t.Errorf("PNG is not what was written: %v", err)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, m, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(photo.Bytes()); err != nil || got.Rect != m.Rect || Difference(got, m, m.Rect) > 30 {
		t.Errorf("JPEG: %v", err)
	}
	small, err := PNG(chequered(15, 30, 1, grey(0), grey(9)))
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Clone(b)
	copy(large[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65536 by 65536, and its checksum is wrong
	for name, file := range map[string][]byte{"nothing": nil, "text": []byte("picture"), "cut": b[:len(b)/2], "small": small, "large": large} {
		if _, err := Decode(file); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever comes, there is a picture of a sensible size, or the one error.
func FuzzDecode(f *testing.F) {
	b, err := PNG(chequered(16, 16, 2, grey(1), grey(250)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if (err == nil) == (m == nil) || err != nil && !errors.Is(err, ErrNone) || m != nil && len(m.Pix) > 4*maxPixels {
			t.Errorf("%v", err)
		}
	})
}
