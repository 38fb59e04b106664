// Package softkeys makes and uses credential private keys in software, for every
// algorithm that credentials can have (cose.Algorithms).
//
// A handle is the private key itself, as short as it can be, because a credential
// that is not discoverable carries it, sealed, in its id:
//
//	ECDSA            the scalar, 32, 48 or 66 bytes
//	EdDSA, ML-DSA    the seed, 32 bytes
//	RSA              both primes, 2 × 128 bytes; PKCS #8 is read, too
//
// Signing draws no randomness: ECDSA takes its nonce from the key and the message
// (RFC 6979), RSASSA-PSS its salt likewise, and ML-DSA is the deterministic variant
// (FIPS 204, section 3.4). What hedging protects against, faults and leaks of a
// machine in an attacker's hands, is nothing that an emulated key withstands anyway.
package softkeys

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// cached is how many parsed keys a Keys remembers. Parsing computes the public key,
// which costs as much as a signature and, of ML-DSA, expands the seed.
const cached = 16

// Keys implements authenticator.Keys. It is safe for concurrent use.
type Keys struct {
	rand          io.Reader
	deterministic bool

	mu     sync.Mutex
	recent []parsed // most recently used last
}

type parsed struct {
	alg     cose.Algorithm
	handle  []byte
	private private
}

// private is a private key of some algorithm.
type private interface {
	// handle returns what parse reads.
	handle() ([]byte, error)
	// public returns the COSE_Key.
	public() ([]byte, error)
	// sign signs a message: DER for ECDSA, raw otherwise.
	sign(message []byte) ([]byte, error)
}

// New returns keys that are drawn from rand. Of deterministic ones that holds for RSA,
// too, whose keys otherwise come from the operating system's randomness, faster.
func New(rand io.Reader, deterministic bool) *Keys {
	return &Keys{rand: rand, deterministic: deterministic}
}

// Generate makes a key pair and returns its handle and its COSE_Key. An algorithm
// that is not one of cose.Algorithms is ctap.ErrUnsupportedAlgorithm.
func (k *Keys) Generate(alg cose.Algorithm) (handle, public []byte, err error) {
	private, err := k.generate(alg)
	if err == ctap.ErrUnsupportedAlgorithm {
		return nil, nil, err
	}
	if err == nil {
		handle, err = private.handle()
	}
	if err == nil {
		public, err = private.public()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("generate %s key: %w", alg, err)
	}
	k.remember(parsed{alg, handle, private})
	return handle, public, nil
}

func (k *Keys) generate(alg cose.Algorithm) (private, error) {
	switch alg {
	case cose.ES256, cose.ESP256, cose.ES384, cose.ESP384, cose.ES512, cose.ESP512:
		return generateEC(alg, k.rand)
	case cose.ES256K:
		return generateSecp256k1(k.rand)
	case cose.EdDSA, cose.Ed25519:
		return generateEd25519(alg, k.rand)
	case cose.RS256, cose.PS256:
		return generateRSA(alg, k.rand, k.deterministic)
	case cose.MLDSA44, cose.MLDSA65, cose.MLDSA87:
		return generateMLDSA(alg, k.rand)
	}
	return nil, ctap.ErrUnsupportedAlgorithm
}

// parse reads a handle.
func parse(alg cose.Algorithm, handle []byte) (private, error) {
	switch alg {
	case cose.ES256, cose.ESP256, cose.ES384, cose.ESP384, cose.ES512, cose.ESP512:
		return parseEC(alg, handle)
	case cose.ES256K:
		return parseSecp256k1(handle)
	case cose.EdDSA, cose.Ed25519:
		return parseEd25519(alg, handle)
	case cose.RS256, cose.PS256:
		return parseRSA(alg, handle)
	case cose.MLDSA44, cose.MLDSA65, cose.MLDSA87:
		return parseMLDSA(alg, handle)
	}
	return nil, ctap.ErrUnsupportedAlgorithm
}

// Sign signs message: DER for ECDSA, raw otherwise. The same key and message give
// the same signature.
func (k *Keys) Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error) {
	private, err := k.private(alg, handle)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", alg, err)
	}
	return private.sign(message)
}

// private finds or parses a private key.
func (k *Keys) private(alg cose.Algorithm, handle []byte) (private, error) {
	k.mu.Lock()
	for i := len(k.recent) - 1; i >= 0; i-- {
		if r := k.recent[i]; r.alg == alg && bytes.Equal(r.handle, handle) {
			k.recent = append(append(k.recent[:i], k.recent[i+1:]...), r)
			k.mu.Unlock()
			return r.private, nil
		}
	}
	k.mu.Unlock()
	private, err := parse(alg, handle)
	if err != nil {
		return nil, err
	}
	k.remember(parsed{alg, bytes.Clone(handle), private})
	return private, nil
}

func (k *Keys) remember(p parsed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.recent) == cached {
		k.recent = append(k.recent[:0], k.recent[1:]...)
	}
	k.recent = append(k.recent, p)
}

// drawSeed reads size bytes, all of which are the key.
func drawSeed(rand io.Reader, size int) ([]byte, error) {
	seed := make([]byte, size)
	_, err := io.ReadFull(rand, seed)
	return seed, err
}
