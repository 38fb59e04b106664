package keychain

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"
)

// hexBytes is written in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func TestSecureBox(t *testing.T) {
	file, err := os.ReadFile("testdata/securebox.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Vectors []struct{ PrivateKey, SharedSecret, Header, Payload, Box hexBytes }
	}
	if err := json.Unmarshal(file, &vectors); err != nil || len(vectors.Vectors) != 4 {
		t.Fatalf("%d vectors, %v", len(vectors.Vectors), err)
	}
	random := rand.NewChaCha8([32]byte{})
	for _, v := range vectors.Vectors {
		key, err := ecdh.P256().NewPrivateKey(v.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := openBox(key, v.SharedSecret, v.Header, v.Box); err != nil || !bytes.Equal(got, v.Payload) {
			t.Errorf("a vector opens to %x, %v", got, err)
		}
		box, err := sealBox(random, key.PublicKey(), v.SharedSecret, v.Header, v.Payload)
		if err != nil || len(box) != len(v.Box) {
			t.Fatalf("sealed to %d bytes, %v; want %d", len(box), err, len(v.Box))
		}
		if got, err := openBox(key, v.SharedSecret, v.Header, box); err != nil || !bytes.Equal(got, v.Payload) {
			t.Errorf("what was sealed opens to %x, %v", got, err)
		}
		if _, err := openBox(key, nil, v.Header, box); err == nil {
			t.Error("it opens without the shared secret")
		}
		for i := range box {
			box[i] ^= 1
			if _, err := openBox(key, v.SharedSecret, v.Header, box); err == nil {
				t.Errorf("it opens with another byte %d", i)
			}
			box[i] ^= 1
		}
	}
}
