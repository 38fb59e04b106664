package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"filippo.io/mldsa"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/fixtures"
)

// measurePostQuantum is measureCBOR for ML-DSA-65. How long a signature takes depends
// on the message, so that both sides sign another one each time.
func measurePostQuantum(_ context.Context, e effort) ([]row, error) {
	a, err := newPostQuantum()
	if err != nil {
		return nil, err
	}
	creation := creation("ada")
	creation.PubKeyCredParams[0].Algorithm = int(cose.MLDSA65)
	register, err := ctap.NewRequest(ctap.MakeCredential, creation)
	if err != nil {
		return nil, err
	}
	if _, err := exchange(a, register); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte("client data"))
	assert, err := ctap.NewRequest(ctap.GetAssertion, &ctap.GetAssertionRequest{RPID: rpID, ClientDataHash: hash[:]})
	if err != nil {
		return nil, err
	}
	key, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		return nil, err
	}
	var n messages
	one, err := against(e, "registration, ML-DSA-65", "floor is an ML-DSA-65 key and one deterministic signature by filippo.io/mldsa", 1.25,
		func() error { _, err := exchange(a, register); return err }, n.registerMLDSA)
	if err != nil {
		return nil, err
	}
	two, err := against(e, "assertion, ML-DSA-65", "floor is one deterministic ML-DSA-65 signature by filippo.io/mldsa", 1.25,
		func() error { _, err := exchange(a, assert); return err }, func() error { return n.signMLDSA(key) })
	return []row{one, two}, err
}

// newPostQuantum is newAuthenticator for a key that has ML-DSA.
func newPostQuantum() (*authenticator.Authenticator, error) {
	p, err := fixtures.Lookup("post-quantum-key")
	if err != nil {
		return nil, err
	}
	profile := p.Profile
	profile.Attestation = authenticator.SelfAttestation
	return authenticator.New(profile, authenticator.Env{
		Now: time.Now, Rand: rand.Reader, User: authenticator.Consenting{}, Keys: softkeys.New(rand.Reader, false),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(0),
	})
}

// messages counts what was signed.
type messages uint64

func (n *messages) registerMLDSA() error {
	key, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		return err
	}
	return n.signMLDSA(key)
}

func (n *messages) signMLDSA(key *mldsa.PrivateKey) error {
	*n++
	_, err := key.SignDeterministic(binary.BigEndian.AppendUint64([]byte("authenticator data"), uint64(*n)), nil)
	return err
}
