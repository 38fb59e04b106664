package platform_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/platform"
)

func blobKey() authenticator.Profile {
	p := securityKey()
	p.LargeBlobs, p.MaxLargeBlobs = true, 4096
	p.Extensions = append(p.Extensions, authenticator.ExtLargeBlobKey)
	return p
}

// blobs is a key with a PIN, and a token to write large blobs with.
func blobs(t testing.TB, p authenticator.Profile) (*key, *platform.Host, *platform.Token) {
	t.Helper()
	k, h := newKey(t, p)
	must(t, h.SetPIN(t.Context(), "1234"))
	token, err := h.TokenUsingPIN(t.Context(), "1234", platform.Need{Permissions: ctap.PermLargeBlobWrite})
	must(t, err)
	return k, h, token
}

func key32(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// TestLargeBlobSequences writes, deletes and reads under several keys against a map.
// The message size makes arrays of several fragments.
func TestLargeBlobSequences(t *testing.T) {
	p := blobKey()
	p.MaxMsgSize = 256
	rapid.Check(t, func(rt *rapid.T) {
		_, h, token := blobs(t, p)
		model := map[byte][]byte{}
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				k := rapid.ByteRange(1, 3).Draw(rt, "key")
				data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "data")
				must(t, h.WriteLargeBlob(t.Context(), token, key32(k), data))
				model[k] = data
			},
			"delete": func(rt *rapid.T) {
				k := rapid.ByteRange(1, 3).Draw(rt, "key")
				must(t, h.WriteLargeBlob(t.Context(), token, key32(k), nil))
				delete(model, k)
			},
			"": func(rt *rapid.T) {
				for k := byte(1); k <= 3; k++ {
					got, err := h.ReadLargeBlob(t.Context(), key32(k))
					want, there := model[k]
					if there != (err == nil) || !bytes.Equal(got, want) || (!there && !errors.Is(err, platform.ErrNoLargeBlob)) {
						rt.Fatalf("key %d: %x, %v; want %x", k, got, err, want)
					}
				}
			},
		})
	})
}

func TestLargeBlobErrors(t *testing.T) {
	_, h, token := blobs(t, blobKey())
	noise := make([]byte, 5000)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	if err := h.WriteLargeBlob(t.Context(), token, key32(1), noise); !errors.Is(err, ctap.ErrLargeBlobStorageFull) {
		t.Errorf("5000 bytes: %v", err)
	}
	if err := h.WriteLargeBlob(t.Context(), nil, key32(1), noise[:10]); !errors.Is(err, ctap.ErrPUATRequired) {
		t.Errorf("without a token: %v", err)
	}
	if _, err := h.ReadLargeBlob(t.Context(), noise[:31]); err == nil {
		t.Error("a key of 31 bytes")
	}
	_, plain := newKey(t, blobKey()) // no PIN: nothing to show
	must(t, plain.WriteLargeBlob(t.Context(), nil, key32(1), []byte("blob")))
	if got, err := plain.ReadLargeBlob(t.Context(), key32(1)); string(got) != "blob" {
		t.Errorf("read %q, %v", got, err)
	}
}

// array returns the serialized large-blob array that a key has, and sets another.
func array(t testing.TB, k *key, set []byte) []byte {
	t.Helper()
	zero, n := uint(0), uint(1000)
	r := &ctap.LargeBlobsRequest{Offset: &zero, Get: &n}
	if length := uint(len(set)); set != nil {
		r = &ctap.LargeBlobsRequest{Offset: &zero, Set: set, Length: &length}
	}
	request, err := ctap.NewRequest(ctap.LargeBlobs, r)
	must(t, err)
	response, err := k.Exchange(t.Context(), request)
	must(t, err)
	if response[0] != 0 {
		t.Fatal(ctap.Status(response[0]))
	}
	var got ctap.LargeBlobsResponse
	if set == nil {
		must(t, ctap.DecodeLoose(response[1:], &got))
	}
	return got.Config
}

func hashed(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(b, sum[:16]...)
}

// TestLargeBlobsOfOthersStay puts elements into the array that nobody here can read.
func TestLargeBlobsOfOthersStay(t *testing.T) {
	k, h := newKey(t, blobKey())
	initial, err := os.ReadFile("testdata/largeblob.json")
	must(t, err)
	var vector struct {
		Initial string `json:"initial_serialized"`
	}
	must(t, json.Unmarshal(initial, &vector))
	if got := hex.EncodeToString(array(t, k, nil)); got != vector.Initial {
		t.Errorf("initial array %s, want %s", got, vector.Initial)
	}

	foreign, err := ctap.Encode([]any{"no map", map[int]any{1: []byte("sealed"), 2: make([]byte, 12), 3: 6, 9: true}, map[int]any{1: 1}})
	must(t, err)
	array(t, k, hashed(foreign))
	for _, blob := range [][]byte{[]byte("first"), []byte("second"), nil} {
		must(t, h.WriteLargeBlob(t.Context(), nil, key32(1), blob))
		var got []cbor.RawMessage
		all := array(t, k, nil)
		must(t, ctap.DecodeLoose(all[:len(all)-16], &got))
		if !bytes.HasPrefix(all[1:], foreign[1:]) || len(got) != map[bool]int{true: 4, false: 3}[blob != nil] {
			t.Errorf("after %q: %x", blob, all)
		}
	}
	array(t, k, hashed([]byte{0x63, 'b', 'a', 'd'})) // no array at all
	if _, err := h.ReadLargeBlob(t.Context(), key32(1)); !errors.Is(err, platform.ErrNoLargeBlob) {
		t.Errorf("read of a damaged array: %v", err)
	}
	must(t, h.WriteLargeBlob(t.Context(), nil, key32(1), []byte("anew")))
	if got, err := h.ReadLargeBlob(t.Context(), key32(1)); string(got) != "anew" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestDecompressRefuses(t *testing.T) {
	packed, err := platform.Compress([]byte(strings.Repeat("a", 5000)))
	must(t, err)
	for name, size := range map[string]uint64{"too small": 4999, "too big": 5001, "a bomb": 1 << 40} {
		if got, err := platform.Decompress(packed, size); err == nil {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
	if got, err := platform.Decompress(packed, 5000); err != nil || len(got) != 5000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// FuzzLargeBlobArray has an authenticator hold any array: a read finds nothing in it,
// and a write works all the same.
func FuzzLargeBlobArray(f *testing.F) {
	f.Add([]byte{0x81, 0xA3, 1, 0x41, 0, 2, 0x4C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, h := newKey(t, blobKey())
		if len(b) == 0 || len(b) > 1000 {
			t.Skip()
		}
		array(t, k, hashed(b))
		if got, err := h.ReadLargeBlob(t.Context(), key32(1)); !errors.Is(err, platform.ErrNoLargeBlob) {
			t.Errorf("read %x, %v", got, err)
		}
		must(t, h.WriteLargeBlob(t.Context(), nil, key32(1), []byte("blob")))
		if got, err := h.ReadLargeBlob(t.Context(), key32(1)); string(got) != "blob" {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte{3, 0}, uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, size uint64) {
		if got, err := platform.Decompress(b, size); err == nil && uint64(len(got)) != size {
			t.Errorf("%d bytes, want %d", len(got), size)
		}
	})
}
