package authenticator

import (
	"bytes"
	"context"
	"slices"

	"fido-emu/ctap"
)

// The defaults of a fingerprint sensor.
const (
	defaultMaxTemplates  = 5
	defaultSamples       = 3
	defaultMaxNameLength = 64
)

// HasSensor tells whether the authenticator can be taught fingerprints.
func (b *Biometrics) HasSensor() bool { return b.Enrollment || b.Preview }

func (b *Biometrics) maxTemplates() int   { return int(or(b.MaxTemplates, defaultMaxTemplates)) }
func (b *Biometrics) samples() uint       { return or(b.Samples, defaultSamples) }
func (b *Biometrics) maxNameLength() uint { return or(b.MaxNameLength, defaultMaxNameLength) }

func (b *Biometrics) kind() uint {
	if b.Swipe {
		return ctap.SwipeSensor
	}
	return ctap.TouchSensor
}

// bioEnrollment answers authenticatorBioEnrollment (section 6.7). preview is the
// prototype of FIDO_2_1_PRE, which takes tokens without permissions.
func (a *Authenticator) bioEnrollment(ctx context.Context, params []byte, preview bool) (any, error) {
	var r ctap.BioEnrollmentRequest
	if err := ctap.Decode(params, &r); err != nil {
		return nil, err
	}
	if r.GetModality {
		return &ctap.BioEnrollmentResponse{Modality: ctap.ModalityFingerprint}, nil
	}
	if r.Modality == 0 || r.SubCommand == 0 {
		return nil, ctap.ErrMissingParameter
	}
	if r.Modality != ctap.ModalityFingerprint {
		return nil, ctap.ErrInvalidParameter
	}
	switch r.SubCommand {
	case ctap.CancelCurrentEnrollment:
		a.boot.enrolment = enrolment{}
		return nil, nil
	case ctap.GetFingerprintSensorInfo:
		return a.sensorInfo(), nil
	}
	if r.SubCommand > ctap.GetFingerprintSensorInfo {
		return nil, ctap.ErrInvalidSubcommand
	}
	p, err := bioParams(&r)
	if err != nil {
		return nil, err
	}
	if err := a.authorizeBio(&r, preview); err != nil {
		return nil, err
	}
	return a.changeTemplates(ctx, r.SubCommand, p)
}

// changeTemplates does what an authorised subcommand asks for.
func (a *Authenticator) changeTemplates(ctx context.Context, subCommand uint, p *ctap.BioEnrollmentParams) (any, error) {
	switch subCommand {
	case ctap.EnrollBegin:
		return answered(a.enrollBegin(ctx, p))
	case ctap.EnrollCaptureNextSample:
		return answered(a.enrollCaptureNextSample(ctx, p))
	case ctap.EnumerateEnrollments:
		return answered(a.enumerateEnrollments())
	case ctap.SetFriendlyName:
		return nil, a.setFriendlyName(p)
	default:
		return nil, a.removeEnrollment(p)
	}
}

// bioParams reads the subcommand's parameters and refuses those without what it
// needs.
func bioParams(r *ctap.BioEnrollmentRequest) (*ctap.BioEnrollmentParams, error) {
	p := &ctap.BioEnrollmentParams{}
	if r.Params != nil {
		if r.Params[0]>>5 != 5 {
			return nil, ctap.ErrCBORUnexpectedType
		}
		if err := ctap.DecodeLoose(r.Params, p); err != nil {
			return nil, err
		}
	}
	needsID := r.SubCommand == ctap.EnrollCaptureNextSample || r.SubCommand == ctap.SetFriendlyName ||
		r.SubCommand == ctap.RemoveEnrollment
	if needsID && p.TemplateID == nil || r.SubCommand == ctap.SetFriendlyName && p.FriendlyName == nil {
		return nil, ctap.ErrMissingParameter
	}
	return p, nil
}

// authorizeBio checks the token of a subcommand.
func (a *Authenticator) authorizeBio(r *ctap.BioEnrollmentRequest, preview bool) error {
	permission := ctap.PermBioEnrollment
	if preview {
		permission |= ctap.PermMakeCredential | ctap.PermGetAssertion
	}
	message := concat([]byte{byte(r.Modality), byte(r.SubCommand)}, r.Params)
	return a.authorize(r.PinUvAuthProtocol, permission, message, r.PinUvAuthParam)
}

// sensorInfo is getFingerprintSensorInfo (section 6.7.3).
func (a *Authenticator) sensorInfo() *ctap.BioEnrollmentResponse {
	b := &a.profile.Biometrics
	return &ctap.BioEnrollmentResponse{
		FingerprintKind: b.kind(), MaxCaptureSamples: b.samples(), MaxFriendlyNameBytes: b.maxNameLength(),
	}
}

// enumerateEnrollments is section 6.7.6.
func (a *Authenticator) enumerateEnrollments() (*ctap.BioEnrollmentResponse, error) {
	if len(a.device.Templates) == 0 {
		return nil, ctap.ErrInvalidOption
	}
	response := &ctap.BioEnrollmentResponse{}
	for _, t := range a.device.Templates {
		response.Templates = append(response.Templates, ctap.TemplateInfo{ID: t.ID, FriendlyName: t.Name})
	}
	return response, nil
}

// template returns the place of a template, -1 when there is none with this id.
func (a *Authenticator) template(id []byte) int {
	return slices.IndexFunc(a.device.Templates, func(t Template) bool { return bytes.Equal(t.ID, id) })
}

// setFriendlyName is section 6.7.7.
func (a *Authenticator) setFriendlyName(p *ctap.BioEnrollmentParams) error {
	if uint(len(*p.FriendlyName)) > a.profile.Biometrics.maxNameLength() {
		return ctap.ErrInvalidLength
	}
	i := a.template(p.TemplateID)
	if i < 0 {
		return ctap.ErrInvalidOption
	}
	d := a.device
	d.Templates = slices.Clone(d.Templates)
	d.Templates[i].Name = *p.FriendlyName
	return a.save(d)
}

// removeEnrollment is section 6.7.8. Without a template built-in user verification
// is no longer configured.
func (a *Authenticator) removeEnrollment(p *ctap.BioEnrollmentParams) error {
	i := a.template(p.TemplateID)
	if i < 0 {
		return ctap.ErrInvalidOption
	}
	d := a.device
	d.Templates = slices.Delete(slices.Clone(d.Templates), i, i+1)
	return a.save(d)
}
