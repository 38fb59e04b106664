package services_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/loop"
	"fido-emu/identity/person"
	"fido-emu/identity/services"
)

func people(t *testing.T, ids ...string) []*person.Person {
	t.Helper()
	all, err := person.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	var found []*person.Person
	for _, id := range ids {
		p, err := person.Find(all, id)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
	return found
}

// TestFaces takes one selfie and changes what is before the camera.
func TestFaces(t *testing.T) {
	all := people(t, "john-smith", "john-smith-younger", "mary-jones")
	photo, err := all[0].Portrait()
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.NewChaCha8([32]byte{1})
	capture := func(p *person.Person, l person.Liveness, c person.Condition) []byte {
		who := *p
		who.Liveness = l
		b, err := services.Selfie(&who, noise, c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cut := func(frames int) []byte {
		var c person.Capture
		if err := json.Unmarshal(capture(all[0], person.Live, person.Daylight), &c); err != nil {
			t.Fatal(err)
		}
		c.Frames = c.Frames[:frames]
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, test := range []struct {
		name    string
		capture []byte
		live    bool
		score   float64
	}{
		{"the owner", capture(all[0], person.Live, person.Daylight), true, 90},
		{"the owner in dim light", capture(all[0], person.Live, person.Dim), true, 72},
		{"who looks like the owner", capture(all[1], person.Live, person.Daylight), true, 74},
		{"somebody else", capture(all[2], person.Live, person.Daylight), true, person.Stranger},
		{"a print", capture(all[0], person.Printed, person.Daylight), false, 0},
		{"a screen", capture(all[0], person.OnScreen, person.Daylight), false, 0},
		{"a face that does not move", capture(all[0], person.Still, person.Daylight), false, 0},
		{"somebody else for the poses", capture(all[0], person.Stand, person.Daylight), false, 0},
		{"the wrong poses", capture(all[0], person.WrongTurn, person.Daylight), false, 0},
		{"a frame too few", cut(2), false, 0},
		{"no frame", cut(0), false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := services.NewFaces(person.NewGallery(all))
			got, err := f.Match(t.Context(), test.capture, photo)
			if err != nil {
				t.Fatal(err)
			}
			if got.Live != test.live || got.Score != test.score {
				t.Errorf("got %+v, want live %v and score %v", got, test.live, test.score)
			}
			if again, err := f.Match(t.Context(), test.capture, photo); err != nil || again.Live {
				t.Errorf("the same capture again gives %+v, %v; want that it is not live", again, err)
			}
		})
	}
}

func TestFacesRefusesWhatIsNoPicture(t *testing.T) {
	all := people(t, "mary-jones")
	f := services.NewFaces(person.NewGallery(all))
	for name, input := range map[string][2][]byte{
		"no capture": {[]byte("x"), nil},
		"no photo":   {[]byte(`{"frames":[]}`), []byte("x")},
		"a huge one": {[]byte(`{"frames":[]}`), []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00")},
	} {
		if got, err := f.Match(t.Context(), input[0], input[1]); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func config(n *loop.Network) services.Config {
	return services.Config{
		Now: func() time.Time { return time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC) }, Rand: rand.NewChaCha8([32]byte{1}),
		Client: n.Client(), BaseURL: "https://identity.example", Key: "k", Tenant: "shop",
	}
}

func TestFind(t *testing.T) {
	network := loop.New()
	s, err := services.New(config(network))
	if err != nil {
		t.Fatal(err)
	}
	network.Handle("identity.example", s)
	d, err := services.Find(t.Context(), network.Client(), "https://identity.example/")
	if err != nil {
		t.Fatal(err)
	}
	if d.Authority != "did:web:identity.example:shop" || len(d.Providers) != 4 {
		t.Errorf("found %+v", d)
	}
	for _, path := range []string{"/shop/did.json", "/idemia/issuer/did.json"} {
		if answer, err := network.Client().Get("https://identity.example" + path); err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v", path, answer, err)
		}
	}
	network.Handle("other.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	for _, at := range []string{"https://other.example", "https://nowhere.example", "://"} {
		if _, err := services.Find(t.Context(), network.Client(), at); err == nil || !strings.Contains(err.Error(), "harness identity serve") {
			t.Errorf("%s: %v; want what to do", at, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*services.Config){
		"no key":    func(c *services.Config) { c.Key = "" },
		"no tenant": func(c *services.Config) { c.Tenant = "" },
		"a path":    func(c *services.Config) { c.BaseURL += "/x" },
		"no host":   func(c *services.Config) { c.BaseURL = "x" },
	} {
		c := config(loop.New())
		change(&c)
		if _, err := services.New(c); err == nil {
			t.Errorf("%s: services were made", name)
		}
	}
}

func FuzzMatch(f *testing.F) {
	faces := services.NewFaces(person.NewGallery(nil))
	f.Add([]byte(`{"frames":["AA=="]}`), []byte("\x89PNG"))
	f.Fuzz(func(t *testing.T, capture, photo []byte) {
		if got, err := faces.Match(t.Context(), capture, photo); err == nil && got.Live && !bytes.Contains(capture, []byte("frames")) {
			t.Errorf("%q is alive", capture)
		}
	})
}
