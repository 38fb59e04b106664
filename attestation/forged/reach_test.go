package forged_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/attestation/forged"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
)

// An authenticator can give every forgery to a platform, which does not look at
// statements: that is the relying party's part.
func TestForgeriesReachThePlatform(t *testing.T) {
	for _, f := range forged.Catalogue() {
		random := rand.NewChaCha8([32]byte{7})
		keys := softkeys.New(random, true)
		p := authenticator.Profile{
			Name: "key", AAGUID: ctap.AAGUID{0xF1}, Versions: []string{"FIDO_2_1"}, Algorithms: []cose.Algorithm{cose.ES256},
			Attestation: authenticator.ExternalAttestation, Counter: authenticator.GlobalCounter,
		}
		if f.NoAAGUID {
			p.AAGUID = ctap.AAGUID{}
		}
		a, err := authenticator.New(p, authenticator.Env{
			Now: func() time.Time { return now }, Rand: random, User: authenticator.Consenting{}, Keys: keys,
			Attestation: f.Attestation(root(t), keys),
			Device:      authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(1),
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := platform.New(a, random).MakeCredential(t.Context(), &ctap.MakeCredentialRequest{
			ClientDataHash: make([]byte, 32), RP: &ctap.RelyingParty{ID: "example.com"}, User: &ctap.User{ID: []byte{1}},
			PubKeyCredParams: []ctap.Parameters{{Type: ctap.PublicKeyCredential, Algorithm: int(cose.ES256)}},
		})
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if r.Data.Attested.AAGUID != p.AAGUID || len(r.AttStmt) == 0 {
			t.Errorf("%s: %+v", f.Name, r)
		}
	}
}
