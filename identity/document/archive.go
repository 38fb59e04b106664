package document

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"fido-emu/identity/memory"
	"fido-emu/identity/person"
)

// Archive remembers pictures of documents and what was read from them, and how faces
// look: each takes milliseconds and is the same every time. Those who hold the same
// Archive share that. It is safe for concurrent use, keeps what was used last, and a nil
// Archive keeps nothing.
type Archive struct {
	drawn *memory.Memory[[sha256.Size]byte, []byte]
	read  *memory.Memory[sighting, Report]
	album *person.Album
}

// How much an Archive keeps: pictures have two megabytes, reports some kilobytes.
const (
	keptPictures = 16
	keptReports  = 256
)

// sighting is a picture by its hash, read in a year: zones leave out the century.
type sighting struct {
	picture [sha256.Size]byte
	year    int
}

// NewArchive returns an empty Archive.
func NewArchive() *Archive {
	return &Archive{
		drawn: memory.New[[sha256.Size]byte, []byte](keptPictures),
		read:  memory.New[sighting, Report](keptReports),
		album: person.NewAlbum(),
	}
}

// Gallery returns a gallery of people.
func (a *Archive) Gallery(people []*person.Person) *person.Gallery {
	if a == nil {
		return person.NewGallery(people)
	}
	return a.album.Gallery(people)
}

// Draw does as [Draw] does. The bytes are not to be changed.
func (a *Archive) Draw(p *person.Person, d person.Document) ([]byte, error) {
	if a == nil {
		return Draw(p, d)
	}
	about, err := json.Marshal([]any{p, d})
	if err != nil {
		return nil, fmt.Errorf("draw the %s of %s: %w", d.Kind, p.ID, err)
	}
	return a.drawn.Of(sha256.Sum256(about), func() ([]byte, error) { return Draw(p, d) })
}

// reading returns what read finds in a picture. The lists in it are not to be changed.
func (a *Archive) reading(picture []byte, year int, read func() Report) Report {
	if a == nil {
		return read()
	}
	report, _ := a.read.Of(sighting{sha256.Sum256(picture), year}, func() (Report, error) { return read(), nil }) // which never fails
	return report
}
