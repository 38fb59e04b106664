package request_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"fido-emu/identity/request"
)

// soft returns a JPEG of a disc whose edge is twice so many pixels wide, as blur makes it.
func soft(t *testing.T, edge float64) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 240, 240))
	for y := range 240 {
		for x := range 240 {
			v := 128.0
			for _, c := range [][3]float64{{120, 120, 90}, {90, 100, 18}, {150, 100, 18}, {120, 160, 25}} {
				dx, dy := float64(x)-c[0], float64(y)-c[1]
				inside := (c[2]*c[2] - dx*dx - dy*dy) / (2 * c[2]) // pixels from the edge, near it
				v += 60 * min(1, max(-1, inside/edge))
			}
			m.SetGray(x, y, color.Gray{Y: uint8(min(255, max(0, v)))})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPhotoQuality: the same picture, ever less sharp.
func TestPhotoQuality(t *testing.T) {
	for _, c := range []struct {
		edge float64
		want request.Quality
	}{{0.5, request.High}, {1, request.High}, {2, request.Medium}, {8, request.Low}, {30, request.Low}} {
		if q, err := request.MeasurePhoto(soft(t, c.edge)); err != nil || q != c.want {
			t.Errorf("edges of ±%.1f pixels: %s, %v, want %s", c.edge, q, err, c.want)
		}
	}
}

func TestPhotosThatAreNone(t *testing.T) {
	whole := photo(240, false)
	for name, c := range map[string]struct {
		photo []byte
		says  string
	}{
		"empty":   {nil, "no JPEG or PNG"},
		"text":    {[]byte(strings.Repeat("a", 2000)), "no JPEG or PNG"},
		"cut":     {whole[:len(whole)/2], "damaged"},
		"small":   {photo(199, false), "200 by 200 is the least"},
		"one hue": {flat(t), "1024 is the least"},
	} {
		if q, err := request.MeasurePhoto(c.photo); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %s, %v", name, q, err)
		}
	}
}

// flat is a picture that compresses to almost nothing.
func flat(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 200, 200)), &jpeg.Options{Quality: 1}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestThresholdIsMetByItself: equal is enough ("faceCheck type").
func TestThresholdIsMetByItself(t *testing.T) {
	for _, c := range []struct {
		score float64
		taken bool
	}{{70, true}, {69.999, false}} {
		w := newWorld(t)
		w.config.Faces.(scores)["Ada"] = c.score
		w.issue(t, photo(240, false))
		if err := w.wallet.Present(t.Context(), w.create(t, nil).URL); (err == nil) != c.taken {
			t.Errorf("%v: %v", c.score, err)
		}
	}
}
