package softkeys

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	cryptorand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"

	"fido-emu/ctap/cose"
)

// rsaBits is the size of RSA keys; WebAuthn clients know no smaller one.
const rsaBits = 2048

const (
	rsaExponent  = 65537
	primeBytes   = rsaBits / 16
	primesHandle = 2 * primeBytes
)

// rsaKey is a key of two primes.
type rsaKey struct {
	alg cose.Algorithm
	*rsa.PrivateKey
}

func generateRSA(alg cose.Algorithm, rand io.Reader, deterministic bool) (private, error) {
	if deterministic {
		return deriveRSA(alg, rand)
	}
	key, err := rsa.GenerateKey(cryptorand.Reader, rsaBits)
	if err != nil {
		return nil, err
	}
	return rsaKey{alg, key}, nil
}

// deriveRSA makes an RSA key out of rand alone: rsa.GenerateKey ignores the
// reader it is given.
func deriveRSA(alg cose.Algorithm, rand io.Reader) (private, error) {
	for range scalarTries { // two primes fit but for once in ten thousand times
		p, err := derivePrime(rand)
		if err != nil {
			return nil, err
		}
		q, err := derivePrime(rand)
		if err != nil {
			return nil, err
		}
		if p.Cmp(q) == 0 {
			return nil, errors.New("the random source repeats itself")
		}
		if key, err := fromPrimes(p, q); err == nil {
			return rsaKey{alg, key}, nil
		}
	}
	return nil, errors.New("the random source gives no two primes that make a key")
}

// derivePrime returns the first prime at or above a random odd number with its
// two top bits set.
func derivePrime(rand io.Reader) (*big.Int, error) {
	b, err := drawSeed(rand, primeBytes)
	if err != nil {
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

// fromPrimes computes the rest of a key.
func fromPrimes(p, q *big.Int) (*rsa.PrivateKey, error) {
	one := big.NewInt(1)
	if p.Cmp(q) == 0 || p.Cmp(one) <= 0 || q.Cmp(one) <= 0 {
		return nil, errors.New("not two primes")
	}
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(big.NewInt(rsaExponent), phi)
	n := new(big.Int).Mul(p, q)
	if d == nil || n.BitLen() != rsaBits {
		return nil, fmt.Errorf("primes that give a modulus of %d bits or do not go with the exponent", n.BitLen())
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: rsaExponent}, D: d, Primes: []*big.Int{p, q}}
	key.Precompute()
	return key, key.Validate()
}

func parseRSA(alg cose.Algorithm, handle []byte) (private, error) {
	if len(handle) != primesHandle {
		return parsePKCS8(alg, handle)
	}
	key, err := fromPrimes(new(big.Int).SetBytes(handle[:primeBytes]), new(big.Int).SetBytes(handle[primeBytes:]))
	if err != nil {
		return nil, err
	}
	return rsaKey{alg, key}, nil
}

// parsePKCS8 reads a key that was made elsewhere and imported.
func parsePKCS8(alg cose.Algorithm, handle []byte) (private, error) {
	key, err := x509.ParsePKCS8PrivateKey(handle)
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T where an RSA key belongs", key)
	}
	return rsaKey{alg, k}, nil
}

func (k rsaKey) handle() ([]byte, error) {
	b := make([]byte, primesHandle)
	k.Primes[0].FillBytes(b[:primeBytes])
	k.Primes[1].FillBytes(b[primeBytes:])
	return b, nil
}

func (k rsaKey) public() ([]byte, error) { return cose.Marshal(k.alg, &k.PublicKey) }

func (k rsaKey) sign(message []byte) ([]byte, error) {
	digest := cose.Digest(k.alg, message)
	if k.alg == cose.RS256 {
		return rsa.SignPKCS1v15(nil, k.PrivateKey, crypto.SHA256, digest)
	}
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return rsa.SignPSS(bytes.NewReader(k.salt(digest)), k.PrivateKey, crypto.SHA256, digest, options)
}

// salt derives a salt for RSASSA-PSS from the key and the message; RFC 8017 section
// 8.1 allows any, even a fixed one.
func (k rsaKey) salt(digest []byte) []byte {
	m := hmac.New(sha256.New, k.D.Bytes())
	m.Write([]byte("RSASSA-PSS salt"))
	m.Write(digest)
	return m.Sum(nil)
}
