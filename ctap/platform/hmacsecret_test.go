package platform

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// prfVectors is testdata/prf_hmac_secret.json: the PRF test vectors of the WebAuthn
// Level 3 editor's draft, w3c/webauthn index.bs at commit 146d0db (2026-07-30),
// with saltAuth computed beside them.
type prfVectors struct {
	PlatformPrivate hexBytes `json:"platform_private"`
	X               hexBytes `json:"authenticator_public_x"`
	Y               hexBytes `json:"authenticator_public_y"`
	SecretV1        hexBytes `json:"shared_secret_v1"`
	SecretV2        hexBytes `json:"shared_secret_v2"`
	Cases           []struct {
		Name      string
		Protocol  uint
		Salt1     hexBytes
		Salt2     hexBytes
		SaltEnc   hexBytes `json:"salt_enc"`
		SaltAuth  hexBytes `json:"salt_auth"`
		Output1   hexBytes
		Output2   hexBytes
		OutputEnc hexBytes `json:"output_enc"`
	}
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func TestHMACSecretVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/prf_hmac_secret.json")
	if err != nil {
		t.Fatal(err)
	}
	var v prfVectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	peer := cose.MarshalP256(cose.ECDHESHKDF, append(append([]byte{4}, v.X...), v.Y...))
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			p, _ := pinuv.ByNumber(c.Protocol)
			// The platform's private key, then the initialisation vector.
			random := append(bytes.Clone(v.PlatformPrivate), c.SaltEnc[:16]...)
			h := &Host{rand: bytes.NewReader(random)}
			public, secret, err := pinuv.Encapsulate(p, peer, h.rand)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[uint]hexBytes{1: v.SecretV1, 2: v.SecretV2}[c.Protocol]; !bytes.Equal(secret, want) {
				t.Fatalf("shared secret %x, want %x", secret, want)
			}
			s := &session{h, p, public, secret}
			use, err := s.hmacSecret(append(bytes.Clone(c.Salt1), c.Salt2...))
			if err != nil {
				t.Fatal(err)
			}
			var in hmacSecretInput
			if err := ctap.DecodeLoose(use.Input(), &in); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(in.SaltEnc, c.SaltEnc) || !bytes.Equal(in.SaltAuth, c.SaltAuth) {
				t.Errorf("saltEnc %x, saltAuth %x", in.SaltEnc, in.SaltAuth)
			}
			output, err := ctap.Encode([]byte(c.OutputEnc))
			if err != nil {
				t.Fatal(err)
			}
			first, second, err := use.Open(output)
			if err != nil || !bytes.Equal(first, c.Output1) || !bytes.Equal(second, c.Output2) {
				t.Errorf("outputs %x and %x, %v", first, second, err)
			}
		})
	}
}

func TestHMACSecretBrokenOutput(t *testing.T) {
	s := &session{&Host{rand: zeros{}}, pinuv.Two, nil, make([]byte, 64)}
	use, err := s.hmacSecret(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, plain := range map[string]int{"none": 0, "short": 16, "two for one": 64} {
		enc, err := s.encrypt(make([]byte, plain))
		if err != nil {
			t.Fatal(err)
		}
		output, err := ctap.Encode(enc)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := use.Open(output); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, _, err := use.Open([]byte{0xF5}); err == nil {
		t.Error("true: no error")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

var _ io.Reader = zeros{}
