package authenticator

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// bioKey is a key that can be taught fingerprints and knows none.
func bioKey() Profile {
	p := managedKey()
	p.Versions = append(p.Versions, "FIDO_2_1_PRE")
	p.BuiltInUV = Fingerprint
	p.Biometrics = Biometrics{Enrollment: true, Preview: true, MaxTemplates: 2, MaxNameLength: 16}
	return p
}

// teacher is a rig with a PIN and a token for bio enrolment, whose sensor gives what
// samples says, one after the other, and good ones after that.
type teacher struct {
	*rig
	token   []byte
	samples []ctap.SampleStatus
}

func (b *teacher) Presence(ctx context.Context, p Prompt) Answer { return b.ask(ctx, p) }

// Sample implements Sensor.
func (b *teacher) Sample(ctx context.Context, p Prompt) (Answer, ctap.SampleStatus) {
	if len(b.samples) == 0 {
		return b.ask(ctx, p), ctap.SampleGood
	}
	status := b.samples[0]
	b.samples = b.samples[1:]
	return b.ask(ctx, p), status
}

func newTeacher(t testing.TB, p Profile) *teacher {
	t.Helper()
	b := &teacher{rig: newRig(t, p)}
	b.env.User = b
	var err error
	if b.auth, err = New(p, b.env); err != nil {
		t.Fatal(err)
	}
	b.want(b.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	b.renew()
	return b
}

// renew gets a new token.
func (b *teacher) renew() {
	b.t.Helper()
	token, status := b.rig.token(pinuv.Two, "1234", ctap.PermBioEnrollment, "")
	b.want(status, ctap.OK, "token")
	b.token = token
}

// bio sends a subcommand, authorised by the token.
func (b *teacher) bio(command ctap.Command, sub uint, params any) (ctap.BioEnrollmentResponse, ctap.Status) {
	b.t.Helper()
	q := &ctap.BioEnrollmentRequest{Modality: 1, SubCommand: sub, PinUvAuthProtocol: 2}
	if params != nil {
		raw, err := ctap.Encode(params)
		if err != nil {
			b.t.Fatal(err)
		}
		q.Params = raw
	}
	q.PinUvAuthParam = pinuv.Two.Authenticate(b.token, append([]byte{1, byte(sub)}, q.Params...))
	var response ctap.BioEnrollmentResponse
	return response, b.send(command, q, &response)
}

// enrol teaches one finger with good samples.
func (b *teacher) enrol() (id []byte) {
	b.t.Helper()
	r, status := b.bio(ctap.BioEnrollment, ctap.EnrollBegin, nil)
	for status == ctap.OK && *r.RemainingSamples > 0 {
		id = slices.Clone(append(id[:0], orBytes(r.TemplateID, id)...))
		r, status = b.bio(ctap.BioEnrollment, ctap.EnrollCaptureNextSample, ctap.BioEnrollmentParams{TemplateID: id})
	}
	b.want(status, ctap.OK, "enrolment")
	return id
}

func orBytes(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

func (r *rig) info() *ctap.Info {
	r.t.Helper()
	info := &ctap.Info{}
	r.want(r.send(ctap.GetInfo, nil, info), ctap.OK, "getInfo")
	return info
}

func TestSensorIsThere(t *testing.T) {
	r := newRig(t, bioKey())
	for _, command := range []ctap.Command{ctap.BioEnrollment, ctap.BioEnrollmentPreview} {
		var response ctap.BioEnrollmentResponse
		r.want(r.send(command, ctap.BioEnrollmentRequest{GetModality: true}, &response), ctap.OK, "getModality")
		if response.Modality != 1 {
			t.Errorf("modality %d", response.Modality)
		}
		r.want(r.send(command, ctap.BioEnrollmentRequest{Modality: 1, SubCommand: ctap.GetFingerprintSensorInfo}, &response), ctap.OK, "sensor info")
		if response.FingerprintKind != ctap.TouchSensor || response.MaxCaptureSamples != 3 || response.MaxFriendlyNameBytes != 16 {
			t.Errorf("sensor %+v", response)
		}
	}
	plain := newRig(t, managedKey())
	plain.want(plain.send(ctap.BioEnrollment, ctap.BioEnrollmentRequest{GetModality: true}, nil), ctap.ErrInvalidCommand, "a key without a sensor")
}

func TestEnrolment(t *testing.T) {
	for _, command := range []ctap.Command{ctap.BioEnrollment, ctap.BioEnrollmentPreview} {
		b := newTeacher(t, bioKey())
		if o := b.info().Options; o["uv"] || o["bioEnroll"] || o["userVerificationMgmtPreview"] {
			t.Errorf("options of an untaught key: %v", o)
		}
		b.samples = []ctap.SampleStatus{ctap.SampleTooFast, ctap.SampleGood, ctap.SampleExists, ctap.SampleGood, ctap.SampleGood}
		r, status := b.bio(command, ctap.EnrollBegin, ctap.BioEnrollmentParams{Timeout: 5000})
		b.want(status, ctap.OK, "enrollBegin")
		if p := b.asked[len(b.asked)-1]; p.Timeout != 5*time.Second {
			t.Errorf("prompt %+v", p)
		}
		id := r.TemplateID
		var got []string
		for {
			got = append(got, fmt.Sprintf("%d:%d", *r.LastSampleStatus, *r.RemainingSamples))
			if *r.RemainingSamples == 0 {
				break
			}
			r, status = b.bio(command, ctap.EnrollCaptureNextSample, ctap.BioEnrollmentParams{TemplateID: id})
			b.want(status, ctap.OK, "enrollCaptureNextSample")
		}
		if s := strings.Join(got, " "); s != "5:3 0:2 11:2 0:1 0:0" {
			t.Errorf("samples %s", s)
		}
		_, status = b.bio(command, ctap.EnrollCaptureNextSample, ctap.BioEnrollmentParams{TemplateID: id})
		b.want(status, ctap.ErrInvalidOption, "a sample past the end")
		if o := b.info().Options; !o["uv"] || !o["bioEnroll"] || !o["userVerificationMgmtPreview"] {
			t.Errorf("options of a taught key: %v", o)
		}
		b.auth.PowerCycle()
		if len(b.auth.device.Templates) != 1 || !bytes.Equal(b.auth.device.Templates[0].ID, id) {
			t.Errorf("templates %x", b.auth.device.Templates)
		}
	}
}

func TestTemplates(t *testing.T) {
	b := newTeacher(t, bioKey())
	manage := func(sub uint, p ctap.BioEnrollmentParams, want ctap.Status, what string) ctap.BioEnrollmentResponse {
		t.Helper()
		r, status := b.bio(ctap.BioEnrollment, sub, p)
		b.want(status, want, what)
		return r
	}
	name := func(s string) *string { return &s }
	manage(ctap.EnumerateEnrollments, ctap.BioEnrollmentParams{}, ctap.ErrInvalidOption, "list of none")
	first, second := b.enrol(), b.enrol()
	manage(ctap.EnrollBegin, ctap.BioEnrollmentParams{}, ctap.ErrFPDatabaseFull, "a third finger")
	manage(ctap.SetFriendlyName, ctap.BioEnrollmentParams{TemplateID: second}, ctap.ErrMissingParameter, "no name")
	manage(ctap.SetFriendlyName, ctap.BioEnrollmentParams{TemplateID: second, FriendlyName: name(strings.Repeat("x", 17))}, ctap.ErrInvalidLength, "name too long")
	manage(ctap.SetFriendlyName, ctap.BioEnrollmentParams{TemplateID: []byte{9}, FriendlyName: name("thumb")}, ctap.ErrInvalidOption, "rename of nothing")
	manage(ctap.SetFriendlyName, ctap.BioEnrollmentParams{TemplateID: second, FriendlyName: name("thumb")}, ctap.OK, "rename")
	list := manage(ctap.EnumerateEnrollments, ctap.BioEnrollmentParams{}, ctap.OK, "list").Templates
	if len(list) != 2 || !bytes.Equal(list[0].ID, first) || list[1].FriendlyName != "thumb" || list[0].FriendlyName != "" {
		t.Errorf("templates %+v", list)
	}
	manage(ctap.RemoveEnrollment, ctap.BioEnrollmentParams{}, ctap.ErrMissingParameter, "remove what")
	manage(ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: []byte{9}}, ctap.ErrInvalidOption, "remove nothing")
	manage(ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: first}, ctap.OK, "remove")
	if !b.info().Options["uv"] {
		t.Error("one finger is left and uv is off")
	}
	manage(ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: second}, ctap.OK, "remove the last")
	if o := b.info().Options; o["uv"] || o["bioEnroll"] {
		t.Errorf("options %v with no finger left", o)
	}
}

func TestBioRefuses(t *testing.T) {
	b := newTeacher(t, bioKey())
	for _, c := range []struct {
		name string
		q    ctap.BioEnrollmentRequest
		want ctap.Status
	}{
		{"no modality", ctap.BioEnrollmentRequest{SubCommand: 1}, ctap.ErrMissingParameter},
		{"no subcommand", ctap.BioEnrollmentRequest{Modality: 1}, ctap.ErrMissingParameter},
		{"a face", ctap.BioEnrollmentRequest{Modality: 2, SubCommand: 1}, ctap.ErrInvalidParameter},
		{"subcommand 8", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 8}, ctap.ErrInvalidSubcommand},
		{"no template", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 2}, ctap.ErrMissingParameter},
		{"parameters that are no map", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 1, Params: []byte{0x01}}, ctap.ErrCBORUnexpectedType},
		{"no token", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 1}, ctap.ErrPUATRequired},
		{"no protocol", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 1, PinUvAuthParam: make([]byte, 32)}, ctap.ErrMissingParameter},
		{"protocol 3", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 1, PinUvAuthParam: make([]byte, 32), PinUvAuthProtocol: 3}, ctap.ErrInvalidParameter},
		{"wrong MAC", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 1, PinUvAuthParam: make([]byte, 32), PinUvAuthProtocol: 2}, ctap.ErrPINAuthInvalid},
		{"cancel of nothing", ctap.BioEnrollmentRequest{Modality: 1, SubCommand: 3}, ctap.OK},
	} {
		b.want(b.send(ctap.BioEnrollment, c.q, nil), c.want, c.name)
	}
	token, status := b.rig.token(pinuv.Two, "1234", ctap.PermCredentialMgmt, "")
	b.want(status, ctap.OK, "token for something else")
	b.token = token
	_, status = b.bio(ctap.BioEnrollment, ctap.EnrollBegin, nil)
	b.want(status, ctap.ErrPINAuthInvalid, "token without the permission")
}

// How the user answers an enrolment's prompt, and what becomes of it.
func TestEnrolmentAnswers(t *testing.T) {
	b := newTeacher(t, bioKey())
	for answer, want := range map[Answer]ctap.Status{Denied: ctap.ErrOperationDenied, Cancelled: ctap.ErrKeepaliveCancel} {
		b.answer = answer
		_, status := b.bio(ctap.BioEnrollment, ctap.EnrollBegin, nil)
		b.want(status, want, "enrollBegin")
	}
	b.answer = TimedOut
	r, status := b.bio(ctap.BioEnrollment, ctap.EnrollBegin, ctap.BioEnrollmentParams{Timeout: 1000})
	b.want(status, ctap.OK, "enrollBegin")
	if *r.LastSampleStatus != ctap.SampleNoUserActivity || *r.RemainingSamples != 3 {
		t.Errorf("nobody came: %d, %d samples remain", *r.LastSampleStatus, *r.RemainingSamples)
	}
	for name, end := range map[string]func(){
		"cancel":        func() { b.bio(ctap.BioEnrollment, ctap.CancelCurrentEnrollment, nil) },
		"another begin": func() { b.bio(ctap.BioEnrollment, ctap.EnrollBegin, nil) },
		"power cycle":   func() { b.auth.PowerCycle(); b.renew() },
	} {
		b.answer = Granted
		r, status := b.bio(ctap.BioEnrollment, ctap.EnrollBegin, nil)
		b.want(status, ctap.OK, "enrollBegin")
		end()
		_, status = b.bio(ctap.BioEnrollment, ctap.EnrollCaptureNextSample, ctap.BioEnrollmentParams{TemplateID: r.TemplateID})
		b.want(status, ctap.ErrInvalidOption, "a sample after "+name)
	}
}

func TestBuiltInUVFollowsTheTemplates(t *testing.T) {
	p := bioKey()
	p.UVRetries, p.UVBioEnroll, p.Biometrics.Enrolled = 2, true, 1
	b := newTeacher(t, p)
	byUV := func(permissions ctap.Permissions, rpID string) ctap.Status {
		t.Helper()
		public, secret := b.agree(pinuv.Two)
		q := &ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingUv, KeyAgreement: public, Permissions: &permissions}
		if rpID != "" {
			q.RPID = &rpID
		}
		_, status := b.sendForToken(pinuv.Two, secret, q)
		return status
	}
	b.want(byUV(ctap.PermBioEnrollment, ""), ctap.OK, "be with uvBioEnroll")
	b.want(byUV(ctap.PermAuthenticatorCfg, ""), ctap.ErrUnauthorizedPerm, "acfg without uvAcfg")
	b.answer = NotRecognised
	b.want(byUV(ctap.PermGetAssertion, "a.example"), ctap.ErrUVInvalid, "a stranger")
	b.want(byUV(ctap.PermGetAssertion, "a.example"), ctap.ErrUVBlocked, "a stranger again")
	b.answer = Granted
	b.want(byUV(ctap.PermGetAssertion, "a.example"), ctap.ErrUVBlocked, "the owner, too late")
	b.renew()
	b.want(byUV(ctap.PermGetAssertion, "a.example"), ctap.OK, "the owner after the PIN")
	b.renew()
	_, status := b.bio(ctap.BioEnrollment, ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: b.auth.device.Templates[0].ID})
	b.want(status, ctap.OK, "remove")
	b.want(byUV(ctap.PermGetAssertion, "a.example"), ctap.ErrNotAllowed, "no finger is enrolled")
	q := creation("a.example", "ada")
	q.Options = map[string]bool{"uv": true}
	b.want(b.send(ctap.MakeCredential, q, nil), ctap.ErrInvalidOption, "the option uv")
}

// A model of the sensor: whatever the order of commands, an enrolment takes exactly its
// good samples, and never more templates come to be than fit.
func TestEnrolmentModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newTeacher(t, bioKey())
		var pending []byte
		var left, templates int
		b.t = t
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				status := ctap.SampleStatus(rapid.IntRange(0, 2).Draw(rt, "sample"))
				b.samples = []ctap.SampleStatus{status}
				r, answer := b.bio(ctap.BioEnrollment, ctap.EnrollBegin, nil)
				pending = nil
				if templates == 2 {
					b.want(answer, ctap.ErrFPDatabaseFull, "begin when full")
					b.samples = nil
					return
				}
				b.want(answer, ctap.OK, "begin")
				pending, left = r.TemplateID, 3
				if status == ctap.SampleGood {
					left--
				}
			},
			"capture": func(rt *rapid.T) {
				if pending == nil {
					return
				}
				status := ctap.SampleStatus(rapid.IntRange(0, 2).Draw(rt, "sample"))
				b.samples = []ctap.SampleStatus{status}
				r, answer := b.bio(ctap.BioEnrollment, ctap.EnrollCaptureNextSample, ctap.BioEnrollmentParams{TemplateID: pending})
				b.want(answer, ctap.OK, "capture")
				if status == ctap.SampleGood {
					left--
				}
				if int(*r.RemainingSamples) != left {
					rt.Fatalf("%d samples remain, want %d", *r.RemainingSamples, left)
				}
				if left == 0 {
					pending, templates = nil, templates+1
				}
			},
			"cancel": func(*rapid.T) { b.bio(ctap.BioEnrollment, ctap.CancelCurrentEnrollment, nil); pending = nil },
			"power":  func(*rapid.T) { b.auth.PowerCycle(); b.renew(); pending = nil },
			"remove": func(rt *rapid.T) {
				if templates > 0 {
					id := b.auth.device.Templates[rapid.IntRange(0, templates-1).Draw(rt, "template")].ID
					b.bio(ctap.BioEnrollment, ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: id})
					templates--
				}
			},
			"": func(rt *rapid.T) {
				if n := len(b.auth.device.Templates); n != templates || b.auth.builtInUV() != (n > 0) {
					rt.Fatalf("%d templates, want %d; built-in UV %v", n, templates, b.auth.builtInUV())
				}
			},
		})
	})
}
