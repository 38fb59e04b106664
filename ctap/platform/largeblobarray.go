package platform

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// largeBlobArray is a large-blob array (section 6.10.3), each element as it came: what
// nobody here can decrypt, or even read, belongs to somebody else.
type largeBlobArray []cbor.RawMessage

// largeBlobMap is an element of the array.
type largeBlobMap struct {
	Ciphertext ctap.Bytes `cbor:"1,keyasint"`
	Nonce      ctap.Bytes `cbor:"2,keyasint"` // 12 bytes
	OrigSize   uint64     `cbor:"3,keyasint"` // bytes before compression
}

// parseLargeBlobs reads a serialized large-blob array. One that is damaged counts as
// empty.
func parseLargeBlobs(serialized []byte) largeBlobArray {
	end := len(serialized) - largeBlobsHashSize
	if end < 1 {
		return nil
	}
	if sum := sha256.Sum256(serialized[:end]); !bytes.Equal(sum[:largeBlobsHashSize], serialized[end:]) {
		return nil
	}
	var array largeBlobArray
	if ctap.DecodeLoose(serialized[:end], &array) != nil {
		return nil
	}
	return array
}

func (a largeBlobArray) serialize() ([]byte, error) {
	if a == nil {
		a = largeBlobArray{}
	}
	b, err := ctap.Encode(a)
	if err != nil {
		return nil, fmt.Errorf("encode the large-blob array: %w", err)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:largeBlobsHashSize]...), nil
}

// find returns the first element that key decrypts, and what it says. The index is -1
// and the error ErrNoLargeBlob when there is none.
func (a largeBlobArray) find(key []byte) (int, []byte, error) {
	aead, err := largeBlobCipher(key)
	if err != nil {
		return -1, nil, err
	}
	for i, raw := range a {
		var m largeBlobMap
		if ctap.DecodeLoose(raw, &m) != nil || len(m.Nonce) != aead.NonceSize() {
			continue
		}
		compressed, err := aead.Open(nil, m.Nonce, m.Ciphertext, largeBlobContext(m.OrigSize))
		if err != nil {
			continue // somebody else's
		}
		blob, err := Decompress(compressed, m.OrigSize)
		if err != nil {
			return i, nil, broken(ctap.LargeBlobs.String(), "an element of the large-blob array that does not unpack", err)
		}
		return i, blob, nil
	}
	return -1, nil, ErrNoLargeBlob
}

// replace returns the array with data under key in place of the element at, or behind
// all others where at is negative; nil removes the element.
func (a largeBlobArray) replace(at int, key, data []byte, rand io.Reader) (largeBlobArray, error) {
	changed := slices.Clone(a)
	if data == nil {
		return slices.Delete(changed, at, at+1), nil
	}
	aead, err := largeBlobCipher(key)
	if err != nil {
		return nil, err
	}
	m := largeBlobMap{Nonce: make([]byte, aead.NonceSize()), OrigSize: uint64(len(data))}
	if _, err := io.ReadFull(rand, m.Nonce); err != nil {
		return nil, err
	}
	compressed, err := Compress(data)
	if err != nil {
		return nil, err
	}
	m.Ciphertext = aead.Seal(nil, m.Nonce, compressed, largeBlobContext(m.OrigSize))
	raw, err := ctap.Encode(m)
	if at < 0 {
		return append(changed, raw), err
	}
	changed[at] = raw
	return changed, err
}

func largeBlobCipher(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("a large-blob key of %d bytes, want 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// largeBlobContext is the additional data of an element: "blob" ‖ origSize in 64 bits,
// little endian.
func largeBlobContext(origSize uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte("blob"), origSize)
}

// Compress returns data in DEFLATE (RFC 1951), as large blobs are stored.
func Compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

var errBlobSize = errors.New("it is not of the size that it says")

// Decompress reverses Compress for a blob of so many bytes. Whatever unpacks to
// anything else is refused, and so is more than a megabyte.
func Decompress(compressed []byte, size uint64) ([]byte, error) {
	if size > longestLargeBlobs {
		return nil, errBlobSize
	}
	r := flate.NewReader(bytes.NewReader(compressed))
	data, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err != nil {
		return nil, fmt.Errorf("decompress a large blob: %w", err)
	}
	if uint64(len(data)) != size {
		return nil, errBlobSize
	}
	return data, nil
}
