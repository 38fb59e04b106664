package pinuv

import (
	"bytes"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"fido-emu/ctap/cose"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// vectorSet is one set of testdata/ctap_pin.json, whose entries name the public
// test suites they come from.
type vectorSet struct {
	Name       string
	Protocol   uint
	Platform   hexBytes `json:"platform_private"`
	AuthX      hexBytes `json:"authenticator_public_x"`
	AuthY      hexBytes `json:"authenticator_public_y"`
	Secret     hexBytes `json:"shared_secret"`
	IKM        hexBytes `json:"ikm"`
	V1Key      hexBytes `json:"v1_key"`
	V2HMAC     hexBytes `json:"v2_hmac_key"`
	V2AES      hexBytes `json:"v2_aes_key"`
	V1, V2     cipherVector
	TokenMACs  []macVector `json:"token_macs"`
	TokenOfMAC struct {
		Token hexBytes `json:"pinUvAuthToken"`
	} `json:"v2_get_token_0x09"`
	GetToken struct {
		PIN   string
		Hash  hexBytes `json:"pinHashEnc"`
		Enc   hexBytes `json:"pinUvAuthToken_enc"`
		Token hexBytes `json:"pinUvAuthToken"`
	} `json:"get_pin_token"`
}

type cipherVector struct {
	Plaintext, Ciphertext, Mac16 hexBytes
	IVCiphertext                 hexBytes `json:"iv_ciphertext"`
	IV, Mac                      hexBytes
}

type macVector struct {
	Name    string
	Message hexBytes
	V1      hexBytes `json:"mac_v1"`
	V2      hexBytes `json:"mac_v2"`
}

func vectors(t *testing.T) []vectorSet {
	t.Helper()
	b, err := os.ReadFile("testdata/ctap_pin.json")
	if err != nil {
		t.Fatal(err)
	}
	// The ciphers stand under v1_encrypt and v2_encrypt in the file.
	b = bytes.ReplaceAll(b, []byte(`"v1_encrypt"`), []byte(`"V1"`))
	b = bytes.ReplaceAll(b, []byte(`"v2_encrypt"`), []byte(`"V2"`))
	var file struct{ Sets []vectorSet }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Sets
}

func set(t *testing.T, name string) vectorSet {
	t.Helper()
	for _, s := range vectors(t) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no vector set %s", name)
	return vectorSet{}
}

func TestKeyAgreementVectors(t *testing.T) {
	for _, s := range vectors(t) {
		if s.Platform == nil {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			private, err := ecdh.P256().NewPrivateKey(s.Platform)
			if err != nil {
				t.Fatal(err)
			}
			k := &KeyAgreement{private}
			peer := cose.MarshalP256(cose.ECDHESHKDF, append(append([]byte{4}, s.AuthX...), s.AuthY...))
			if s.V1Key != nil {
				wantSecret(t, k, One, peer, s.V1Key)
				wantSecret(t, k, Two, peer, append(append([]byte(nil), s.V2HMAC...), s.V2AES...))
				return
			}
			wantSecret(t, k, Protocol{s.Protocol}, peer, s.Secret)
		})
	}
}

func wantSecret(t *testing.T, k *KeyAgreement, p Protocol, peer, want []byte) {
	t.Helper()
	got, err := k.Decapsulate(p, peer)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%v: secret %x, want %x", p, got, want)
	}
}

func TestKDFVector(t *testing.T) {
	s := set(t, "go-fido2-v2-kdf")
	got, err := Two.kdf(s.IKM)
	if err != nil || !bytes.Equal(got, s.Secret) {
		t.Errorf("kdf = %x, %v; want %x", got, err, s.Secret)
	}
}

func TestEncryptVectors(t *testing.T) {
	s := set(t, "webauthnworks-guide")
	one, err := One.Encrypt(s.V1Key, s.V1.Plaintext, nil)
	if err != nil || !bytes.Equal(one, s.V1.Ciphertext) {
		t.Errorf("protocol one: %x, %v; want %x", one, err, s.V1.Ciphertext)
	}
	if mac := One.Authenticate(s.V1Key, one); !bytes.Equal(mac, s.V1.Mac16) {
		t.Errorf("protocol one: MAC %x, want %x", mac, s.V1.Mac16)
	}
	secret := append(append([]byte(nil), s.V2HMAC...), s.V2AES...)
	two, err := Two.Encrypt(secret, s.V2.Plaintext, bytes.NewReader(s.V2.IV))
	if err != nil || !bytes.Equal(two, s.V2.IVCiphertext) {
		t.Errorf("protocol two: %x, %v; want %x", two, err, s.V2.IVCiphertext)
	}
	if mac := Two.Authenticate(secret, two); !bytes.Equal(mac, s.V2.Mac) {
		t.Errorf("protocol two: MAC %x, want %x", mac, s.V2.Mac)
	}
	for p, c := range map[Protocol][2][]byte{One: {s.V1Key, one}, Two: {secret, two}} {
		plain, err := p.Decrypt(c[0], c[1])
		if err != nil || !bytes.Equal(plain, s.V1.Plaintext) {
			t.Errorf("%v: decrypted to %x, %v", p, plain, err)
		}
	}
}

func TestGetTokenVector(t *testing.T) {
	s := set(t, "python-fido2-v1")
	hash := sha256.Sum256([]byte(s.GetToken.PIN))
	enc, err := One.Encrypt(s.Secret, hash[:16], nil)
	if err != nil || !bytes.Equal(enc, s.GetToken.Hash) {
		t.Errorf("pinHashEnc %x, %v; want %x", enc, err, s.GetToken.Hash)
	}
	token, err := One.Decrypt(s.Secret, s.GetToken.Enc)
	if err != nil || !bytes.Equal(token, s.GetToken.Token) {
		t.Errorf("token %x, %v; want %x", token, err, s.GetToken.Token)
	}
}

func TestTokenMACVectors(t *testing.T) {
	s := set(t, "webauthnworks-guide")
	for _, m := range s.TokenMACs {
		if !Two.Verify(s.TokenOfMAC.Token, m.Message, m.V2) || !One.Verify(s.TokenOfMAC.Token, m.Message, m.V1) {
			t.Errorf("%s: MAC does not verify", m.Name)
		}
		if Two.Verify(s.TokenOfMAC.Token, m.Message, m.V1) {
			t.Errorf("%s: protocol two takes a MAC of 16 bytes", m.Name)
		}
	}
}

func TestEncapsulate(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{1})
	k, err := NewKeyAgreement(rng)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Protocol{One, Two} {
		public, secret, err := Encapsulate(p, k.Public(), rng)
		if err != nil {
			t.Fatal(err)
		}
		wantSecret(t, k, p, public, secret)
	}
}

func TestDecapsulateRefuses(t *testing.T) {
	k, err := NewKeyAgreement(rand.NewChaCha8([32]byte{2}))
	if err != nil {
		t.Fatal(err)
	}
	off := append([]byte(nil), k.Public()...)
	off[len(off)-1] ^= 1
	for name, peer := range map[string][]byte{
		"empty": {}, "not CBOR": {0xFF}, "no members": {0xA0}, "off the curve": off,
		"other algorithm": cose.MarshalP256(cose.ES256, k.private.PublicKey().Bytes()),
	} {
		if _, err := k.Decapsulate(Two, peer); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDecryptRefusesLengths(t *testing.T) {
	for _, n := range []int{1, 15, 17} {
		if _, err := One.Decrypt(make([]byte, 32), make([]byte, n)); err != ErrCiphertext {
			t.Errorf("protocol one, %d bytes: %v", n, err)
		}
		if _, err := Two.Decrypt(make([]byte, 64), make([]byte, n)); err != ErrCiphertext {
			t.Errorf("protocol two, %d bytes: %v", n, err)
		}
	}
}

func FuzzDecapsulate(f *testing.F) {
	k, err := NewKeyAgreement(rand.NewChaCha8([32]byte{3}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(k.Public())
	f.Fuzz(func(t *testing.T, peer []byte) {
		if secret, err := k.Decapsulate(Two, peer); err == nil && len(secret) != 64 {
			t.Errorf("secret of %d bytes", len(secret))
		}
	})
}
