package person

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math"
	"math/rand/v2"

	"fido-emu/identity/picture"
)

// Capture is what a camera saw: pictures in PNG. The first is the selfie, in front; one
// follows for each pose of the challenge.
type Capture struct {
	Frames [][]byte `json:"frames"`
}

// Capture is what a camera sees when it asks this person for a challenge under a
// condition; what that is decides the person's Liveness. Every camera adds noise, which
// is drawn from random, so that no two captures are the same.
func (p *Person) Capture(random io.Reader, c Condition, challenge []Pose) (Capture, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return Capture{}, fmt.Errorf("capture of %s: draw the camera's noise: %w", p.ID, err)
	}
	noise := rand.New(rand.NewChaCha8(seed))
	var capture Capture
	for _, m := range p.Scene(c, challenge) {
		grain(m, noise)
		frame, err := picture.PNG(m)
		if err != nil {
			return Capture{}, fmt.Errorf("capture of %s: %w", p.ID, err)
		}
		capture.Frames = append(capture.Frames, frame)
	}
	return capture, nil
}

// Scene is what is before the camera while it takes the selfie and asks for a challenge:
// the frames of a Capture without the camera's noise.
func (p *Person) Scene(c Condition, challenge []Pose) (frames []*image.RGBA) {
	for i, pose := range append([]Pose{Front}, challenge...) {
		frames = append(frames, p.before(i, pose, c))
	}
	return frames
}

// before returns what is before the camera for frame i.
func (p *Person) before(i int, pose Pose, c Condition) *image.RGBA {
	switch p.Liveness {
	case Still:
		return drawFace(p.Face, Front, c, unit)
	case Printed:
		return onPaper(drawFace(p.Face, Front, c, unit))
	case OnScreen:
		return onScreen(drawFace(p.Face, Front, c, unit))
	case Deepfake:
		return onScreen(drawFace(p.Face, pose, c, unit))
	case WrongTurn:
		return drawFace(p.Face, opposite(pose), c, unit)
	case Stand:
		if i > 0 {
			return drawFace(p.Face+"-stand-in", pose, c, unit)
		}
	}
	return drawFace(p.Face, pose, c, unit)
}

// opposite is what somebody does who does not what is asked.
func opposite(p Pose) Pose {
	switch p {
	case Front:
		return Front
	case TurnLeft:
		return TurnRight
	case TurnRight:
		return TurnLeft
	case Blink:
		return OpenMouth
	}
	return Blink
}

// see is what a condition does to a picture of so many pixels a unit.
func see(m *image.RGBA, c Condition, unit float64) *image.RGBA {
	switch c {
	case Dim:
		picture.Each(m, m.Rect, func(_, _ int, v color.RGBA) color.RGBA { return picture.Shade(v, 0.45) })
	case OutFocus:
		r := int(math.Round(1.2 * unit))
		return picture.Soften(picture.Soften(m, r), r)
	}
	return m
}

// paperEdge is how much of a picture is the white edge of a printed photo, in pixels.
const paperEdge = 10

// onPaper is a printed photo before the camera: its white edge is in the picture.
func onPaper(m *image.RGBA) *image.RGBA {
	out := image.NewRGBA(m.Rect)
	draw.Draw(out, out.Rect, image.NewUniform(color.RGBA{250, 250, 250, 255}), image.Point{}, draw.Src)
	inner := m.Rect.Inset(paperEdge)
	draw.Draw(out, inner, m, inner.Min, draw.Src)
	return out
}

// onScreen is a screen before the camera.
func onScreen(m *image.RGBA) *image.RGBA {
	picture.Screen(m)
	return m
}

// grain adds a camera's noise: at most two steps of brightness.
func grain(m *image.RGBA, noise *rand.Rand) {
	picture.Each(m, m.Rect, func(_, _ int, v color.RGBA) color.RGBA {
		n := noise.IntN(5) - 2
		add := func(v uint8) uint8 { return uint8(min(max(int(v)+n, 0), 255)) }
		return color.RGBA{add(v.R), add(v.G), add(v.B), 255}
	})
}
