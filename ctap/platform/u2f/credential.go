package u2f

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// makeCredential is authenticatorMakeCredential by U2F_REGISTER (section 10.2).
func (k *Key) makeCredential(ctx context.Context, r *ctap.MakeCredentialRequest) (*ctap.MakeCredentialResponse, error) {
	// 1. Only what U2F can do.
	if err := registrable(r); err != nil {
		return nil, err
	}
	application := sha256.Sum256([]byte(r.RP.ID))
	// 2. A credential of the exclude list that is on the key: the user agrees to
	//    tell the relying party so.
	held, err := k.held(ctx, application, r.ClientDataHash, r.ExcludeList)
	if err != nil {
		return nil, err
	}
	if held != nil {
		if err := k.blink(ctx); err != nil {
			return nil, err
		}
		return nil, ctap.ErrCredentialExcluded
	}
	// 3. The hash of the client data is the challenge.
	answer, err := k.touched(ctx, register, 0, slices.Concat(r.ClientDataHash, application[:]))
	if err != nil {
		return nil, err
	}
	// 4. The answer as attestation object of format fido-u2f.
	return registration(application, answer)
}

// registrable refuses a request that U2F cannot express.
func registrable(r *ctap.MakeCredentialRequest) error {
	switch {
	case r.RP == nil || len(r.ClientDataHash) != sha256.Size:
		return ctap.ErrMissingParameter
	case !slices.ContainsFunc(r.PubKeyCredParams, func(p ctap.Parameters) bool { return p.Algorithm == int(cose.ES256) }):
		return ctap.ErrUnsupportedAlgorithm
	case r.Options["rk"] || r.Options["uv"] || r.PinUvAuthParam != nil:
		return ctap.ErrUnsupportedOption
	}
	return nil
}

// held returns the first of the credentials that the key knows, nil for none.
func (k *Key) held(ctx context.Context, application [32]byte, challenge []byte, list []ctap.Descriptor) (*ctap.Descriptor, error) {
	for i := range list {
		if list[i].Type != ctap.PublicKeyCredential || len(list[i].ID) == 0 || len(list[i].ID) > maxHandle {
			continue
		}
		_, word, err := k.send(ctx, authenticate, checkOnly, question(application, challenge, list[i].ID))
		switch {
		case err != nil:
			return nil, err
		case word == notSatisfied:
			return &list[i], nil
		case word != wrongData && word != wrongLength: // some keys say so of lengths that are not theirs
			return nil, refusal(authenticate, word)
		}
	}
	return nil, nil
}

// question is the data of U2F_AUTHENTICATE (U2F Raw Message Formats 1.2, section 5.1).
func question(application [32]byte, challenge, handle []byte) []byte {
	return slices.Concat(challenge, application[:], []byte{byte(len(handle))}, handle)
}

var errRegistration = errors.New("the answer to U2F_REGISTER cannot be read")

// registration reads 05 ‖ public key (65) ‖ length ‖ key handle ‖ certificate ‖
// signature (U2F Raw Message Formats 1.2, section 4.3).
func registration(application [32]byte, b []byte) (*ctap.MakeCredentialResponse, error) {
	if len(b) < 67 || b[0] != 5 || b[1] != 4 {
		return nil, errRegistration
	}
	point, rest := b[1:66], b[66:]
	n := int(rest[0])
	if n == 0 || len(rest) < 1+n {
		return nil, errRegistration
	}
	handle, rest := rest[1:1+n], rest[1+n:]
	var certificate asn1.RawValue
	signature, err := asn1.Unmarshal(rest, &certificate)
	if err != nil || len(signature) == 0 {
		return nil, errRegistration
	}
	statement, err := ctap.Encode(struct {
		X5C []ctap.Bytes `cbor:"x5c"`
		Sig ctap.Bytes   `cbor:"sig"`
	}{[]ctap.Bytes{bytes.Clone(certificate.FullBytes)}, bytes.Clone(signature)})
	if err != nil {
		return nil, err
	}
	data := ctap.AuthenticatorData{
		RPIDHash: application, Flags: ctap.FlagUP,
		Attested: &ctap.AttestedCredential{ID: handle, PublicKey: cose.MarshalP256(cose.ES256, point)},
	}
	return &ctap.MakeCredentialResponse{Format: "fido-u2f", AuthData: data.Append(nil), AttStmt: statement}, nil
}

// getAssertion is authenticatorGetAssertion by U2F_AUTHENTICATE (section 10.3).
func (k *Key) getAssertion(ctx context.Context, r *ctap.GetAssertionRequest) (*ctap.GetAssertionResponse, error) {
	// 1. Only what U2F can do: it signs for credentials that it is given.
	switch {
	case len(r.ClientDataHash) != sha256.Size:
		return nil, ctap.ErrMissingParameter
	case r.Options["uv"] || r.PinUvAuthParam != nil:
		return nil, ctap.ErrUnsupportedOption
	}
	// 2. The one that it knows is found without the user.
	application := sha256.Sum256([]byte(r.RPID))
	held, err := k.held(ctx, application, r.ClientDataHash, r.AllowList)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return nil, ctap.ErrNoCredentials
	}
	// 3. The signature, with the user or without.
	answer, err := k.sign(ctx, r.Options, question(application, r.ClientDataHash, held.ID))
	if err != nil {
		return nil, err
	}
	// 4. The answer as authenticator data.
	if len(answer) < 6 {
		return nil, errors.New("the answer to U2F_AUTHENTICATE is too short")
	}
	data := ctap.AuthenticatorData{
		RPIDHash: application, Flags: ctap.Flags(answer[0]) & ctap.FlagUP, SignCount: binary.BigEndian.Uint32(answer[1:5]),
	}
	return &ctap.GetAssertionResponse{
		Credential: &ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: held.ID},
		AuthData:   data.Append(nil), Signature: bytes.Clone(answer[5:]),
	}, nil
}

// sign obtains the signature. A key that signs for nobody without a touch, as those
// before U2F 1.2 do, is one that requires it.
func (k *Key) sign(ctx context.Context, options map[string]bool, question []byte) ([]byte, error) {
	if up, said := options["up"]; up || !said {
		return k.touched(ctx, authenticate, enforce, question)
	}
	answer, word, err := k.send(ctx, authenticate, dontAsk, question)
	switch {
	case err != nil:
		return nil, err
	case word != done:
		return nil, ctap.ErrUPRequired
	}
	return answer, nil
}
