package webauthn

import (
	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap/platform"
)

// outputs returns the client extension outputs.
func (c *creation) outputs(d *candidate, made *platform.Registration, rk bool, use *platform.HMACSecret) (r results, err error) {
	x := c.options.Extensions
	if x == nil {
		return r, nil
	}
	out, err := outputs(made.Data)
	if err != nil {
		return r, err
	}
	if x.CredProps {
		r.credProps = &credProps{&rk}
		if !rk && d.attachment() == attachmentPlatform { // they make discoverable ones unasked
			r.credProps.rk = nil
		}
	}
	if x.enforced() {
		if level := out[extCredProtect]; len(level) != 1 || level[0] < x.protection() {
			return r, notAllowed(d.Name+": made a credential without the protection that the page enforces", nil)
		}
	}
	if r.largeBlob, err = x.LargeBlob.created(made); err != nil {
		return r, err
	}
	if x.requiresLargeBlob() && !*r.largeBlob.supported {
		return r, notAllowed(d.Name+": made a credential without the large blob that the page requires", nil)
	}
	if x.CredBlob != nil {
		stored := string(out[extCredBlob]) == string(cborTrue)
		r.credBlob = &stored
	}
	r.appIDExclude = c.appIDExclude != ""
	if r.uvm, err = methods(x.UVM, out); err != nil {
		return r, err
	}
	if x.PRF != nil {
		r.prf, err = created(out, use)
	}
	return r, err
}

// created returns the PRF output of a registration.
func created(out map[string]cbor.RawMessage, use *platform.HMACSecret) (*prfOutputs, error) {
	enabled := string(out[extHMACSecret]) == string(cborTrue)
	p := &prfOutputs{enabled: &enabled}
	if use == nil || out[extHMACSecretMC] == nil {
		return p, nil
	}
	var err error
	p.first, p.second, err = use.Open(out[extHMACSecretMC])
	return p, err
}
