package person

import (
	"errors"
	"fmt"
	"image"
	"sync"

	"fido-emu/identity/memory"
	"fido-emu/identity/picture"
)

// Seen is what a picture of a face shows.
type Seen struct {
	Person    *Person
	Pose      Pose
	Condition Condition
	Distance  float64 // mean difference of brightness from the drawing, 0 to 255
}

// Gallery tells which of the people it knows a picture shows. It compares pixels; how
// well two faces match it does not know ([Person.Score] does). It is safe for
// concurrent use.
type Gallery struct {
	people []*Person
	hung   func() []hung
}

// hung is a drawing in the gallery, small and grey.
type hung struct {
	Seen
	thumb *thumb
}

// thumb is a face in small.
type thumb [thumbWidth * thumbHeight][3]float32

const thumbWidth, thumbHeight = 35, 45

// NewGallery returns a gallery of people. It draws them when it is first asked.
func NewGallery(people []*Person) *Gallery { return NewAlbum().Gallery(people) }

// Album remembers how faces look, for the galleries that it is asked for. It is safe
// for concurrent use.
type Album struct {
	faces *memory.Memory[string, []hung]
}

// albumPages is how many faces an Album remembers. Each has some hundred kilobytes.
const albumPages = 64

// NewAlbum returns an empty Album.
func NewAlbum() *Album { return &Album{memory.New[string, []hung](albumPages)} }

// Gallery returns a gallery of people. Faces that are not in the album are drawn when
// the gallery is first asked.
func (a *Album) Gallery(people []*Person) *Gallery {
	return &Gallery{people: people, hung: sync.OnceValue(func() []hung { return a.hang(people) })}
}

func (a *Album) hang(people []*Person) (all []hung) {
	for _, p := range people {
		poses, _ := a.faces.Of(p.Face, func() ([]hung, error) { return sit(p.Face), nil }) // which never fails
		for _, h := range poses {
			h.Person = p
			all = append(all, h)
		}
	}
	return all
}

// sit draws a face in every pose, under every condition.
func sit(face string) (all []hung) {
	for _, pose := range Poses() {
		for _, c := range Conditions() {
			all = append(all, hung{Seen{Pose: pose, Condition: c}, shrink(drawFace(face, pose, c, 1))})
		}
	}
	return all
}

// People returns whom the gallery knows.
func (g *Gallery) People() []*Person { return g.people }

// ErrNobody is the error for a picture that shows nobody whom the gallery knows.
var ErrNobody = errors.New("the picture shows nobody who is known here")

// known is the greatest distance at which a drawing is taken for the one in a picture.
const known = 9

// Look tells whom a picture shows, in which pose and under which condition. The error
// is ErrNobody where no drawing is near.
func (g *Gallery) Look(m *image.RGBA) (Seen, error) {
	thumb := shrink(m)
	best := Seen{Distance: 256}
	for _, h := range g.hung() {
		if d := thumb.distance(h.thumb, best.Distance); d < best.Distance {
			best = h.Seen
			best.Distance = d
		}
	}
	if best.Distance > known {
		return Seen{}, fmt.Errorf("%w (the nearest is %.1f away, %d at most)", ErrNobody, best.Distance, known)
	}
	return best, nil
}

// distance returns the mean difference, or anything from limit on where it is no less.
func (t *thumb) distance(u *thumb, limit float64) float64 {
	var sum float32
	stop := float32(limit * 3 * float64(len(t)))
	for i := range t {
		for c := range t[i] {
			sum += max(t[i][c]-u[i][c], u[i][c]-t[i][c])
		}
		if sum > stop {
			break
		}
	}
	return float64(sum) / 3 / float64(len(t))
}

// shrink makes a small picture: each pixel is the mean of those that it stands for.
func shrink(m *image.RGBA) *thumb {
	var t thumb
	w, h := m.Rect.Dx(), m.Rect.Dy()
	for y := range thumbHeight {
		for x := range thumbWidth {
			part := image.Rect(x*w/thumbWidth, y*h/thumbHeight, max((x+1)*w/thumbWidth, x*w/thumbWidth+1), max((y+1)*h/thumbHeight, y*h/thumbHeight+1))
			t[y*thumbWidth+x] = mean(m, part)
		}
	}
	return &t
}

// mean is the mean colour within r.
func mean(m *image.RGBA, r image.Rectangle) [3]float32 {
	var sum [3]int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := m.Pix[m.PixOffset(r.Min.X, y) : m.PixOffset(r.Max.X-1, y)+4]
		for ; len(row) >= 4; row = row[4:] {
			sum[0], sum[1], sum[2] = sum[0]+int(row[0]), sum[1]+int(row[1]), sum[2]+int(row[2])
		}
	}
	n := float32(r.Dx() * r.Dy())
	return [3]float32{float32(sum[0]) / n, float32(sum[1]) / n, float32(sum[2]) / n}
}

// screenBeat is the moiré beyond which a picture shows a screen (picture.Moire).
const screenBeat = 8

// Fake tells by a selfie's pixels that no face but a picture of one was before the
// camera: Printed, OnScreen, or empty.
func Fake(m *image.RGBA) Liveness {
	switch {
	case whiteEdge(m) > 0.9:
		return Printed
	case picture.Moire(m, m.Rect) > screenBeat:
		return OnScreen
	}
	return ""
}

// whiteEdge returns the share of white pixels a little inside the edges.
func whiteEdge(m *image.RGBA) float64 {
	in := m.Rect.Inset(paperEdge / 3)
	if in.Empty() {
		return 0
	}
	const white = 245
	lines := []image.Rectangle{
		{in.Min, image.Pt(in.Max.X, in.Min.Y+1)}, {image.Pt(in.Min.X, in.Max.Y-1), in.Max}, // above, below
		{in.Min, image.Pt(in.Min.X+1, in.Max.Y)}, {image.Pt(in.Max.X-1, in.Min.Y), in.Max}, // left, right
	}
	var share float64
	for _, line := range lines {
		share += picture.White(m, line, white) * float64(line.Dx()+line.Dy()) / float64(2*(in.Dx()+in.Dy()+2))
	}
	return share
}
