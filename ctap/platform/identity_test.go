package platform

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

func TestOpenIdentity(t *testing.T) {
	b, err := os.ReadFile("testdata/identity.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Info, Plaintext, Value string
			PersistentToken        string `json:"persistent_token"`
		}
	}
	if err := json.Unmarshal(b, &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range file.Cases {
		token := &Token{key: unhex(c.PersistentToken)}
		if got, err := token.open(c.Info, unhex(c.Value)); err != nil || !bytes.Equal(got[:], unhex(c.Plaintext)) {
			t.Errorf("%s: %x, %v", c.Info, got, err)
		}
		if _, err := token.open(c.Info, unhex(c.Value)[:31]); err == nil {
			t.Errorf("%s: 31 bytes are taken", c.Info)
		}
	}
}
