package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// model is a store in its plainest form, oldest first.
type model struct {
	max     int
	content []*authenticator.Credential
}

func (m *model) put(c *authenticator.Credential) error {
	left := slices.DeleteFunc(slices.Clone(m.content), func(old *authenticator.Credential) bool {
		return string(old.ID) == string(c.ID) || old.Discoverable && c.Discoverable &&
			old.RP.ID == c.RP.ID && string(old.User.ID) == string(c.User.ID)
	})
	if c.Discoverable && m.max > 0 && discoverable(left) >= m.max {
		return ctap.ErrKeyStoreFull
	}
	m.content = append(left, c)
	slices.SortStableFunc(m.content, func(a, b *authenticator.Credential) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return nil
}

// date gives c the time of creation of the credential that it is a change of.
func (m *model) date(c *authenticator.Credential) {
	for _, old := range m.content {
		if string(old.ID) == string(c.ID) && old.RP.ID == c.RP.ID && string(old.User.ID) == string(c.User.ID) && old.Discoverable == c.Discoverable {
			c.CreatedAt = old.CreatedAt
		}
	}
}

func (m *model) delete(id string) {
	m.content = slices.DeleteFunc(m.content, func(c *authenticator.Credential) bool { return string(c.ID) == id })
}

func discoverable(credentials []*authenticator.Credential) (n int) {
	for _, c := range credentials {
		if c.Discoverable {
			n++
		}
	}
	return n
}

// sequences compares a store with a model of it after any sequence of calls.
func sequences(t *testing.T, new func(max int) authenticator.Credentials) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{max: rapid.IntRange(0, 4).Draw(t, "max")}
		s := new(m.max)
		names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		created := 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				created++
				c := New(names.Draw(t, "id"), names.Draw(t, "rp"), names.Draw(t, "user"), created)
				c.Discoverable = rapid.IntRange(0, 3).Draw(t, "discoverable") > 0
				m.date(c)
				if got, want := s.Put(c), m.put(c); !errors.Is(got, want) {
					t.Fatalf("Put is %v, want %v", got, want)
				}
			},
			"rename": func(t *rapid.T) {
				if len(m.content) == 0 {
					t.Skip("nothing to rename")
				}
				c := *rapid.SampledFrom(m.content).Draw(t, "credential")
				created++
				c.User.DisplayName = fmt.Sprint("name ", created)
				must(t, s.Put(&c))
				must(t, m.put(&c))
			},
			"delete": func(t *rapid.T) {
				id := names.Draw(t, "id")
				must(t, s.Delete([]byte(id)))
				m.delete(id)
			},
			"": func(t *rapid.T) {
				contents(t, s, m.content...)
				for _, rp := range []string{"a", "b", "c", "d", "e"} {
					byRP(t, s, rp, m.byRP(rp)...)
				}
			},
		})
	})
}

func (m *model) byRP(rp string) (ids []string) {
	for _, c := range slices.Backward(m.content) {
		if c.Discoverable && c.RP.ID == rp {
			ids = append(ids, string(c.ID))
		}
	}
	return ids
}
