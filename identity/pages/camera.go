package pages

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/image/draw"

	"fido-emu/identity/person"
)

// Camera is the choice of what stands before a camera that takes a selfie. Forms have
// it as face, shows and light.
type Camera struct {
	People    []*person.Person
	Path      string        // below which ServeScene is: Path/{person}/face.jpg
	Again     string        // path that shows the form again, with what was chosen; "": the form's own
	Challenge []person.Pose // what the camera asks for after the selfie

	Face  *person.Person
	Shows person.Liveness
	Light person.Condition
}

// Choose sets what a form says, and of what it says nothing: the holder of the phone, as
// that person's file has them, in daylight. What there is not is an error.
func (c *Camera) Choose(form url.Values, holder string) (err error) {
	id := form.Get("face")
	if i := slices.IndexFunc(c.People, func(p *person.Person) bool { return p.ID == holder }); id == "" && i >= 0 {
		id = holder
	} else if id == "" && len(c.People) > 0 {
		id = c.People[0].ID
	}
	if c.Face, err = person.Find(c.People, id); err != nil {
		return err
	}
	c.Shows, c.Light = c.Face.Liveness, person.Daylight
	if shows := person.Liveness(form.Get("shows")); shows != "" {
		c.Shows = shows
	}
	if light := person.Condition(form.Get("light")); light != "" {
		c.Light = light
	}
	switch {
	case !slices.Contains(person.Livenesses(), c.Shows):
		return fmt.Errorf("nothing that stands before a camera is called %q, only %v", c.Shows, person.Livenesses())
	case !slices.Contains(person.Conditions(), c.Light):
		return fmt.Errorf("no light is called %q, only %v", c.Light, person.Conditions())
	}
	return nil
}

// Who is the person whom the camera takes: the one of the face, who tries what was chosen.
func (c *Camera) Who() *person.Person {
	who := *c.Face
	who.Liveness = c.Shows
	return &who
}

// Named is what a person is called, told apart from others of the same name.
func (c *Camera) Named(p *person.Person) string {
	same := func(q *person.Person) bool { return q != p && q.Name() == p.Name() }
	if slices.ContainsFunc(c.People, same) {
		return p.Name() + " (" + p.ID + ")"
	}
	return p.Name()
}

// Lights returns what one can choose from.
func (c *Camera) Lights() []person.Condition { return person.Conditions() }

// Scene is one thing that can stand before the camera.
type Scene struct {
	Shows   person.Liveness
	Words   string
	Picture string // address
	Chosen  bool
}

// Scenes returns what one can choose from.
func (c *Camera) Scenes() (all []Scene) {
	for _, l := range person.Livenesses() {
		q := url.Values{"shows": {string(l)}, "light": {string(c.Light)}}
		for _, p := range c.Challenge {
			q.Add("pose", string(p))
		}
		all = append(all, Scene{l, shown(l), c.Path + "/" + c.Face.ID + "/face.jpg?" + q.Encode(), l == c.Shows})
	}
	return all
}

// Width and Height are the size of the pictures of scenes, in pixels, so that a page
// keeps room for them.
func (c *Camera) Width() int { return stripWidth(1 + len(c.Challenge)) }

// Height: see Width.
func (c *Camera) Height() int { return frameHeight }

// How a picture of a scene is made: of frames, smaller than the camera's.
const (
	sceneScale  = 2
	frameWidth  = person.FaceWidth / sceneScale
	frameHeight = person.FaceHeight / sceneScale
	frameGap    = 3
)

// stripWidth is the width of so many frames side by side.
func stripWidth(frames int) int { return frames*(frameWidth+frameGap) - frameGap }

// ServeScene answers with a picture of what a camera would see of a person, by the id in
// the path: the frames side by side. The query has shows, light and poses.
func ServeScene(w http.ResponseWriter, r *http.Request, people []*person.Person) {
	c, q := Camera{People: people}, r.URL.Query()
	q.Set("face", r.PathValue("person"))
	if err := c.Choose(q, ""); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	for _, p := range q["pose"] {
		if !slices.Contains(person.Poses(), person.Pose(p)) || len(c.Challenge) >= len(person.Poses()) {
			http.Error(w, fmt.Sprintf("poses are some of %v", person.Poses()), http.StatusBadRequest)
			return
		}
		c.Challenge = append(c.Challenge, person.Pose(p))
	}
	b, err := strip(c.Who().Scene(c.Light, c.Challenge))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "max-age=3600") // drawn from data that does not change
	_, _ = w.Write(b)                               // whoever asked may have left
}

// strip puts frames side by side, smaller.
func strip(frames []*image.RGBA) ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, stripWidth(len(frames)), frameHeight))
	draw.Draw(m, m.Rect, image.White, image.Point{}, draw.Src)
	for i, f := range frames {
		at := image.Rect(0, 0, frameWidth, frameHeight).Add(image.Pt(i*(frameWidth+frameGap), 0))
		draw.ApproxBiLinear.Scale(m, at, f, f.Rect, draw.Src, nil)
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85})
	return b.Bytes(), err
}
