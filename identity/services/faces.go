package services

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // photos are JPEG or PNG
	_ "image/png"
	"io"
	"sync"

	"fido-emu/identity/person"
	"fido-emu/identity/request"
)

// challenge is what the wallet's camera asks of a face after the selfie.
func challenge() []person.Pose { return []person.Pose{person.TurnLeft, person.Blink} }

// Selfie is what a wallet's camera hands in for Face Check when this person is before
// it: a person.Capture as JSON.
func Selfie(p *person.Person, random io.Reader, c person.Condition) ([]byte, error) {
	capture, err := p.Capture(random, c, challenge())
	if err != nil {
		return nil, err
	}
	return json.Marshal(capture)
}

// Faces is the Face Check of the request service. It recognises no face: a gallery
// finds by its pixels which drawing a picture shows, and the score is what the file of
// that person says.
type Faces struct {
	gallery *person.Gallery

	mu   sync.Mutex
	seen map[[32]byte]bool           // hashes of frames
	save func(snapshot []byte) error // nil: nothing is kept
}

// NewFaces returns the Face Check that knows the people of a gallery.
func NewFaces(g *person.Gallery) *Faces {
	return &Faces{gallery: g, seen: map[[32]byte]bool{}}
}

// Match compares a capture with a photo. A capture that is not of one living person
// who does what is asked is not live; so is one with a frame that was handed in before.
func (f *Faces) Match(_ context.Context, capture, photo []byte) (request.FaceMatch, error) {
	var c person.Capture
	if err := json.Unmarshal(capture, &c); err != nil {
		return request.FaceMatch{}, fmt.Errorf("the capture cannot be read: %w", err)
	}
	subject, err := f.look(photo)
	if err != nil {
		return request.FaceMatch{}, fmt.Errorf("the photo in the Verified ID: %w", err)
	}
	again, err := f.repeated(c.Frames)
	if err != nil {
		return request.FaceMatch{}, err
	}
	seen, err := f.live(c)
	if err != nil || again { // why is told to nobody: it would teach
		return request.FaceMatch{}, nil
	}
	return request.FaceMatch{Live: true, Score: float64(seen.Person.Score(subject.Person.Face, seen.Condition))}, nil
}

// errNotLive says that no living person was before the camera.
var errNotLive = errors.New("no living person")

// live looks at every frame and returns who the selfie shows.
func (f *Faces) live(c person.Capture) (person.Seen, error) {
	poses := append([]person.Pose{person.Front}, challenge()...)
	if len(c.Frames) != len(poses) {
		return person.Seen{}, errNotLive
	}
	var selfie person.Seen
	for i, frame := range c.Frames {
		seen, err := f.look(frame)
		switch {
		case err != nil:
			return person.Seen{}, err
		case seen.fake != "" || seen.Pose != poses[i]:
			return person.Seen{}, errNotLive
		case i == 0:
			selfie = seen.Seen
		case seen.Person.Face != selfie.Person.Face:
			return person.Seen{}, errNotLive
		}
	}
	return selfie, nil
}

// repeated tells whether a frame came before, and remembers them all.
func (f *Faces) repeated(frames [][]byte) (again bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, frame := range frames {
		h := sha256.Sum256(frame)
		again = again || f.seen[h]
		f.seen[h] = true
	}
	if f.save != nil {
		err = f.save(f.snapshot())
	}
	return again, err
}

// looked is what a picture shows, and whether it is a picture of a picture.
type looked struct {
	person.Seen
	fake person.Liveness
}

// maxPixels bounds a picture before it is decoded.
const maxPixels = 4096 * 4096

func (f *Faces) look(file []byte) (looked, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return looked{}, err
	}
	if size.Width*size.Height > maxPixels {
		return looked{}, fmt.Errorf("%d by %d pixels are too many", size.Width, size.Height)
	}
	m, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return looked{}, err
	}
	rgba := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(rgba, rgba.Rect, m, m.Bounds().Min, draw.Src)
	fake := person.Fake(rgba)
	if fake != "" {
		return looked{fake: fake}, nil
	}
	seen, err := f.gallery.Look(rgba)
	return looked{Seen: seen}, err
}
