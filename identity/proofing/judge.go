package proofing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"slices"

	"fido-emu/identity/document"
	"fido-emu/identity/person"
	"fido-emu/identity/picture"
)

// verdict is what one attempt came to.
type verdict struct {
	reasons []Reason // none: accepted
	final   bool     // no other attempt
	kept    *kept    // of an accepted document
	match   int      // of a selfie
	frames  []string // hashes of a selfie's frames
}

func (v *verdict) refuse(p *Provider, final bool, code, format string, args ...any) {
	v.reasons = append(v.reasons, p.reason(code, fmt.Sprintf(format, args...)))
	v.final = v.final || final
}

// judgeDocument looks at the picture of a document. Another picture may be sent where
// only the picture is bad, and another document where it is none that the provider takes.
func (s *Service) judgeDocument(p *Provider, r *record, file []byte) (v verdict) {
	report := s.config.Inspector.Inspect(file)
	for _, f := range report.Findings {
		v.refuse(p, !f.Code.Retake(), string(f.Code), "%s", f.Detail)
	}
	if len(v.reasons) > 0 {
		return v
	}
	d := report.Data
	if !slices.Contains(r.Kinds, d.Kind) {
		v.refuse(p, false, KindNotTaken, "a %s; taken are %v", d.Kind, r.Kinds)
	}
	if state, _ := document.FindState(d.Issuer); !p.Serves(state.Country) {
		v.refuse(p, false, CountryNotServed, "issued by %s", state.Name)
	}
	if first := r.Document; first != nil {
		if first.Data.Kind == d.Kind {
			v.refuse(p, false, SameKind, "both are of kind %s", d.Kind)
		}
		if first.Data.Name() != d.Name() || first.Data.Birth != d.Birth {
			v.refuse(p, true, DocumentsDiffer, "names or dates of birth are not the same")
		}
	}
	v.kept = &kept{Data: d, Portrait: report.Portrait}
	if r.Document != nil {
		v.kept = r.Document // the first stands in the credential
	}
	return v
}

// judgeSelfie looks at what the camera saw:
//
//  1. one frame in front and one for each pose, all readable
//  2. none of which came before
//  3. none shows paper or a screen
//  4. each shows a face that is known, all the same one
//  5. which does what was asked, in order
//  6. and is that of the document, by the score in the person's file
func (s *Service) judgeSelfie(p *Provider, r *record, c person.Capture) (v verdict) {
	frames := s.frames(p, r, c, &v)
	if len(v.reasons) > 0 {
		return v
	}
	var all []person.Seen
	for i, m := range frames {
		switch person.Fake(m) {
		case person.Printed:
			v.refuse(p, true, PrintedPhoto, "frame %d has the white edge of a print", i+1)
			return v
		case person.OnScreen:
			v.refuse(p, true, ScreenReplay, "frame %d has the lines of a screen", i+1)
			return v
		}
		seen, err := s.gallery.Look(m)
		if err != nil && i == 0 {
			v.refuse(p, false, FaceNotFound, "frame 1: %v", err)
			return v
		}
		if err != nil || seen.Person != append(all, seen)[0].Person {
			v.refuse(p, true, FacesDiffer, "frame %d does not show the face of frame 1", i+1)
			return v
		}
		all = append(all, seen)
	}
	for i, pose := range append([]person.Pose{person.Front}, r.Challenge...) {
		if all[i].Pose != pose {
			v.refuse(p, false, LivenessFailed, "frame %d: asked for %s, seen %s", i+1, pose, all[i].Pose)
			return v
		}
	}
	v.match = s.score(all[0], r.Document.Portrait)
	if v.match < p.Threshold {
		v.refuse(p, false, FaceMismatch, "score %d, %d at least", v.match, p.Threshold)
	}
	return v
}

// frames decodes the frames of a capture: steps 1 and 2.
func (s *Service) frames(p *Provider, r *record, c person.Capture, v *verdict) (frames []*image.RGBA) {
	if len(c.Frames) != 1+len(r.Challenge) {
		v.refuse(p, false, SelfieIncomplete, "%d frames, %d asked for", len(c.Frames), 1+len(r.Challenge))
		return nil
	}
	for i, b := range c.Frames {
		m, err := picture.Decode(b)
		if err != nil {
			v.refuse(p, false, SelfieUnreadable, "frame %d: %v", i+1, err)
			return nil
		}
		h := sha256.Sum256(m.Pix) // of the pixels: written anew, a frame is still the same
		v.frames = append(v.frames, hex.EncodeToString(h[:]))
		frames = append(frames, m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(v.frames, func(h string) bool { return s.seen[h] }); i >= 0 {
		v.refuse(p, true, SelfieReplayed, "frame %d was sent before", i+1)
	}
	return frames
}

// score is what the file of the person says who was seen, against the face in a portrait.
func (s *Service) score(seen person.Seen, portrait []byte) int {
	face := ""
	if m, err := picture.Decode(portrait); err == nil {
		if of, err := s.gallery.Look(m); err == nil {
			face = of.Person.Face
		} else if !errors.Is(err, person.ErrNobody) {
			return 0
		}
	}
	return seen.Person.Score(face, seen.Condition)
}

// settle writes a verdict into a record: the next step, another attempt, or the end.
// s.mu is held.
func (s *Service) settle(h *house, r *record, v verdict) error {
	for _, f := range v.frames {
		if !s.seen[f] {
			s.seen[f] = true
			s.fresh = append(s.fresh, f)
		}
	}
	r.Reasons, r.Match = v.reasons, max(r.Match, v.match)
	r.Tries++
	switch {
	case len(v.reasons) == 0:
		if v.kept != nil {
			r.Document = v.kept
		}
		r.Match = v.match
		return s.advance(h, r)
	case v.final:
		r.end(Rejected)
	case r.Tries >= h.attempts(r.step(&h.Provider)):
		exhausted := h.reason(AttemptsExhausted, fmt.Sprintf("%d attempts", r.Tries))
		r.end(Rejected, append(v.reasons, exhausted)...)
	case r.step(&h.Provider) == Selfie: // a challenge is good once
		challenge, err := s.poses(h.Challenges)
		r.Challenge = challenge
		return err
	}
	return nil
}

// advance goes to the next step; after the last, the session is verified.
func (s *Service) advance(h *house, r *record) (err error) {
	r.Step, r.Tries, r.Reasons, r.Challenge = r.Step+1, 0, nil, nil
	if r.Step >= len(h.Steps) {
		r.Status = Verified
		return nil
	}
	if h.Steps[r.Step] == Selfie {
		r.Challenge, err = s.poses(h.Challenges)
	}
	return err
}
