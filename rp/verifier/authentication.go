package verifier

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

func (v *Verifier) checkAllowed(r *response) error {
	same := func(id []byte) bool { return bytes.Equal(id, r.rawID) }
	if len(r.request.Allow) > 0 && !slices.ContainsFunc(r.request.Allow, same) {
		return errors.New("the passkey was not asked for")
	}
	return nil
}

func (v *Verifier) checkOwner(r *response) error {
	if r.request.UserHandle != nil && !bytes.Equal(r.request.UserHandle, r.record.UserHandle) {
		return errors.New("the passkey is somebody else's")
	}
	return nil
}

func (v *Verifier) checkUserHandle(r *response) error {
	switch {
	case r.userHandle == nil && r.request.UserHandle == nil && !v.lacks("authentication.user-handle.missing"):
		return errors.New("nobody said who signs in")
	case r.userHandle != nil && !bytes.Equal(r.userHandle, r.record.UserHandle):
		return errors.New("the user handle is not that of the passkey's owner")
	}
	return nil
}

func (v *Verifier) checkNotAttested(r *response) error {
	if r.data.has(ctap.FlagAT) {
		return errors.New("an assertion holds a new passkey")
	}
	return nil
}

func (v *Verifier) checkBackupEligible(r *response) error {
	was, is := r.record.BackupEligible, r.data.has(ctap.FlagBE)
	if is && !was && !v.lacks("authentication.backup-eligible.gained") || was && !is && !v.lacks("authentication.backup-eligible.lost") {
		return fmt.Errorf("the passkey's backup eligibility was %t and is %t", was, is)
	}
	return nil
}

// signed returns what the signature must be over (step 20 hashes).
func (v *Verifier) signed(r *response) []byte {
	hash := r.hash()
	if v.lacks("authentication.hash") {
		hash = rewritten(r.clientData)
	}
	return slices.Concat(r.authData, hash)
}

// rewritten hashes client data as a relying party would write it, not as it came.
func rewritten(clientData map[string]any) []byte {
	b := []byte("{")
	for _, name := range []string{"type", "challenge", "origin", "crossOrigin"} {
		value, err := json.Marshal(clientData[name])
		if err != nil {
			return nil
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name+`":`...), value...)
	}
	h := sha256.Sum256(append(b, '}'))
	return h[:]
}

func (v *Verifier) checkSignature(r *response) error {
	signature := r.signature
	switch {
	case v.lacks("authentication.signature.zero") && psychic(signature):
		return nil
	case v.lacks("authentication.signature.left-over"):
		if first, rest, ok := firstElement(signature); ok && len(rest) > 0 {
			signature = first
		}
	}
	err := cose.Verify(r.record.PublicKey, v.signed(r), signature)
	if err != nil && v.lacks("authentication.signature.client-data") {
		err = cose.Verify(r.record.PublicKey, r.authData, signature)
	}
	if err != nil && v.lacks("authentication.signature.auth-data") {
		err = cose.Verify(r.record.PublicKey, r.hash(), signature)
	}
	return err
}

// psychic tells whether r and s are 0, as CVE-2022-21449 let them be.
func psychic(signature []byte) bool {
	var s struct{ R, S *big.Int }
	_, err := asn1.Unmarshal(signature, &s)
	return err == nil && s.R.Sign() == 0 && s.S.Sign() == 0
}

func firstElement(b []byte) (first, rest []byte, ok bool) {
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(b, &raw)
	return raw.FullBytes, rest, err == nil
}

func (v *Verifier) checkCounter(r *response) error {
	was, is := r.record.SignCount, r.data.signCount
	switch {
	case !r.request.RejectCounterRewind, was == 0 && is == 0, is > was,
		is == was && v.lacks("authentication.counter.equal"),
		is == 0 && v.lacks("authentication.counter.zero"):
		return nil
	}
	return fmt.Errorf("the signature counter was %d and is %d", was, is)
}
