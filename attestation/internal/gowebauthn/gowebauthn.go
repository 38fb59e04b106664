// Package gowebauthn lets the library go-webauthn judge attestation statements, for
// tests: a second opinion that was not written here.
//
// Which roots it trusts comes from metadata for all formats but two. For
// android-key and apple it has the vendors' roots built in and no way to add one, so
// this package reaches into its two pools; the program never does.
package gowebauthn

import (
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/google/uuid"

	"fido-emu/ctap"
)

//go:linkname androidRoots github.com/go-webauthn/webauthn/protocol.attAndroidKeyHardwareRootsCertPool
var androidRoots *x509.CertPool

//go:linkname appleRoots github.com/go-webauthn/webauthn/protocol.attAppleHardwareRootsCertPool
var appleRoots *x509.CertPool

var pools sync.Mutex // held while the pools are not the library's own

// Judge returns what go-webauthn says of an attestation: nil when it verifies and
// leads to root, by metadata that knows the model with every type of attestation.
func Judge(format string, statement, authData, clientDataHash []byte, root *x509.Certificate) error {
	provider, err := trusting(authData, root)
	if err != nil {
		return err
	}
	return JudgeBy(provider, format, statement, authData, clientDataHash, root)
}

// JudgeBy is [Judge] by the metadata of a provider; root stands in for the vendors'
// own of android-key and apple.
func JudgeBy(provider metadata.Provider, format string, statement, authData, clientDataHash []byte, root *x509.Certificate) error {
	defer vouchFor(root)()
	encoded, err := ctap.Encode(struct {
		Format    string  `cbor:"fmt"`
		Statement rawCBOR `cbor:"attStmt"`
		AuthData  []byte  `cbor:"authData"`
	}{format, statement, authData})
	if err != nil {
		return err
	}
	response := protocol.AuthenticatorAttestationResponse{AttestationObject: encoded}
	response.ClientDataJSON = []byte("{}")
	parsed, err := response.Parse()
	if err == nil {
		err = parsed.AttestationObject.VerifyAttestation(clientDataHash, provider, protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
	}
	return inWords(err)
}

type rawCBOR []byte

// MarshalCBOR returns r as it is.
func (r rawCBOR) MarshalCBOR() ([]byte, error) { return r, nil }

// inWords adds the details, which the library keeps out of its error's text.
func inWords(err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %s %s", e.Type, e.Details, e.DevInfo)
}

// vouchFor puts root in the place of the built-in roots until the returned function
// is called.
func vouchFor(root *x509.Certificate) (restore func()) {
	pools.Lock()
	android, apple := androidRoots, appleRoots
	androidRoots, appleRoots = x509.NewCertPool(), x509.NewCertPool()
	androidRoots.AddCert(root)
	appleRoots.AddCert(root)
	return func() {
		androidRoots, appleRoots = android, apple
		pools.Unlock()
	}
}

func trusting(authData []byte, root *x509.Certificate) (metadata.Provider, error) {
	data, err := ctap.ParseAuthenticatorData(authData)
	if err == nil && data.Attested == nil {
		err = errors.New("authenticator data holds no credential")
	}
	if err != nil {
		return nil, err
	}
	id := uuid.UUID(data.Attested.AAGUID)
	return memory.New(memory.WithMetadata(map[uuid.UUID]*metadata.Entry{id: {
		AaGUID: id,
		MetadataStatement: metadata.Statement{
			AaGUID:                      id,
			AttestationTypes:            metadata.AuthenticatorAttestationTypes{metadata.BasicFull, metadata.BasicSurrogate, metadata.AttCA, metadata.AnonCA},
			AttestationRootCertificates: []*x509.Certificate{root},
		},
	}}))
}
