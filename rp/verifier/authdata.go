package verifier

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"fido-emu/ctap"
)

func (v *Verifier) checkLeftOver(r *response) error {
	if r.data.leftOver != 0 && !r.data.has(ctap.FlagED) {
		return fmt.Errorf("%d bytes follow authenticator data", r.data.leftOver)
	}
	return nil
}

func (v *Verifier) checkExtensions(r *response) error {
	switch d := &r.data; {
	case !d.has(ctap.FlagED):
		return nil
	case d.extensions == nil:
		return errors.New("ED is 1 and there are no extensions")
	case d.extensions[0]>>5 != 5:
		return errors.New("extensions are not a CBOR map")
	case d.leftOver != 0:
		return fmt.Errorf("%d bytes follow the extensions", d.leftOver)
	}
	return nil
}

func (v *Verifier) checkRPID(r *response) error {
	if want := sha256.Sum256([]byte(v.config.RPID)); !bytes.Equal(want[:], r.data.rpIDHash) {
		return errors.New("authenticator data is for another relying party")
	}
	return nil
}

func (v *Verifier) checkPresence(r *response) error {
	if !r.data.has(ctap.FlagUP) {
		return errors.New("the user was not present")
	}
	return nil
}

func (v *Verifier) checkVerification(r *response) error {
	if r.request.UserVerification && !r.data.has(ctap.FlagUV) {
		return errors.New("the user was not verified")
	}
	return nil
}

func (v *Verifier) checkBackupState(r *response) error {
	if r.data.has(ctap.FlagBS) && !r.data.has(ctap.FlagBE) {
		return errors.New("the passkey is backed up and cannot be")
	}
	return nil
}
