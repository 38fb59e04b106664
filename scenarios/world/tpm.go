package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/tpmsim"
)

// chip is the TPM of a computer. The reference simulator is one for the whole
// process, so that the chips of a scenario take turns: one is switched on when it
// is needed, and the one before it off. A chip is its seed: switched on again it
// is the same TPM.
type chip struct {
	device  *Device
	seed    []byte
	cleared int // how often; a cleared TPM is another one
	tpm     *tpmsim.TPM
	attest  authenticator.Attestation
}

var (
	_ authenticator.Keys        = (*chip)(nil)
	_ authenticator.Attestation = (*chip)(nil)
)

const seedLength = 32

func newChip(d *Device) *chip { return &chip{device: d} }

// on returns the TPM, running.
func (c *chip) on(ctx context.Context) (*tpmsim.TPM, error) {
	if c.tpm != nil {
		return c.tpm, nil
	}
	w := c.device.world
	if w.options.TPM != "" {
		return c.machine(ctx)
	}
	if err := c.factory(); err != nil {
		return nil, err
	}
	if w.chip != nil {
		if err := w.chip.off(); err != nil {
			return nil, err
		}
	}
	seed := fmt.Appendf(c.seed[:seedLength:seedLength], " cleared %d times", c.cleared)
	tpm, err := tpmsim.Open(ctx, tpmsim.Options{Backend: tpmsim.Reference, Seed: seed, Now: w.Clock.Now})
	if err == nil {
		w.chip = c
	} else if errors.Is(err, tpmsim.ErrUnavailable) || errors.Is(err, tpmsim.ErrInUse) { // that of a slot is running
		tpm, err = c.external(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	c.tpm = tpm
	w.whenClosed(c.off)
	return tpm, nil
}

// machine takes the TPM of this machine, which can be in one device only.
func (c *chip) machine(ctx context.Context) (*tpmsim.TPM, error) {
	w := c.device.world
	if w.chip != nil && w.chip != c {
		return nil, &Missing{fmt.Sprintf("this machine has one TPM, which is that of %s", w.chip.device.Name)}
	}
	tpm, err := tpmsim.Open(ctx, tpmsim.Options{Backend: tpmsim.Device, Path: w.options.TPM})
	if err != nil {
		return nil, err
	}
	c.tpm, w.chip = tpm, c
	w.whenClosed(c.off)
	return tpm, nil
}

// notOurs skips a scenario that wants of the TPM of this machine what is only done to
// a simulated one.
func notOurs(err error) error {
	if errors.Is(err, tpmsim.ErrNotOurs) {
		return &Missing{err.Error()}
	}
	return err
}

// factory draws the seed of the chip when it is first needed.
func (c *chip) factory() error {
	if c.seed != nil {
		return nil
	}
	seed := make([]byte, seedLength)
	if _, err := io.ReadFull(c.device.world.Random.Stream(c.device.Name+" TPM"), seed); err != nil {
		return err
	}
	c.seed = seed
	return nil
}

// external starts swtpm where the reference simulator is not in this program.
func (c *chip) external(ctx context.Context, missing error) (*tpmsim.TPM, error) {
	tpm, err := tpmsim.Open(ctx, tpmsim.Options{Backend: tpmsim.Swtpm})
	if errors.Is(err, tpmsim.ErrUnavailable) {
		return nil, &Missing{"no TPM simulator: " + reason(missing) + "; " + reason(err)}
	}
	if err == nil && c.device.world.Random.Seeded() {
		c.device.world.Note("The TPM of %s is swtpm, which takes no seed: this scenario differs from run to run.", c.device.Name)
	}
	return tpm, err
}

// reason is what is missing, without what every such error begins with.
func reason(err error) string {
	_, rest, found := strings.Cut(err.Error(), tpmsim.ErrUnavailable.Error()+": ")
	if !found {
		return err.Error()
	}
	return rest
}

// off switches the TPM off; what it is stays in its seed.
func (c *chip) off() error {
	if c.tpm == nil {
		return nil
	}
	err := c.tpm.Close()
	c.tpm, c.attest = nil, nil
	if w := c.device.world; w.chip == c {
		w.chip = nil
	}
	return err
}

func (c *chip) restart(ctx context.Context) error {
	if c.tpm == nil {
		return nil
	}
	return notOurs(c.tpm.Restart(ctx))
}

func (c *chip) clear(ctx context.Context) error {
	tpm, err := c.on(ctx)
	if err != nil {
		return err
	}
	c.cleared++
	return notOurs(tpm.Clear(ctx))
}

// Generate makes a key in the TPM.
func (c *chip) Generate(alg cose.Algorithm) (handle, public []byte, err error) {
	tpm, err := c.on(context.Background())
	if err != nil {
		return nil, nil, err
	}
	return tpm.Keys().Generate(alg)
}

// Sign signs with a key that the TPM made.
func (c *chip) Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error) {
	tpm, err := c.on(context.Background())
	if err != nil {
		return nil, err
	}
	return tpm.Keys().Sign(alg, handle, message)
}

// Attest has the TPM certify a key.
func (c *chip) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	tpm, err := c.on(context.Background())
	if err != nil {
		return "", nil, err
	}
	if c.attest == nil {
		c.attest, err = tpm.Attestation(context.Background(), c.device.world.authority, c.device.Model.Title, cose.ES256)
		if err != nil {
			c.attest = nil
			return "", nil, err
		}
	}
	return c.attest.Attest(r)
}
