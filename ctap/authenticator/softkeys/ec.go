package softkeys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"fido-emu/ctap/cose"
)

// scalarTries is how many scalars are drawn at most: of the curves in use, one is
// out of range once in 2^32.
const scalarTries = 8

var errScalar = errors.New("the random source gives no valid scalar")

// ecKey is a key on a curve of the standard library.
type ecKey struct {
	alg cose.Algorithm
	*ecdsa.PrivateKey
}

func curveOf(alg cose.Algorithm) elliptic.Curve {
	switch alg {
	case cose.ES384, cose.ESP384:
		return elliptic.P384()
	case cose.ES512, cose.ESP512:
		return elliptic.P521()
	}
	return elliptic.P256()
}

// generateEC draws the scalar itself: ecdsa.GenerateKey ignores the reader it is
// given.
func generateEC(alg cose.Algorithm, rand io.Reader) (private, error) {
	bits := curveOf(alg).Params().BitSize
	for range scalarTries {
		scalar, err := drawSeed(rand, (bits+7)/8)
		if err != nil {
			return nil, err
		}
		scalar[0] &= 0xFF >> (-bits & 7) // P-521 uses one bit of the first byte
		if key, err := parseEC(alg, scalar); err == nil {
			return key, nil
		}
	}
	return nil, errScalar
}

func parseEC(alg cose.Algorithm, handle []byte) (private, error) {
	key, err := ecdsa.ParseRawPrivateKey(curveOf(alg), handle)
	if err != nil {
		return nil, err
	}
	return ecKey{alg, key}, nil
}

func (k ecKey) handle() ([]byte, error) { return k.Bytes() }

func (k ecKey) public() ([]byte, error) {
	if k.Curve != elliptic.P256() {
		return cose.Marshal(k.alg, &k.PublicKey)
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	return cose.MarshalP256(k.alg, point), nil
}

// sign takes the nonce of RFC 6979, which is what crypto/ecdsa does without a source
// of randomness.
func (k ecKey) sign(message []byte) ([]byte, error) {
	return k.Sign(nil, cose.Digest(k.alg, message), cose.Hash(k.alg))
}

// secp256k1Key is a key for ES256K.
type secp256k1Key struct{ *secp256k1.PrivateKey }

func generateSecp256k1(rand io.Reader) (private, error) {
	for range scalarTries {
		scalar, err := drawSeed(rand, secp256k1.PrivKeyBytesLen)
		if err != nil {
			return nil, err
		}
		if key, err := parseSecp256k1(scalar); err == nil {
			return key, nil
		}
	}
	return nil, errScalar
}

func parseSecp256k1(handle []byte) (private, error) {
	var scalar secp256k1.ModNScalar
	if len(handle) != secp256k1.PrivKeyBytesLen || scalar.SetByteSlice(handle) || scalar.IsZero() {
		return nil, errors.New("not a scalar of secp256k1")
	}
	return secp256k1Key{secp256k1.NewPrivateKey(&scalar)}, nil
}

func (k secp256k1Key) handle() ([]byte, error) { return k.Serialize(), nil }

func (k secp256k1Key) public() ([]byte, error) { return cose.Marshal(cose.ES256K, k.PubKey()) }

func (k secp256k1Key) sign(message []byte) ([]byte, error) {
	return k1ecdsa.Sign(k.PrivateKey, cose.Digest(cose.ES256K, message)).Serialize(), nil
}
