package cose

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"slices"
	"strings"
)

// Algorithm is a COSE algorithm identifier.
type Algorithm int

// The algorithms that credentials use, and the label of CTAP's key agreement.
const (
	ES256      Algorithm = -7
	EdDSA      Algorithm = -8 // Ed25519: WebAuthn fixes the curve
	ESP256     Algorithm = -9
	Ed25519    Algorithm = -19
	ECDHESHKDF Algorithm = -25 // ECDH-ES+HKDF-256, a label only
	ES384      Algorithm = -35
	ES512      Algorithm = -36
	PS256      Algorithm = -37
	ES256K     Algorithm = -47
	MLDSA44    Algorithm = -48
	MLDSA65    Algorithm = -49
	MLDSA87    Algorithm = -50
	ESP384     Algorithm = -51
	ESP512     Algorithm = -52
	RS256      Algorithm = -257
	RS1        Algorithm = -65535 // old TPMs only
)

// The key types and curves of the IANA COSE registries.
const (
	ktyOKP = 1
	ktyEC2 = 2
	ktyRSA = 3
	ktyAKP = 7

	crvP256      = 1
	crvP384      = 2
	crvP521      = 3
	crvEd25519   = 6
	crvSecp256k1 = 8
)

// entry is what the registries and WebAuthn fix for an algorithm.
type entry struct {
	name string
	kty  int         // 0: no credential has such a key
	crv  int         // of EC2 and OKP
	hash crypto.Hash // 0: the algorithm hashes by itself
}

var registry = map[Algorithm]entry{
	ES256:      {"ES256", ktyEC2, crvP256, crypto.SHA256},
	ES384:      {"ES384", ktyEC2, crvP384, crypto.SHA384},
	ES512:      {"ES512", ktyEC2, crvP521, crypto.SHA512},
	ESP256:     {"ESP256", ktyEC2, crvP256, crypto.SHA256},
	ESP384:     {"ESP384", ktyEC2, crvP384, crypto.SHA384},
	ESP512:     {"ESP512", ktyEC2, crvP521, crypto.SHA512},
	ES256K:     {"ES256K", ktyEC2, crvSecp256k1, crypto.SHA256},
	EdDSA:      {"EdDSA", ktyOKP, crvEd25519, 0},
	Ed25519:    {"Ed25519", ktyOKP, crvEd25519, 0},
	RS256:      {"RS256", ktyRSA, 0, crypto.SHA256},
	PS256:      {"PS256", ktyRSA, 0, crypto.SHA256},
	RS1:        {"RS1", ktyRSA, 0, crypto.SHA1},
	MLDSA44:    {"ML-DSA-44", ktyAKP, 0, 0},
	MLDSA65:    {"ML-DSA-65", ktyAKP, 0, 0},
	MLDSA87:    {"ML-DSA-87", ktyAKP, 0, 0},
	ECDHESHKDF: {name: "ECDH-ES+HKDF-256"},
}

// Algorithms returns those that credentials can be made with and verified, by
// falling identifier, which puts ES256 first.
func Algorithms() []Algorithm {
	var all []Algorithm
	for a := range registry {
		if a.Known() {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b Algorithm) int { return int(b) - int(a) })
	return all
}

// Known tells whether a is one of [Algorithms].
func (a Algorithm) Known() bool { return registry[a].kty != 0 && a != RS1 }

// String returns the registered name, such as ES256.
func (a Algorithm) String() string {
	if e, ok := registry[a]; ok {
		return e.name
	}
	return fmt.Sprintf("COSE algorithm %d", int(a))
}

// ParseAlgorithm reads the name of one of [Algorithms], such as ES256.
func ParseAlgorithm(name string) (Algorithm, error) {
	var names []string
	for _, a := range Algorithms() {
		if a.String() == name {
			return a, nil
		}
		names = append(names, a.String())
	}
	return 0, fmt.Errorf("algorithm %q is not known; %s are", name, strings.Join(names, ", "))
}

// MarshalText writes the registered name.
func (a Algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseAlgorithm] reads.
func (a *Algorithm) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAlgorithm(string(text))
	return err
}

// Hash returns the hash function that alg signs with, 0 for EdDSA and ML-DSA, which
// hash by themselves.
func Hash(alg Algorithm) crypto.Hash {
	if e, ok := registry[alg]; ok && e.kty != 0 {
		return e.hash
	}
	return crypto.SHA256
}

// Digest returns what alg signs for message: its hash, or the message where the
// algorithm hashes by itself.
func Digest(alg Algorithm, message []byte) []byte {
	switch Hash(alg) {
	case 0:
		return message
	case crypto.SHA384:
		d := sha512.Sum384(message)
		return d[:]
	case crypto.SHA512:
		d := sha512.Sum512(message)
		return d[:]
	case crypto.SHA1:
		d := sha1.Sum(message)
		return d[:]
	}
	d := sha256.Sum256(message)
	return d[:]
}
