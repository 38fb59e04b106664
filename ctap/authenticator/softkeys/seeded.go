package softkeys

import (
	"crypto/ed25519"
	"fmt"
	"io"

	"filippo.io/mldsa"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// ed25519Key is a key that its seed makes (RFC 8032, section 5.1.5).
type ed25519Key struct {
	alg cose.Algorithm
	ed25519.PrivateKey
}

func generateEd25519(alg cose.Algorithm, rand io.Reader) (private, error) {
	seed, err := drawSeed(rand, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return parseEd25519(alg, seed)
}

func parseEd25519(alg cose.Algorithm, handle []byte) (private, error) {
	if len(handle) != ed25519.SeedSize {
		return nil, fmt.Errorf("an Ed25519 seed of %d bytes", len(handle))
	}
	return ed25519Key{alg, ed25519.NewKeyFromSeed(handle)}, nil
}

func (k ed25519Key) handle() ([]byte, error) { return k.Seed(), nil }

func (k ed25519Key) public() ([]byte, error) { return cose.Marshal(k.alg, k.Public()) }

func (k ed25519Key) sign(message []byte) ([]byte, error) {
	return ed25519.Sign(k.PrivateKey, message), nil
}

// mldsaKey is a key that its seed makes (FIPS 204, section 5.1): the handle is the
// seed, not the expanded key, which is a hundred times as long.
type mldsaKey struct {
	alg cose.Algorithm
	*mldsa.PrivateKey
}

func generateMLDSA(alg cose.Algorithm, rand io.Reader) (private, error) {
	seed, err := drawSeed(rand, mldsa.PrivateKeySize)
	if err != nil {
		return nil, err
	}
	return parseMLDSA(alg, seed)
}

func parseMLDSA(alg cose.Algorithm, handle []byte) (private, error) {
	params, ok := cose.MLDSA(alg)
	if !ok {
		return nil, ctap.ErrUnsupportedAlgorithm
	}
	key, err := mldsa.NewPrivateKey(params, handle)
	if err != nil {
		return nil, err
	}
	return mldsaKey{alg, key}, nil
}

func (k mldsaKey) handle() ([]byte, error) { return k.Bytes(), nil }

func (k mldsaKey) public() ([]byte, error) { return cose.Marshal(k.alg, k.PublicKey()) }

// sign signs the message itself with an empty context, as RFC 9964 section 5 has it.
func (k mldsaKey) sign(message []byte) ([]byte, error) {
	return k.SignDeterministic(message, nil)
}
