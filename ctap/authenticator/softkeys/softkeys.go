// Package softkeys makes and uses credential private keys in software. A handle
// is the private key itself: the scalar of an elliptic curve key, the seed of an
// Ed25519 key, PKCS #8 for RSA.
package softkeys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// rsaBits is the size of RSA keys; WebAuthn clients know no smaller one.
const rsaBits = 2048

// cached is how many parsed keys a Keys remembers. Parsing an elliptic curve
// scalar computes its public point, which costs as much as a signature.
const cached = 16

// Keys implements authenticator.Keys. It is safe for concurrent use.
type Keys struct {
	rand          io.Reader
	deterministic bool

	mu     sync.Mutex
	recent []parsed // most recently used last
}

type parsed struct {
	alg    cose.Algorithm
	handle []byte
	signer crypto.Signer
}

// New returns keys that are drawn from rand. Of deterministic ones that holds for RSA,
// too, whose keys otherwise come from the operating system's randomness, faster.
func New(rand io.Reader, deterministic bool) *Keys {
	return &Keys{rand: rand, deterministic: deterministic}
}

// Generate makes a key pair for ES256, ES384, EdDSA or RS256; any other algorithm
// is ctap.ErrUnsupportedAlgorithm.
func (k *Keys) Generate(alg cose.Algorithm) (handle, public []byte, err error) {
	switch alg {
	case cose.ES256:
		handle, public, err = k.generateP256()
	case cose.ES384:
		handle, public, err = k.generateEC(alg, elliptic.P384())
	case cose.EdDSA:
		handle, public, err = k.generateEd25519()
	case cose.RS256:
		handle, public, err = k.generateRSA()
	default:
		return nil, nil, ctap.ErrUnsupportedAlgorithm
	}
	if err != nil {
		return nil, nil, fmt.Errorf("generate %s key: %w", alg, err)
	}
	return handle, public, nil
}

func (k *Keys) generateP256() ([]byte, []byte, error) {
	private, err := k.newEC(elliptic.P256())
	if err != nil {
		return nil, nil, err
	}
	handle, err := private.Bytes()
	if err != nil {
		return nil, nil, err
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, nil, err
	}
	k.remember(parsed{cose.ES256, handle, private})
	return handle, cose.MarshalP256(cose.ES256, point), nil
}

func (k *Keys) generateEC(alg cose.Algorithm, curve elliptic.Curve) ([]byte, []byte, error) {
	private, err := k.newEC(curve)
	if err != nil {
		return nil, nil, err
	}
	handle, err := private.Bytes()
	if err != nil {
		return nil, nil, err
	}
	k.remember(parsed{alg, handle, private})
	public, err := cose.Marshal(alg, &private.PublicKey)
	return handle, public, err
}

// newEC draws the scalar itself: ecdsa.GenerateKey ignores the reader it is given.
func (k *Keys) newEC(curve elliptic.Curve) (*ecdsa.PrivateKey, error) {
	scalar := make([]byte, (curve.Params().BitSize+7)/8)
	for range 8 { // a scalar is out of range once in 2^32
		if _, err := io.ReadFull(k.rand, scalar); err != nil {
			return nil, err
		}
		if private, err := ecdsa.ParseRawPrivateKey(curve, scalar); err == nil {
			return private, nil
		}
	}
	return nil, errors.New("the random source gives no valid scalar")
}

func (k *Keys) generateEd25519() ([]byte, []byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(k.rand, seed); err != nil {
		return nil, nil, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	k.remember(parsed{cose.EdDSA, seed, private})
	public, err := cose.Marshal(cose.EdDSA, private.Public())
	return seed, public, err
}

func (k *Keys) generateRSA() ([]byte, []byte, error) {
	generate := func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, rsaBits) }
	if k.deterministic {
		generate = func() (*rsa.PrivateKey, error) { return deriveRSA(k.rand) }
	}
	private, err := generate()
	if err != nil {
		return nil, nil, err
	}
	handle, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	k.remember(parsed{cose.RS256, handle, private})
	public, err := cose.Marshal(cose.RS256, &private.PublicKey)
	return handle, public, err
}

// deriveRSA makes an RSA key out of rand alone: rsa.GenerateKey ignores the
// reader it is given.
func deriveRSA(rand io.Reader) (*rsa.PrivateKey, error) {
	one, e := big.NewInt(1), big.NewInt(65537)
	for {
		p, err := derivePrime(rand)
		if err != nil {
			return nil, err
		}
		q, err := derivePrime(rand)
		if err != nil {
			return nil, err
		}
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		n := new(big.Int).Mul(p, q)
		if d == nil || p.Cmp(q) == 0 || n.BitLen() != rsaBits {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		return key, key.Validate()
	}
}

// derivePrime returns the first prime at or above a random odd number with its
// two top bits set.
func derivePrime(rand io.Reader) (*big.Int, error) {
	b := make([]byte, rsaBits/16)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, err
	}
	b[0] |= 0xC0
	b[len(b)-1] |= 1
	two := big.NewInt(2)
	for p := new(big.Int).SetBytes(b); ; p.Add(p, two) {
		if p.ProbablyPrime(20) {
			return p, nil
		}
	}
}

// Sign signs message: DER for ECDSA, raw otherwise. ECDSA takes its nonce from the
// key and the message (RFC 6979).
func (k *Keys) Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error) {
	signer, err := k.signer(alg, handle)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", alg, err)
	}
	return signer.Sign(nil, cose.Digest(alg, message), cose.Hash(alg))
}

// signer finds or parses a private key.
func (k *Keys) signer(alg cose.Algorithm, handle []byte) (crypto.Signer, error) {
	k.mu.Lock()
	for i := len(k.recent) - 1; i >= 0; i-- {
		if r := k.recent[i]; r.alg == alg && bytes.Equal(r.handle, handle) {
			k.recent = append(append(k.recent[:i], k.recent[i+1:]...), r)
			k.mu.Unlock()
			return r.signer, nil
		}
	}
	k.mu.Unlock()
	signer, err := parse(alg, handle)
	if err != nil {
		return nil, err
	}
	k.remember(parsed{alg, bytes.Clone(handle), signer})
	return signer, nil
}

func (k *Keys) remember(p parsed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.recent) == cached {
		k.recent = append(k.recent[:0], k.recent[1:]...)
	}
	k.recent = append(k.recent, p)
}

func parse(alg cose.Algorithm, handle []byte) (crypto.Signer, error) {
	switch alg {
	case cose.ES256:
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), handle)
	case cose.ES384:
		return ecdsa.ParseRawPrivateKey(elliptic.P384(), handle)
	case cose.EdDSA:
		if len(handle) != ed25519.SeedSize {
			return nil, fmt.Errorf("an Ed25519 seed of %d bytes", len(handle))
		}
		return ed25519.NewKeyFromSeed(handle), nil
	case cose.RS256:
		return parseRSA(handle)
	}
	return nil, ctap.ErrUnsupportedAlgorithm
}

func parseRSA(handle []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(handle)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T where an RSA key belongs", key)
	}
	return private, nil
}
