package forged_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"fido-emu/attestation"
	"fido-emu/attestation/forged"
	"fido-emu/attestation/internal/gowebauthn"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
)

var update = flag.Bool("update", false, "write testdata/verdicts.txt anew")

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func root(t testing.TB) *attestation.Authority {
	t.Helper()
	a, err := attestation.NewAuthority("Test Root", rand.NewChaCha8([32]byte{1}), now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// request returns what an authenticator asks of its attestation, whose keys are the
// ones returned.
func request(t testing.TB, noAAGUID bool) (authenticator.AttestationRequest, authenticator.Keys) {
	t.Helper()
	keys := softkeys.New(rand.NewChaCha8([32]byte{4}), true)
	handle, public, err := keys.Generate(cose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	aaguid := ctap.AAGUID{0xF1, 0xD0, 15: 1}
	if noAAGUID {
		aaguid = ctap.AAGUID{}
	}
	data := ctap.AuthenticatorData{
		RPIDHash: sha256.Sum256([]byte("example.com")), Flags: ctap.FlagUP,
		Attested: &ctap.AttestedCredential{AAGUID: aaguid, ID: []byte("id"), PublicKey: public},
	}
	return authenticator.AttestationRequest{
		RPID: "example.com", Algorithm: cose.ES256, KeyHandle: handle, PublicKey: public, AAGUID: aaguid,
		CredentialID: data.Attested.ID, AuthData: data.Append(nil), ClientDataHash: bytes.Repeat([]byte{9}, 32),
	}, keys
}

// judge returns our own verdict and go-webauthn's.
func judge(t testing.TB, name string, a authenticator.Attestation, r authenticator.AttestationRequest) (ours, theirs error) {
	t.Helper()
	format, statement, err := a.Attest(r)
	if err != nil {
		t.Fatal(err)
	}
	// A compound statement in another is nested deeper than CTAP allows, whatever it holds.
	if err := ctap.CheckCanonical(statement); err != nil && name != "compound-nested" {
		t.Errorf("statement is not canonical, which is a defect more: %v", err)
	}
	result, ours := attestation.Verify(format, statement, r.AuthData, r.ClientDataHash)
	if ours == nil && result.Type != attestation.None && result.Type != attestation.Self {
		ours = result.Trusted(root(t).Pool(), now)
	}
	return ours, gowebauthn.Judge(format, statement, r.AuthData, r.ClientDataHash, root(t).Root())
}

func TestGenuine(t *testing.T) {
	for _, format := range []string{
		attestation.FormatNone, attestation.FormatPacked, attestation.FormatU2F, attestation.FormatTPM,
		attestation.FormatAndroidKey, attestation.FormatApple, attestation.FormatCompound,
	} {
		t.Run(format, func(t *testing.T) {
			r, keys := request(t, format == attestation.FormatU2F)
			ours, theirs := judge(t, "genuine", forged.Genuine(format, root(t), keys), r)
			if ours != nil || theirs != nil {
				t.Errorf("here: %v; go-webauthn: %v", ours, theirs)
			}
		})
	}
}

// Every forgery is refused here, for the reason in testdata/verdicts.txt, which also
// records what go-webauthn says to it.
func TestVerdicts(t *testing.T) {
	var got strings.Builder
	for _, f := range forged.Catalogue() {
		r, keys := request(t, f.NoAAGUID)
		ours, theirs := judge(t, f.Name, f.Attestation(root(t), keys), r)
		if ours == nil {
			t.Errorf("%s is accepted: %s", f.Name, f.Wrong)
		}
		verdict := "accepted"
		if theirs != nil {
			verdict = "refused"
		}
		t.Logf("%s: go-webauthn: %v", f.Name, theirs)
		fmt.Fprintf(&got, "%s\n\there: %v\n\tgo-webauthn v0.18.2: %s\n", f.Name, ours, verdict)
	}
	const golden = "testdata/verdicts.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("verdicts differ from %s (-update writes it anew):\n%s", golden, got.String())
	}
}

func TestCatalogue(t *testing.T) {
	all := forged.Catalogue()
	if len(all) < 40 {
		t.Errorf("%d forgeries", len(all))
	}
	seen := map[string]bool{}
	for _, f := range all {
		if seen[f.Name] || f.Format == "" || f.Section == "" || f.Wrong == "" || f.Loses == "" {
			t.Errorf("%+v: twice, or a member is empty", f)
		}
		seen[f.Name] = true
		if _, err := forged.Lookup(f.Name); err != nil {
			t.Error(err)
		}
	}
	if _, err := forged.Lookup("packed-perfect"); err == nil || !strings.Contains(err.Error(), "packed-expired") {
		t.Errorf("the error does not list what there is: %v", err)
	}
}

// A forgery differs from what is genuine, and from one seed is the same every time.
func TestForgeriesFollowFromTheAuthority(t *testing.T) {
	for _, f := range forged.Catalogue() {
		attest := func(a func(*attestation.Authority, authenticator.Keys) *forged.Attestation) []byte {
			r, keys := request(t, f.NoAAGUID)
			format, statement, err := a(root(t), keys).Attest(r)
			if err != nil {
				t.Fatal(err)
			}
			return append([]byte(format), statement...)
		}
		first := attest(f.Attestation)
		if !bytes.Equal(first, attest(f.Attestation)) {
			t.Errorf("%s: the same seed makes other bytes", f.Name)
		}
		genuine := attest(func(a *attestation.Authority, k authenticator.Keys) *forged.Attestation {
			return forged.Genuine(f.Format, a, k)
		})
		if bytes.Equal(first, genuine) && f.Name != "u2f-aaguid" {
			t.Errorf("%s: is genuine", f.Name)
		}
	}
}

func TestAttestU2F(t *testing.T) {
	_, keys := request(t, true)
	message := bytes.Repeat([]byte{1}, 1+32+32+16+65)
	for name, forges := range map[string]bool{"u2f-wrong-challenge": true, "u2f-expired": true, "packed-expired": false} {
		f, err := forged.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		certificate, signature, err := f.Attestation(root(t), keys).AttestU2F(message)
		if (err == nil) != forges || forges && (len(certificate) == 0 || len(signature) == 0) {
			t.Errorf("%s: %x, %v", name, signature, err)
		}
	}
}
