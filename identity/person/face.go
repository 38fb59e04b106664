package person

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"

	"golang.org/x/image/vector"

	"fido-emu/identity/picture"
)

// FaceWidth and FaceHeight are the size of a drawn face, in pixels: 35 by 45 mm, as a
// passport photo.
const (
	FaceWidth  = 210
	FaceHeight = 270
)

// Face draws the face of that name in a pose: the same picture for the same name, and
// of different names faces that differ in skin, hair, eyes, brows, nose, mouth and beard.
// A pose that there is not is Front.
func Face(name string, pose Pose) *image.RGBA { return drawFace(name, pose, Daylight, unit) }

// Portrait returns the photo of a face as documents and credentials carry it: JPEG,
// FaceWidth by FaceHeight.
func Portrait(name string) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, Face(name, Front), &jpeg.Options{Quality: 92})
	return b.Bytes(), err
}

// Portrait returns the photo of a person. See [Portrait].
func (p *Person) Portrait() ([]byte, error) { return Portrait(p.Face) }

// traits are what a face looks like: each from one byte of a hash of its name.
type traits [sha256.Size]byte

// pick chooses one of several.
func pick[T any](t traits, i int, of ...T) T { return of[int(t[i])%len(of)] }

// between maps a trait to a number from low to high.
func (t traits) between(i int, low, high float64) float64 {
	return low + (high-low)*float64(t[i])/255
}

// The colours that traits choose from.
func skins() []color.RGBA {
	return []color.RGBA{{255, 224, 196, 255}, {241, 194, 155, 255}, {224, 172, 126, 255}, {198, 134, 88, 255}, {141, 85, 52, 255}, {96, 58, 38, 255}}
}

func hairs() []color.RGBA {
	return []color.RGBA{{28, 22, 20, 255}, {72, 46, 28, 255}, {140, 88, 40, 255}, {214, 176, 98, 255}, {150, 150, 152, 255}, {158, 62, 30, 255}}
}

func irids() []color.RGBA {
	return []color.RGBA{{70, 44, 26, 255}, {60, 110, 160, 255}, {74, 120, 70, 255}, {110, 110, 116, 255}}
}

func clothes() []color.RGBA {
	return []color.RGBA{{40, 60, 110, 255}, {110, 36, 44, 255}, {36, 90, 70, 255}, {70, 70, 78, 255}, {150, 110, 50, 255}}
}

func walls() []color.RGBA {
	return []color.RGBA{{214, 222, 228, 255}, {226, 224, 214, 255}, {206, 214, 206, 255}, {220, 210, 216, 255}}
}

// sketch draws on a canvas of 70 by 90 units.
type sketch struct {
	*image.RGBA
	traits
	turn float64 // units by which what is on the face moves sideways
	unit float64 // in pixels
}

// unit is that of a camera's picture.
const unit = float64(FaceWidth) / 70

// ellipse fills an ellipse about (x, y).
func (s *sketch) ellipse(x, y, rx, ry float64, c color.Color) {
	corners := make([][2]float64, 48)
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(corners)))
		corners[i] = [2]float64{x + rx*cos, y + ry*sin}
	}
	s.polygon(c, corners...)
}

// polygon fills the area between corners.
func (s *sketch) polygon(c color.Color, corners ...[2]float64) {
	box := image.Rectangle{Min: s.Rect.Max}
	for _, p := range corners {
		x, y := int(math.Floor(p[0]*s.unit)), int(math.Floor(p[1]*s.unit))
		box.Min = image.Pt(min(box.Min.X, x), min(box.Min.Y, y))
		box.Max = image.Pt(max(box.Max.X, x+1), max(box.Max.Y, y+1))
	}
	box = box.Intersect(s.Rect)
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for i, p := range corners {
		x, y := float32(p[0]*s.unit)-float32(box.Min.X), float32(p[1]*s.unit)-float32(box.Min.Y)
		if i == 0 {
			r.MoveTo(x, y)
		} else {
			r.LineTo(x, y)
		}
	}
	r.ClosePath()
	r.Draw(s.RGBA, box, image.NewUniform(c), image.Point{})
}

// bar draws a thick line.
func (s *sketch) bar(x1, y1, x2, y2, thick float64, c color.Color) {
	d := math.Hypot(x2-x1, y2-y1)
	nx, ny := (y1-y2)/d*thick/2, (x2-x1)/d*thick/2
	s.polygon(c, [2]float64{x1 + nx, y1 + ny}, [2]float64{x2 + nx, y2 + ny}, [2]float64{x2 - nx, y2 - ny}, [2]float64{x1 - nx, y1 - ny})
}

// drawFace draws a face in a pose under a condition, of 70 by 90 units of so many pixels.
func drawFace(name string, pose Pose, c Condition, unit float64) *image.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, int(70*unit), int(90*unit)))
	s := &sketch{RGBA: canvas, traits: sha256.Sum256([]byte("face " + name)), unit: unit}
	switch pose {
	case TurnLeft:
		s.turn = -6
	case TurnRight:
		s.turn = 6
	}
	draw.Draw(s.RGBA, s.Bounds(), image.NewUniform(pick(s.traits, 0, walls()...)), image.Point{}, draw.Src)
	s.head()
	s.eyes(pose == Blink)
	s.nose()
	s.mouth(pose == OpenMouth)
	if c == Glasses {
		s.glasses()
	}
	return see(s.RGBA, c, unit)
}

func (s *sketch) head() {
	skin, hair := pick(s.traits, 1, skins()...), pick(s.traits, 2, hairs()...)
	width, height := s.between(3, 17, 21), s.between(4, 23, 27)
	style := s.traits[5] % 4
	if style == 0 { // long
		s.ellipse(35, 48, width+5, height+8, hair)
	}
	s.ellipse(35, 94, 32, 20, pick(s.traits, 6, clothes()...))
	s.bar(35, 60, 35, 80, 14, picture.Shade(skin, 0.86))
	s.ellipse(35-width-s.turn/4, 46, 3.2, 5, picture.Shade(skin, 0.92))
	s.ellipse(35+width-s.turn/4, 46, 3.2, 5, picture.Shade(skin, 0.92))
	if style != 3 { // 3: bald
		s.ellipse(35, 36, width+2, height-5, hair)
	}
	s.ellipse(35, 46, width, height, skin)
	if style == 1 || style == 0 { // fringe, parted where the trait says
		part := s.between(7, -10, 10)
		s.polygon(hair, [2]float64{35 - width, 40}, [2]float64{35 + part, 27}, [2]float64{35 + width, 40}, [2]float64{35 + width - 3, 26}, [2]float64{35, 19}, [2]float64{35 - width + 3, 26})
	}
	if s.traits[8]%3 == 0 { // beard
		s.ellipse(35+s.turn/2, 63, width-4, 10, picture.Shade(hair, 1.1))
		s.ellipse(35+s.turn/2, 57, width-3, 8, skin)
	}
}

func (s *sketch) eyes(closed bool) {
	apart, size, y := s.between(9, 6.5, 9.5), s.between(10, 2.6, 3.8), s.between(11, 41, 45)
	hair := picture.Shade(pick(s.traits, 2, hairs()...), 0.8)
	tilt, thick := s.between(12, -1.6, 1.6), s.between(13, 0.9, 2.4)
	for _, side := range []float64{-1, 1} {
		x := 35 + side*apart + s.turn
		s.bar(x-4, y-7+side*tilt, x+4, y-7-side*tilt, thick, hair)
		if closed {
			s.bar(x-size, y, x+size, y, 1.2, hair)
			continue
		}
		s.ellipse(x, y, size+0.6, size*0.72, color.White)
		s.ellipse(x+s.turn/8, y, size*0.52, size*0.58, pick(s.traits, 14, irids()...))
		s.ellipse(x+s.turn/8, y, size*0.24, size*0.26, color.Black)
	}
}

func (s *sketch) nose() {
	skin := picture.Shade(pick(s.traits, 1, skins()...), 0.8)
	length, width := s.between(15, 7, 12), s.between(16, 2.4, 4.4)
	x := 35 + s.turn*1.2
	s.polygon(skin, [2]float64{x, 45}, [2]float64{x + width, 45 + length}, [2]float64{x - width, 45 + length})
}

func (s *sketch) mouth(open bool) {
	width, full := s.between(17, 5, 9), s.between(18, 1, 2.4)
	lips := pick(s.traits, 19, color.RGBA{176, 70, 74, 255}, color.RGBA{150, 84, 76, 255}, color.RGBA{120, 50, 56, 255})
	x, y := 35+s.turn, s.between(20, 60, 63)
	if open {
		s.ellipse(x, y+1, width*0.7, 4.5, lips)
		s.ellipse(x, y+1, width*0.7-1.2, 3.3, color.RGBA{50, 16, 20, 255})
		return
	}
	s.ellipse(x, y, width, full, lips)
}

func (s *sketch) glasses() {
	frame := color.RGBA{20, 20, 24, 255}
	apart, y := s.between(9, 6.5, 9.5), s.between(11, 41, 45)
	for _, side := range []float64{-1, 1} {
		x := 35 + side*apart + s.turn
		s.bar(x-6, y-5, x+6, y-5, 1.4, frame)
		s.bar(x-6, y+5, x+6, y+5, 1.4, frame)
		s.bar(x-6, y-5, x-6, y+5, 1.4, frame)
		s.bar(x+6, y-5, x+6, y+5, 1.4, frame)
	}
}
