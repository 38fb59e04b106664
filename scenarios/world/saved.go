package world

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"fido-emu/rp"
	"fido-emu/scenarios/language"
)

// Saved is a value that a step saved for later ones. Of the members the one for
// its kind is set.
type Saved struct {
	Kind    language.Saved
	Passkey *Passkey
	Session *Session
	Text    string // a pass or a code
}

// Passkey is a passkey as it was when it was registered.
type Passkey struct {
	Person     *Person
	Credential rp.Credential
}

// Session is a sign-in that succeeded.
type Session struct {
	rp.Session
	Counter uint32        // the passkey's signature counter, as the relying party has it
	Acts    int           // what the person had to do
	Took    time.Duration // how long that took
}

// SessionOf returns a session of p that has just begun.
func SessionOf(p *Person, s rp.Session) *Session {
	session := &Session{Session: s}
	if p.cost != nil {
		session.Acts, session.Took = p.cost.Steps, p.cost.Took
	}
	return session
}

// Save keeps a value under the name that the step gives, if it gives one.
func (w *World) Save(c language.Call, s Saved) {
	if c.Save == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Kind = c.Usage.Saves
	w.saved[c.Save] = s
}

// SavedAs returns a saved value; ref is its name or ${name}.
func (w *World) SavedAs(ref string) (Saved, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.saved[language.Ref(ref)]
	if !ok {
		return Saved{}, fmt.Errorf("nothing was saved as %q", language.Ref(ref))
	}
	return s, nil
}

// PasskeyAs returns a saved passkey.
func (w *World) PasskeyAs(ref string) (*Passkey, error) {
	s, err := w.SavedAs(ref)
	if err == nil && s.Passkey == nil {
		err = fmt.Errorf("%s is no passkey", ref)
	}
	return s.Passkey, err
}

// Member returns a member of the value as text; without a name, the one by which
// the value as a whole is written.
func (s Saved) Member(name string) (string, error) {
	switch {
	case s.Passkey != nil:
		return s.Passkey.member(name)
	case s.Session != nil:
		return s.Session.member(name)
	case name == "":
		return s.Text, nil
	}
	return "", fmt.Errorf("a %s has no %q", s.Kind, name)
}

func (p *Passkey) member(name string) (string, error) {
	c := p.Credential
	switch name {
	case "", "name":
		return c.Name, nil
	case "id":
		return hex.EncodeToString(c.ID), nil
	case "aaguid":
		return c.AAGUID, nil
	case "type":
		return c.Type, nil
	case "attestation":
		return c.Attestation, nil
	case "counter":
		return strconv.FormatUint(uint64(c.SignCount), 10), nil
	}
	return "", fmt.Errorf("a passkey has no %q", name)
}

// Seconds returns how long the sign-in took, in whole seconds, rounded up.
func (s *Session) Seconds() int { return int((s.Took + time.Second - 1) / time.Second) }

func (s *Session) member(name string) (string, error) {
	switch name {
	case "", "person":
		return s.Person, nil
	case "method":
		return s.Method, nil
	case "passkey":
		return hex.EncodeToString(s.Credential), nil
	case "counter":
		return strconv.FormatUint(uint64(s.Counter), 10), nil
	case "acts":
		return strconv.Itoa(s.Acts), nil
	case "seconds":
		return strconv.Itoa(s.Seconds()), nil
	}
	return "", fmt.Errorf("a session has no %q", name)
}
