package authenticator

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// Authenticator is a CTAP2 authenticator. It implements ctap.Authenticator.
type Authenticator struct {
	profile Profile
	env     Env
	quirks  *quirks // nil for an authenticator that keeps to the specification

	mu     sync.Mutex  // one request at a time
	device Device      // as it is saved
	wrap   cipher.AEAD // under device.WrapKey; made when first needed
	boot   boot
}

// boot is the state that a power cycle ends.
type boot struct {
	poweredAt   time.Time
	agreement   [2]*pinuv.KeyAgreement // by protocol number - 1; made when first needed
	token       token
	wrongPINs   uint // in a row
	pending     pending
	enumeration enumeration
	enrolment   enrolment
	blobs       blobWrite
}

// New returns an authenticator that was just powered on. A device that was never
// used before is initialised and saved.
func New(p Profile, env Env) (*Authenticator, error) {
	a := &Authenticator{profile: p, env: env}
	if err := a.adoptQuirks(); err != nil {
		return nil, fmt.Errorf("authenticator %s: %w", p.Name, err)
	}
	a.boot.poweredAt = env.Now()
	device, err := env.Device.Load()
	if err != nil {
		return nil, fmt.Errorf("load the state of authenticator %s: %w", p.Name, err)
	}
	a.device = device
	if err := a.start(); err != nil {
		return nil, fmt.Errorf("initialise authenticator %s: %w", p.Name, err)
	}
	return a, nil
}

// start gives a device what it has not yet: all, when it was never used, and the
// persistent token, when its profile had none before.
func (a *Authenticator) start() error {
	if !a.device.Initialised {
		return a.initialise(a.profile.Biometrics.Enrolled)
	}
	if !a.profile.ReadOnlyManagement || a.device.PersistentToken != nil {
		return nil
	}
	d := a.device
	if err := a.identify(&d); err != nil {
		return err
	}
	return a.save(d)
}

// initialise gives the device its factory settings and keys of its own, and as many
// enrolled fingers as are said. The signature counter goes on.
func (a *Authenticator) initialise(fingers uint) error {
	wrapKey := make([]byte, 32)
	if _, err := io.ReadFull(a.env.Rand, wrapKey); err != nil {
		return err
	}
	d := Device{
		Initialised:  true,
		WrapKey:      wrapKey,
		Counter:      a.device.Counter,
		PINRetries:   a.profile.pinRetries(),
		UVRetries:    a.profile.uvRetries(),
		MinPINLength: a.profile.minPINLength(),
		AlwaysUV:     a.profile.AlwaysUV,
	}
	if err := a.identify(&d); err != nil {
		return err
	}
	for i := range fingers {
		d.Templates = append(d.Templates, Template{
			ID: binary.BigEndian.AppendUint32(nil, uint32(i+1)), Name: fmt.Sprintf("Finger %d", i+1),
		})
	}
	return a.save(d)
}

// save makes d durable and only then current.
func (a *Authenticator) save(d Device) error {
	if err := a.env.Device.Save(d); err != nil {
		return err
	}
	if !bytes.Equal(d.WrapKey, a.device.WrapKey) {
		a.wrap = nil
	}
	a.device = d
	return nil
}

// Profile returns the profile that the authenticator was made with.
func (a *Authenticator) Profile() Profile { return a.profile }

// HasCTAP2 tells whether the authenticator answers CTAP2 requests; a U2F key does
// not.
func (a *Authenticator) HasCTAP2() bool { return len(a.profile.Versions) > 0 }

// PowerCycle takes the power away and gives it back: tokens but for the persistent
// one, whatever was under way and the count of wrong PINs in a row are gone, and the
// reset window opens.
func (a *Authenticator) PowerCycle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.boot
	a.boot = boot{poweredAt: a.env.Now()}
	a.quirks.powerCycled(a, before)
}

// Exchange answers one request. An error means that the authenticator itself
// cannot go on, as when its state cannot be saved; everything else is an answer.
func (a *Authenticator) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.quirks.exchange(ctx, a, request)
}

// exchange is Exchange of an authenticator that keeps to the specification.
func (a *Authenticator) exchange(ctx context.Context, request []byte) ([]byte, error) {
	if len(request) == 0 {
		return []byte{byte(ctap.ErrInvalidLength)}, nil
	}
	ctap.ReportProgress(ctx, ctap.Processing)
	command := ctap.Command(request[0])
	answer, err := a.handle(ctx, command, request)
	if status := ctap.OK; errors.As(err, &status) {
		return []byte{byte(status)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", a.profile.Name, command, err)
	}
	return encodeAnswer(answer)
}

func encodeAnswer(answer any) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(512)
	b.WriteByte(byte(ctap.OK))
	if answer != nil {
		if err := ctap.EncodeTo(&b, answer); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// handle gives a request to the handler of its command. Every command ends the
// enumerations that it does not go on with.
func (a *Authenticator) handle(ctx context.Context, command ctap.Command, request []byte) (any, error) {
	if !a.HasCTAP2() {
		return nil, ctap.ErrInvalidCommand
	}
	if uint(len(request)) > a.profile.maxMsgSize() {
		a.boot.pending, a.boot.enumeration = pending{}, enumeration{}
		return nil, ctap.ErrRequestTooLarge
	}
	params := request[1:]
	if command != ctap.CredentialManagement && command != ctap.CredentialManagementPreview {
		a.boot.enumeration = enumeration{}
	}
	if command == ctap.GetNextAssertion {
		return a.getNextAssertion(ctx)
	}
	a.boot.pending = pending{}
	switch command {
	case ctap.MakeCredential:
		return answered(a.makeCredential(ctx, params))
	case ctap.GetAssertion:
		return answered(a.getAssertion(ctx, params))
	case ctap.GetInfo:
		return answered(a.getInfo())
	case ctap.ClientPIN:
		return a.clientPIN(ctx, params)
	case ctap.Reset:
		return nil, a.reset(ctx)
	}
	return a.handleOptional(ctx, command, params)
}

// handleOptional answers the commands that not every profile has.
func (a *Authenticator) handleOptional(ctx context.Context, command ctap.Command, params []byte) (any, error) {
	switch {
	case command == ctap.Selection && a.profile.ctap21():
		return nil, a.selection(ctx)
	case command == ctap.CredentialManagement && a.profile.CredentialManagement:
		return a.credentialManagement(ctx, params, false)
	case command == ctap.CredentialManagementPreview && a.profile.CredentialManagementPreview:
		return a.credentialManagement(ctx, params, true)
	case command == ctap.Config && a.profile.Config:
		return nil, a.config(params)
	case command == ctap.BioEnrollment && a.profile.Biometrics.Enrollment:
		return a.bioEnrollment(ctx, params, false)
	case command == ctap.BioEnrollmentPreview && a.profile.Biometrics.Preview:
		return a.bioEnrollment(ctx, params, true)
	case command == ctap.LargeBlobs && a.profile.LargeBlobs:
		return a.largeBlobs(ctx, params)
	}
	return nil, ctap.ErrInvalidCommand
}

// answered keeps a nil pointer from becoming a non-nil answer.
func answered[T any](answer *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Snapshot is the whole lasting state of an authenticator as plain data. It holds
// private keys.
type Snapshot struct {
	Profile     string        `json:"profile"`
	Device      Device        `json:"device"`
	Credentials []*Credential `json:"credentials"` // oldest first
}

// Snapshot returns the lasting state.
func (a *Authenticator) Snapshot() (Snapshot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	device, err := a.env.Device.Load()
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of %s: %w", a.profile.Name, err)
	}
	credentials, err := a.env.Credentials.All()
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of %s: %w", a.profile.Name, err)
	}
	return Snapshot{Profile: a.profile.Name, Device: device, Credentials: credentials}, nil
}

// Restore returns an authenticator, just powered on, with the state of a
// snapshot. What env's stores held before is gone.
func Restore(p Profile, env Env, s Snapshot) (*Authenticator, error) {
	if err := env.Credentials.Clear(); err != nil {
		return nil, fmt.Errorf("restore %s: %w", p.Name, err)
	}
	for _, c := range s.Credentials {
		if err := env.Credentials.Put(c); err != nil {
			return nil, fmt.Errorf("restore %s: credential for %s: %w", p.Name, c.RP.ID, err)
		}
	}
	if err := env.Device.Save(s.Device); err != nil {
		return nil, fmt.Errorf("restore %s: %w", p.Name, err)
	}
	return New(p, env)
}
