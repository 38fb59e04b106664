package platform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// Registration is a new credential: the answer to authenticatorMakeCredential and
// its authenticator data, read.
type Registration struct {
	ctap.MakeCredentialResponse
	Data *ctap.AuthenticatorData // Attested is set
}

// Assertion is one signature: an answer to authenticatorGetAssertion or
// authenticatorGetNextAssertion and its authenticator data, read.
type Assertion struct {
	ctap.GetAssertionResponse // Credential is set
	Data                      *ctap.AuthenticatorData
}

// MakeCredential makes a credential (section 6.1).
func (h *Host) MakeCredential(ctx context.Context, r *ctap.MakeCredentialRequest) (*Registration, error) {
	doing := ctap.MakeCredential.String()
	if r.RP == nil {
		return nil, fmt.Errorf("%s: no relying party given", doing)
	}
	var got Registration
	if err := h.call(ctx, doing, ctap.MakeCredential, r, &got.MakeCredentialResponse); err != nil {
		return nil, err
	}
	var err error
	if got.Data, err = authData(doing, got.AuthData, r.RP.ID); err != nil {
		return nil, err
	}
	switch a := got.Data.Attested; {
	case a == nil:
		return nil, broken(doing, "authenticator data without attested credential data", nil)
	case len(a.ID) == 0 || len(a.ID) > 1023:
		return nil, broken(doing, fmt.Sprintf("a credential id of %d bytes", len(a.ID)), nil)
	case got.Format == "":
		return nil, broken(doing, "no attestation statement format", nil)
	case len(got.AttStmt) == 0 && got.Format == "none":
		got.AttStmt = cbor.RawMessage{0xA0} // allowed to be left out since 2.2
	case len(got.AttStmt) == 0:
		return nil, broken(doing, "no attestation statement", nil)
	}
	return &got, nil
}

// GetAssertion asks for one signature (section 6.2).
func (h *Host) GetAssertion(ctx context.Context, r *ctap.GetAssertionRequest) (*Assertion, error) {
	return h.assertion(ctx, ctap.GetAssertion, r, r)
}

// GetNextAssertion asks for the next of several signatures (section 6.3). r is
// the request that began the enumeration.
func (h *Host) GetNextAssertion(ctx context.Context, r *ctap.GetAssertionRequest) (*Assertion, error) {
	return h.assertion(ctx, ctap.GetNextAssertion, nil, r)
}

// Assertions asks for signatures by every credential that matches, newest first:
// authenticatorGetAssertion and as many authenticatorGetNextAssertion as there
// are further credentials.
func (h *Host) Assertions(ctx context.Context, r *ctap.GetAssertionRequest) ([]*Assertion, error) {
	first, err := h.GetAssertion(ctx, r)
	if err != nil {
		return nil, err
	}
	all := []*Assertion{first}
	for uint(len(all)) < first.NumberOfCredentials {
		next, err := h.GetNextAssertion(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return all, nil
}

func (h *Host) assertion(ctx context.Context, command ctap.Command, params any, r *ctap.GetAssertionRequest) (*Assertion, error) {
	doing := command.String()
	var got Assertion
	if err := h.call(ctx, doing, command, params, &got.GetAssertionResponse); err != nil {
		return nil, err
	}
	var err error
	if got.Data, err = authData(doing, got.AuthData, r.RPID); err != nil {
		return nil, err
	}
	if len(got.Signature) == 0 {
		return nil, broken(doing, "no signature", nil)
	}
	if u := got.User; u != nil && (len(u.ID) == 0 || len(u.ID) > 64) {
		return nil, broken(doing, fmt.Sprintf("a user id of %d bytes", len(u.ID)), nil)
	}
	if err := got.identify(r.AllowList); err != nil {
		return nil, broken(doing, err.Error(), nil)
	}
	return &got, nil
}

// identify makes sure that the answer's credential is one that was asked for, and
// fills it in where it may be left out: CTAP 2.0 allows that for an allow list of
// one.
func (a *Assertion) identify(allowed []ctap.Descriptor) error {
	if a.Credential == nil {
		if len(allowed) != 1 {
			return fmt.Errorf("no credential named, of %d asked for", len(allowed))
		}
		a.Credential = &allowed[0]
		return nil
	}
	if len(a.Credential.ID) == 0 {
		return fmt.Errorf("a credential id of no bytes")
	}
	for i := range allowed {
		if bytes.Equal(allowed[i].ID, a.Credential.ID) {
			return nil
		}
	}
	if len(allowed) != 0 {
		return fmt.Errorf("a credential that was not asked for")
	}
	return nil
}

// authData reads authenticator data and makes sure that it is about the relying
// party that was asked for.
func authData(doing string, b []byte, rpID string) (*ctap.AuthenticatorData, error) {
	d, err := ctap.ParseAuthenticatorData(b)
	if err != nil {
		return nil, broken(doing, "its authenticator data cannot be read", err)
	}
	if d.RPIDHash != sha256.Sum256([]byte(rpID)) {
		return nil, broken(doing, fmt.Sprintf("rpIdHash is not that of %q", rpID), nil)
	}
	return d, nil
}
