package authenticator_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// bioEnroll is a subcommand of authenticatorBioEnrollment.
func (w *world) bioEnroll() {
	if !w.p.Biometrics.Enrollment {
		w.Skip("no sensor")
	}
	sub := pick(w, []uint{ctap.EnrollBegin, ctap.EnrollCaptureNextSample, ctap.EnumerateEnrollments, ctap.SetFriendlyName, ctap.RemoveEnrollment}, "subcommand")
	if w.enrolling != nil && !w.chance(4, "something else") {
		sub = ctap.EnrollCaptureNextSample
	}
	id := w.fingerID(sub)
	params := map[int]any{1: []byte(id)}
	name := "finger " + pick(w, []string{"one", "two"}, "name")
	if sub == ctap.SetFriendlyName {
		params[2] = name
	}
	encoded := w.encode(params)
	x := w.prove(be, "", append([]byte{1, byte(sub)}, encoded...))
	worth := w.worth(x, be, "")
	status, body := w.exchange(ctap.BioEnrollment, ctap.BioEnrollmentRequest{
		Modality: 1, SubCommand: sub, Params: encoded, PinUvAuthProtocol: x.protocol, PinUvAuthParam: x.mac,
	}, nil)
	w.judge(x, worth, status, "bio enrolment")
	if worth == no && status == ctap.OK {
		w.object("bio enrolment %d without a token", sub)
	}
	if sub == ctap.EnrollBegin && worth == yes || sub == ctap.EnrollBegin && status == ctap.OK {
		w.enrolling = nil
	}
	if status == ctap.OK {
		w.didEnroll(sub, id, name, body)
	} else if full := len(w.fingers) >= int(w.p.Biometrics.MaxTemplates); worth == yes && sub == ctap.EnrollBegin && full != (status == ctap.ErrFPDatabaseFull) {
		w.refusedFinger(status)
	}
}

// refusedFinger objects to a refusal that has nothing to do with the person.
func (w *world) refusedFinger(status ctap.Status) {
	if status != ctap.ErrKeepaliveCancel && status != ctap.ErrOperationDenied {
		w.object("enrollBegin with %d fingers: %v", len(w.fingers), status)
	}
}

func (w *world) fingerID(sub uint) string {
	switch {
	case sub == ctap.EnrollCaptureNextSample && w.enrolling != nil:
		return string(w.enrolling)
	case len(w.fingers) > 0:
		return pick(w, w.fingers, "finger").id
	}
	return "none"
}

func (w *world) didEnroll(sub uint, id, name string, body []byte) {
	i := slices.IndexFunc(w.fingers, func(f finger) bool { return f.id == id })
	if (sub == ctap.SetFriendlyName || sub == ctap.RemoveEnrollment) && i < 0 {
		w.object("subcommand %d of a finger that is not there", sub)
	}
	var r ctap.BioEnrollmentResponse
	if len(body) > 0 {
		w.decode(body, &r)
	}
	switch sub {
	case ctap.EnrollBegin:
		if len(w.fingers) >= int(w.p.Biometrics.MaxTemplates) {
			w.object("a finger more than there is room for")
		}
		w.enrolling, w.samples = r.TemplateID, w.p.Biometrics.Samples
		w.sampled(&r)
	case ctap.EnrollCaptureNextSample:
		if w.enrolling == nil {
			w.object("a sample of nothing")
		}
		w.sampled(&r)
	case ctap.EnumerateEnrollments:
		w.sameFingers(&r)
	case ctap.SetFriendlyName:
		w.fingers = slices.Clone(w.fingers)
		w.fingers[i].name = name
	case ctap.RemoveEnrollment:
		w.fingers = slices.Delete(slices.Clone(w.fingers), i, i+1)
		w.happened("finger removed")
	}
}

// sampled counts a capture; only the person's good ones count.
func (w *world) sampled(r *ctap.BioEnrollmentResponse) {
	if r.LastSampleStatus == nil || r.RemainingSamples == nil {
		w.object("a capture without its outcome")
	}
	good := w.touched()
	if good != (*r.LastSampleStatus == ctap.SampleGood) {
		w.object("sample status %#x, the person said %v", *r.LastSampleStatus, w.asked)
	}
	if good {
		w.samples--
	}
	if *r.RemainingSamples != w.samples {
		w.object("%d samples remain, want %d", *r.RemainingSamples, w.samples)
	}
	if w.samples == 0 {
		w.fingers = append(slices.Clone(w.fingers), finger{id: string(w.enrolling)})
		w.enrolling = nil
		w.happened("finger enrolled")
	}
}

func (w *world) sameFingers(r *ctap.BioEnrollmentResponse) {
	var told []finger
	for _, f := range r.Templates {
		told = append(told, finger{string(f.ID), f.FriendlyName})
	}
	if !slices.Equal(told, w.fingers) {
		w.object("fingers %q, want %q", told, w.fingers)
	}
}

// writeBlobs sends a large-blob array, whole, in pieces, wrong or not to the end.
func (w *world) writeBlobs() {
	if !w.p.LargeBlobs {
		w.Skip("no large blobs")
	}
	if w.upload.whole == nil || w.chance(4, "anew") {
		content := append([]byte{0x81, 0x43}, fmt.Sprintf("%03d", w.rand.Uint64()%1000)...)
		sum := sha256.Sum256(content)
		w.upload = upload{whole: append(content, sum[:16]...)}
		if w.chance(5, "wrong hash") {
			w.upload.whole[len(w.upload.whole)-1] ^= 1
		}
	}
	u := w.upload
	piece := u.whole[u.sent:]
	if w.chance(2, "in pieces") {
		piece = piece[:1+len(piece)/2]
	}
	offset := uint(u.sent)
	q := ctap.LargeBlobsRequest{Set: piece, Offset: &offset}
	if offset == 0 {
		length := uint(len(u.whole))
		q.Length = &length
	}
	sum := sha256.Sum256(piece)
	message := binary.LittleEndian.AppendUint32(append(bytes.Repeat([]byte{0xFF}, 32), 0x0C, 0), uint32(offset))
	if offset > 0 && w.chance(6, "out of sequence") {
		offset--
	}
	x := w.prove(lbw, "", append(message, sum[:]...))
	q.PinUvAuthProtocol, q.PinUvAuthParam = x.protocol, x.mac
	worth := w.worth(x, lbw, "")
	free := !w.protected() && !w.alwaysUV
	status, _ := w.exchange(ctap.LargeBlobs, q, nil)
	if offset != uint(w.upload.sent) {
		if status == ctap.OK {
			w.object("a fragment out of sequence is taken")
		}
		return
	}
	w.wrote(x, worth, free, status, len(piece))
}

// wrote takes the outcome of a fragment. What is stored changes with the last one.
func (w *world) wrote(x proof, worth verdict, free bool, status ctap.Status, n int) {
	u := &w.upload
	if !free {
		w.judge(x, worth, status, "large blobs")
		if worth == no && status == ctap.OK {
			w.object("large blobs are written without a token")
		}
	}
	sum := sha256.Sum256(u.whole[:len(u.whole)-16])
	sound := bytes.Equal(sum[:16], u.whole[len(u.whole)-16:])
	switch {
	case status == ctap.OK:
		u.sent += n
	case status == ctap.ErrIntegrityFailure && !sound && u.sent+n == len(u.whole):
		w.upload = upload{}
		return
	case free || worth == yes:
		if status != ctap.ErrInvalidSeq || u.sent == 0 {
			w.object("large blobs: %v, with nothing wrong", status)
		}
		w.upload = upload{}
		return
	case worth == perhaps:
		w.upload = upload{}
		return
	default:
		return
	}
	if u.sent == len(u.whole) {
		if !sound {
			w.object("an array is stored whose hash is wrong")
		}
		w.blobs, w.upload = u.whole, upload{}
		w.happened("large blobs written")
	}
}

// configure is a subcommand of authenticatorConfig.
func (w *world) configure() {
	if !w.p.Config {
		w.Skip("no configuration")
	}
	subs := []uint{ctap.ToggleAlwaysUV}
	if w.p.ClientPIN {
		subs = append(subs, ctap.SetMinPINLength)
	}
	if w.p.Enterprise.Capable {
		subs = append(subs, ctap.EnableEnterpriseAttestation)
	}
	sub := pick(w, subs, "subcommand")
	var params any
	length, force := w.shortest, false
	if sub == ctap.SetMinPINLength {
		length, force = uint(pick(w, []int{4, 5, 6, 3}, "length")), w.chance(3, "force")
		params = map[int]any{1: length, 3: force}
	}
	encoded := w.encode(params)
	x := w.prove(acfg, "", append(append(bytes.Repeat([]byte{0xFF}, 32), 0x0D, byte(sub)), encoded...))
	worth := w.worth(x, acfg, "")
	free := !w.protected() && (!w.alwaysUV || sub == ctap.ToggleAlwaysUV)
	status, _ := w.exchange(ctap.Config, ctap.ConfigRequest{SubCommand: sub, Params: encoded, PinUvAuthProtocol: x.protocol, PinUvAuthParam: x.mac}, nil)
	if !free {
		w.judge(x, worth, status, "configuration")
		if worth == no && status == ctap.OK {
			w.object("configuration %d without a token", sub)
		}
	}
	lowers := length < w.shortest || force && w.pin == ""
	if lowers && status == ctap.OK || !lowers && (free || worth == yes) && status != ctap.OK {
		w.object("configuration %d with length %d, force %v: %v", sub, length, force, status)
	}
	if status == ctap.OK {
		w.configured(sub, length, force)
	}
}

func (w *world) configured(sub, length uint, force bool) {
	switch sub {
	case ctap.EnableEnterpriseAttestation:
		w.enterprise = true
	case ctap.ToggleAlwaysUV:
		w.alwaysUV = !w.alwaysUV
		w.happened("alwaysUv toggled")
	case ctap.SetMinPINLength:
		w.shortest = length
		if w.pin != "" && (force || uint(len([]rune(w.pin))) < length) {
			w.forced = true
			w.endTokens(true)
			w.happened("PIN change forced")
		}
	}
}

// reset is authenticatorReset, sometimes soon enough after power-up.
func (w *world) reset() {
	if w.chance(2, "after a power cycle") {
		w.powerCycle()
	}
	age := w.clock.Sub(w.powered)
	status, _ := w.exchange(ctap.Reset, nil, nil)
	late := age > 10*time.Second && !w.p.ResetAnytime
	switch {
	case status == ctap.OK && (late || !w.touched()):
		w.object("a reset %v after power-up; the person said %v", age, w.asked)
	case status != ctap.OK && w.willing() && !late:
		w.object("a reset %v after power-up: %v", age, status)
	case status == ctap.OK:
		w.factory()
		w.happened("reset")
	}
}

// powerCycle takes the power away; half of the time the authenticator is made anew from
// what is stored.
func (w *world) powerCycle() {
	if w.auth.PowerCycle(); w.chance(2, "from what is stored") {
		again, err := authenticator.New(w.p, w.env)
		w.must(err)
		w.auth = again
	}
	w.model.powerCycle(w.clock)
	w.happened("power cycle")
}

// wait lets time pass.
func (w *world) wait() {
	w.pass(pick(w, []time.Duration{time.Second, 9 * time.Second, 11 * time.Second, 31 * time.Second, 5 * time.Minute, 10*time.Minute + time.Second}, "time"))
}

// selection is authenticatorSelection.
func (w *world) selection() {
	status, _ := w.exchange(ctap.Selection, nil, nil)
	if (status == ctap.OK) != w.touched() && w.modern() {
		w.object("selection: %v, the person said %v", status, w.asked)
	}
}
