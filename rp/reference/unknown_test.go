package reference_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// TestStrangersAreAnsweredAlike begins sign-ins for somebody, for nobody, and for somebody
// without a passkey, and ends them with a wrong key: neither the options nor the refusals
// tell them apart.
func TestStrangersAreAnsweredAlike(t *testing.T) {
	each(t, func(s site) {
		s.register(ada, newToy(t))
		s.ok(s.SignOut(s.ctx, ada))
		s.ok(s.AddPerson(s.ctx, rp.Person{Name: "Bob"}))
		asked := func(name, want string, how func(*toyKey)) []struct{ ID string } {
			key := newToy(t)
			_, err := s.SignIn(s.ctx, rp.Person{Name: name}, key) // to see what is asked
			if err == nil {
				t.Fatalf("%s signed in", name)
			}
			ids := key.request.AllowCredentials
			forged := key.newKey(nil)
			forged.id, err = base64.RawURLEncoding.DecodeString(ids[0].ID)
			s.ok(err)
			how(forged)
			_, err = s.SignIn(s.ctx, rp.Person{Name: name}, key)
			s.refused(err, want)
			return ids
		}
		honest, another := func(*toyKey) {}, func(k *toyKey) { k.user = []byte("somebody else") }
		for _, name := range []string{ada.Name, "eve@example.com", "mallory", "bob"} {
			once := asked(name, reference.SignatureInvalid, honest)
			twice := asked(name, reference.UserHandleMismatch, another)
			if len(once) != 1 || !slices.Equal(once, twice) {
				t.Errorf("%s: asked for %v and then for %v", name, once, twice)
			}
		}
	})
}
