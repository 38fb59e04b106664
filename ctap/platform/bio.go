package platform

import (
	"context"
	"fmt"
	"time"

	"fido-emu/ctap"
)

// Sensor is what is known of a fingerprint sensor (section 6.7.3).
type Sensor struct {
	Swipe         bool // a finger is drawn over it; touched without
	Samples       uint // good ones that an enrolment takes at most
	MaxNameLength uint // bytes of a fingerprint's name; 0 where it does not say
}

// Sample is how one capture of an enrolment went.
type Sample struct {
	Status    ctap.SampleStatus
	Remaining uint // good samples that are still needed
}

// Learns tells whether an authenticator can be taught fingerprints, by
// authenticatorBioEnrollment or its prototype of FIDO_2_1_PRE.
func Learns(info *ctap.Info) bool {
	_, final := info.Options["bioEnroll"]
	_, preview := info.Options["userVerificationMgmtPreview"]
	return final || preview
}

// FingerprintToken obtains a token for bio enrolment with a PIN. The prototype knows
// no permission of its own for it.
func (h *Host) FingerprintToken(ctx context.Context, pin string) (*Token, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	if _, final := info.Options["bioEnroll"]; !final {
		return h.LegacyToken(ctx, pin)
	}
	return h.TokenUsingPIN(ctx, pin, Need{Permissions: ctap.PermBioEnrollment})
}

// Sensor asks for what is known of the sensor (section 6.7.3).
func (h *Host) Sensor(ctx context.Context) (Sensor, error) {
	const doing = "getFingerprintSensorInfo"
	var got ctap.BioEnrollmentResponse
	err := h.bioCall(ctx, doing, &ctap.BioEnrollmentRequest{
		Modality: ctap.ModalityFingerprint, SubCommand: ctap.GetFingerprintSensorInfo,
	}, &got)
	if err == nil && (got.FingerprintKind == 0 || got.MaxCaptureSamples == 0) {
		err = broken(doing, "no kind of sensor or no number of samples", nil)
	}
	return Sensor{got.FingerprintKind == ctap.SwipeSensor, got.MaxCaptureSamples, got.MaxFriendlyNameBytes}, err
}

// Enrol teaches the authenticator a finger (sections 6.7.4 and 6.7.5) and returns the
// id of its template. feedback hears how each capture went; an error of its own ends
// the enrolment and is returned. timeout is for each capture; 0 leaves it to the
// authenticator. An enrolment that does not come to its end is cancelled.
func (h *Host) Enrol(ctx context.Context, t *Token, timeout time.Duration, feedback func(Sample) error) (id []byte, err error) {
	defer h.Forget()
	p := &ctap.BioEnrollmentParams{Timeout: uint(timeout.Milliseconds())}
	doing, subCommand := "enrollBegin", ctap.EnrollBegin
	for {
		var got ctap.BioEnrollmentResponse
		if err = h.bio(ctx, doing, t, subCommand, p, &got); err != nil {
			break
		}
		if p.TemplateID == nil {
			p.TemplateID = got.TemplateID
		}
		if len(p.TemplateID) == 0 || got.LastSampleStatus == nil || got.RemainingSamples == nil {
			err = broken(doing, "no template, no status or no number of samples", nil)
			break
		}
		if err = feedback(Sample{*got.LastSampleStatus, *got.RemainingSamples}); err != nil {
			break
		}
		if *got.RemainingSamples == 0 {
			return p.TemplateID, nil
		}
		doing, subCommand = "enrollCaptureNextSample", ctap.EnrollCaptureNextSample
	}
	if p.TemplateID != nil { // it began; what ended it is the error that counts
		_ = h.CancelEnrolment(context.WithoutCancel(ctx))
	}
	return nil, err
}

// CancelEnrolment ends an enrolment that is under way, if one is (section 6.7.5.1).
func (h *Host) CancelEnrolment(ctx context.Context) error {
	return h.bioCall(ctx, "cancelCurrentEnrollment", &ctap.BioEnrollmentRequest{
		Modality: ctap.ModalityFingerprint, SubCommand: ctap.CancelCurrentEnrollment,
	}, nil)
}

// Fingerprints lists the fingers that the authenticator knows (section 6.7.6), none
// when it knows none.
func (h *Host) Fingerprints(ctx context.Context, t *Token) ([]ctap.TemplateInfo, error) {
	var got ctap.BioEnrollmentResponse
	err := h.bio(ctx, "enumerateEnrollments", t, ctap.EnumerateEnrollments, nil, &got)
	if r, ok := err.(*Refused); ok && r.Status == ctap.ErrInvalidOption {
		return nil, nil
	}
	return got.Templates, err
}

// NameFingerprint gives a fingerprint a name (section 6.7.7).
func (h *Host) NameFingerprint(ctx context.Context, t *Token, id []byte, name string) error {
	p := &ctap.BioEnrollmentParams{TemplateID: id, FriendlyName: &name}
	return h.bio(ctx, "setFriendlyName", t, ctap.SetFriendlyName, p, nil)
}

// RemoveFingerprint removes a fingerprint (section 6.7.8). With the last one built-in
// user verification is gone.
func (h *Host) RemoveFingerprint(ctx context.Context, t *Token, id []byte) error {
	defer h.Forget()
	return h.bio(ctx, "removeEnrollment", t, ctap.RemoveEnrollment, &ctap.BioEnrollmentParams{TemplateID: id}, nil)
}

// bio sends a subcommand that a token stands for. params and result may be nil.
func (h *Host) bio(ctx context.Context, doing string, t *Token, subCommand uint, params *ctap.BioEnrollmentParams, result any) error {
	r := &ctap.BioEnrollmentRequest{
		Modality: ctap.ModalityFingerprint, SubCommand: subCommand, PinUvAuthProtocol: t.Protocol().Number(),
	}
	if params != nil {
		encoded, err := ctap.Encode(params)
		if err != nil {
			return fmt.Errorf("%s: cannot encode the parameters: %w", doing, err)
		}
		r.Params = encoded
	}
	r.PinUvAuthParam = t.Authenticate(append([]byte{byte(r.Modality), byte(subCommand)}, r.Params...))
	return h.bioCall(ctx, doing, r, result)
}

func (h *Host) bioCall(ctx context.Context, doing string, r *ctap.BioEnrollmentRequest, result any) error {
	info, err := h.Info(ctx)
	if err != nil {
		return err
	}
	command := ctap.BioEnrollment
	if _, final := info.Options["bioEnroll"]; !final {
		command = ctap.BioEnrollmentPreview
	}
	return h.call(ctx, command.String()+" "+doing, command, r, result)
}
