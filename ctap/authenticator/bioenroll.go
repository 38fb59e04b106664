package authenticator

import (
	"context"
	"io"
	"slices"
	"time"

	"fido-emu/ctap"
)

// templateIDSize is the length in bytes of a templateId.
const templateIDSize = 4

// Sensor is a [User] whose finger goes well or badly onto the fingerprint sensor.
// One without it lays every finger on well.
type Sensor interface {
	// Sample asks for a finger to be captured. It answers as Presence does; how the
	// capture went counts only with Granted.
	Sample(ctx context.Context, p Prompt) (Answer, ctap.SampleStatus)
}

// enrolment is a fingerprint that is being learnt. It lasts until its last good
// sample, until it is cancelled or another begins, or until a power cycle. The
// token that each capture needs says whose it is.
type enrolment struct {
	template  []byte // its id; nil: none is under way
	remaining uint   // good samples
}

// enrollBegin is section 6.7.4: an enrolment that was under way is cancelled, and
// the first sample is captured.
func (a *Authenticator) enrollBegin(ctx context.Context, p *ctap.BioEnrollmentParams) (*ctap.BioEnrollmentResponse, error) {
	a.boot.enrolment = enrolment{}
	if len(a.device.Templates) >= a.profile.Biometrics.maxTemplates() {
		return nil, ctap.ErrFPDatabaseFull
	}
	id, err := a.newTemplateID()
	if err != nil {
		return nil, err
	}
	status, err := a.capture(ctx, p)
	if err != nil {
		return nil, err
	}
	a.boot.enrolment = enrolment{template: id, remaining: a.profile.Biometrics.samples()}
	response, err := a.sampled(status)
	if err != nil {
		return nil, err
	}
	response.TemplateID = id
	return response, nil
}

// enrollCaptureNextSample is section 6.7.5.
func (a *Authenticator) enrollCaptureNextSample(ctx context.Context, p *ctap.BioEnrollmentParams) (*ctap.BioEnrollmentResponse, error) {
	if a.boot.enrolment.template == nil || !slices.Equal(a.boot.enrolment.template, p.TemplateID) {
		return nil, ctap.ErrInvalidOption
	}
	status, err := a.capture(ctx, p)
	if err != nil {
		return nil, err
	}
	return a.sampled(status)
}

// newTemplateID returns an id that no template has.
func (a *Authenticator) newTemplateID() ([]byte, error) {
	for {
		id := make([]byte, templateIDSize)
		if _, err := io.ReadFull(a.env.Rand, id); err != nil {
			return nil, err
		}
		if a.template(id) < 0 {
			return id, nil
		}
	}
}

// capture takes one sample. A user who does not come in time is a status and not an
// error: the enrolment goes on.
func (a *Authenticator) capture(ctx context.Context, p *ctap.BioEnrollmentParams) (ctap.SampleStatus, error) {
	prompt := Prompt{Command: ctap.BioEnrollment, Timeout: userActionTimeout}
	if p.Timeout > 0 {
		longest := uint(maxUsagePeriod / time.Millisecond) // the token does not last longer
		prompt.Timeout = time.Duration(min(p.Timeout, longest)) * time.Millisecond
	}
	ctap.ReportProgress(ctx, ctap.UPNeeded)
	defer ctap.ReportProgress(ctx, ctap.Processing)
	answer, status := a.sample(ctx, prompt)
	switch answer {
	case Granted:
		return status, nil
	case TimedOut:
		return ctap.SampleNoUserActivity, nil
	case NotRecognised:
		return ctap.SamplePoorQuality, nil
	}
	return 0, statusOf(answer)
}

func (a *Authenticator) sample(ctx context.Context, p Prompt) (Answer, ctap.SampleStatus) {
	if sensor, ok := a.env.User.(Sensor); ok {
		return sensor.Sample(ctx, p)
	}
	return a.env.User.Presence(ctx, p), ctap.SampleGood
}

// sampled counts a sample. The last good one makes the template, durably.
func (a *Authenticator) sampled(status ctap.SampleStatus) (*ctap.BioEnrollmentResponse, error) {
	e := &a.boot.enrolment
	remaining := e.remaining
	if status == ctap.SampleGood {
		remaining--
	}
	if remaining == 0 {
		d := a.device
		d.Templates = append(slices.Clone(d.Templates), Template{ID: e.template})
		if err := a.save(d); err != nil {
			return nil, err
		}
		*e = enrolment{}
	}
	e.remaining = remaining
	return &ctap.BioEnrollmentResponse{LastSampleStatus: &status, RemainingSamples: &remaining}, nil
}
