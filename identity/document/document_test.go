package document

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/person"
	"fido-emu/identity/picture"
)

func inspector() *Inspector {
	return &Inspector{Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }}
}

func shipped(t testing.TB) []*person.Person {
	t.Helper()
	people, err := person.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func drawn(t testing.TB, p *person.Person, d person.Document, defects ...person.Defect) []byte {
	t.Helper()
	d.Defects = defects
	b, err := Draw(p, d)
	if err != nil {
		t.Fatal(err)
	}
	// FIDO_EMU_SHOW names a folder into which the pictures are written, to be looked at.
	if show := os.Getenv("FIDO_EMU_SHOW"); show != "" {
		if err := os.WriteFile(filepath.Join(show, fmt.Sprintf("%s-%s%s.png", d.Kind, p.ID, defects)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestEveryGoodDocumentPasses(t *testing.T) {
	for _, p := range shipped(t) {
		for _, d := range p.Documents {
			r := inspector().Inspect(drawn(t, p, d))
			if !r.Genuine() {
				t.Errorf("%s %s: %+v", p.ID, d.Kind, r.Findings)
			}
			if r.Kind != d.Kind || r.Data.Number != d.Number || r.Data.Name() != p.Name() {
				t.Errorf("%s %s: read %+v", p.ID, d.Kind, r.Data)
			}
		}
	}
}

// Every defect is found on every kind of document, and nothing is found that is not there.
func TestEveryDefectIsSeen(t *testing.T) {
	want := map[person.Defect][]Code{
		person.TamperedName:    {DataAltered, ZoneDiffers},
		person.TamperedBirth:   {DataAltered, ZoneDiffers},
		person.SwappedPortrait: {PortraitAltered},
		person.WrongCheckDigit: {ZoneCheckDigit, ZoneDiffers},
		person.NoHologram:      {HologramMissing},
		person.NoChip:          {ChipMissing},
		person.ForgedChip:      {ChipForged},
		person.Expired:         {DocumentExpired},
		person.Stolen:          {DocumentStolen},
		person.UnknownState:    {IssuerUnknown},
		person.Blurred:         {Blurred},
		person.Glare:           {Glare},
		person.Cropped:         {Cropped},
		person.Photocopy:       {Photocopy},
		person.Screenshot:      {Screen},
		person.SomeoneElses:    nil,
	}
	for _, p := range shipped(t) {
		if p.ID != "anna-eriksson" && p.ID != "soren-orsted" && p.ID != "nilavadhanananda" {
			continue
		}
		for _, d := range p.Documents {
			for _, defect := range person.Defects() {
				if d.Kind == person.DrivingLicence && defect == person.WrongCheckDigit {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", p.ID, d.Kind, defect), func(t *testing.T) {
					r := inspector().Inspect(drawn(t, p, d, defect))
					var got []Code
					for _, f := range r.Findings {
						got = append(got, f.Code)
					}
					slices.Sort(got)
					wanted := slices.DeleteFunc(slices.Sorted(slices.Values(want[defect])), func(c Code) bool {
						return d.Kind == person.DrivingLicence && strings.HasPrefix(string(c), "mrz_")
					})
					if !slices.Equal(slices.Compact(got), wanted) {
						t.Errorf("found %+v, want %v", r.Findings, wanted)
					}
				})
			}
		}
	}
}

// One letter of a name is enough.
func TestOneLetterIsSeen(t *testing.T) {
	p, err := person.Find(shipped(t), "sreejith-pillai")
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Document(person.DrivingLicence)
	if err != nil {
		t.Fatal(err)
	}
	data := dataOf(p, d)
	c, err := drawing{p, d}.chip(data, p.Face)
	if err != nil {
		t.Fatal(err)
	}
	data.Family = "Pillaj"
	portrait, err := picture.Decode(c.DG2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := printed{data, nil, portrait, true}.page()
	if err != nil {
		t.Fatal(err)
	}
	file, err := picture.PNG(m)
	if err == nil {
		file, err = c.embed(file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := inspector().Inspect(file); len(r.Findings) != 1 || !r.Has(DataAltered) {
		t.Errorf("%+v", r.Findings)
	}
}

func TestDrawIsDeterministic(t *testing.T) {
	p := shipped(t)[0]
	if a, b := drawn(t, p, p.Documents[0]), drawn(t, p, p.Documents[0]); !slices.Equal(a, b) {
		t.Error("two drawings of one document differ")
	}
}

func TestInspectRefusesWhatIsNoPicture(t *testing.T) {
	p := shipped(t)[0]
	good := drawn(t, p, p.Documents[0])
	for name, file := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "truncated": good[:len(good)/2],
		"huge": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x02\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if r := inspector().Inspect(file); !r.Has(Unreadable) || !r.Retake() {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
}

// A chip taken from another document does not make this one genuine.
func TestChipOfAnother(t *testing.T) {
	people := shipped(t)
	mine, theirs := drawn(t, people[0], people[0].Documents[0]), drawn(t, people[1], people[1].Documents[0])
	c, err := readChip(theirs)
	if err != nil {
		t.Fatal(err)
	}
	own, err := readChip(mine)
	if err != nil {
		t.Fatal(err)
	}
	bare := drawn(t, people[0], people[0].Documents[0], person.NoChip)
	file, err := c.embed(bare)
	if err != nil {
		t.Fatal(err)
	}
	if r := inspector().Inspect(file); !r.Has(DataAltered) || !r.Has(PortraitAltered) || !r.Has(ZoneDiffers) {
		t.Errorf("%+v", r.Findings)
	}
	own.DG11.Family = "Changed" // data changed, signature left
	if file, err = own.embed(bare); err != nil {
		t.Fatal(err)
	}
	if r := inspector().Inspect(file); !r.Has(ChipForged) {
		t.Errorf("%+v", r.Findings)
	}
}

func FuzzInspect(f *testing.F) {
	p := shipped(f)[0]
	f.Add(drawn(f, p, p.Documents[0]))
	f.Add([]byte(pngHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r := inspector().Inspect(b); r.Genuine() && r.Data.Number != p.Documents[0].Number {
			t.Errorf("genuine: %+v", r.Data)
		}
	})
}

func FuzzReadChip(f *testing.F) {
	f.Add([]byte(`{"dg1":"","sod":"e30="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c chip
		if c.sign("UTO", "a forger's") == nil {
			if _, err := c.verify(); err == nil {
				t.Error("a forged chip verified")
			}
		}
		file, err := c.embed(append([]byte(pngHeader), make([]byte, 12)...))
		if err == nil {
			_, _ = readChip(append(file, b...))
			_, _ = readChip(append([]byte(pngHeader), b...))
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	p := shipped(b)[0]
	for b.Loop() {
		drawn(b, p, p.Documents[0])
	}
}

func BenchmarkInspect(b *testing.B) {
	p := shipped(b)[0]
	file, i := drawn(b, p, p.Documents[0]), inspector()
	for b.Loop() {
		i.Inspect(file)
	}
}
