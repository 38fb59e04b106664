package metadata_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	theirs "github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"

	"fido-emu/attestation"
	"fido-emu/attestation/internal/gowebauthn"
	"fido-emu/attestation/metadata"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
)

var (
	at     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	aaguid = ctap.AAGUID{0xF1, 0xD0, 15: 1}
)

func root(t testing.TB, seed byte) *attestation.Authority {
	t.Helper()
	a, err := attestation.NewAuthority("Test Root", rand.NewChaCha8([32]byte{seed}), at)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// getInfo returns what a new security key answers, as metadata holds it.
func getInfo(t testing.TB, aaguid ctap.AAGUID) []byte {
	t.Helper()
	random := rand.NewChaCha8([32]byte{2})
	a, err := authenticator.New(authenticator.Profile{
		Name: "key", AAGUID: aaguid, Versions: []string{"FIDO_2_0", "FIDO_2_1"}, Discoverable: true, ClientPIN: true,
		PINProtocols: []uint{2}, Algorithms: []cose.Algorithm{cose.ES256, cose.EdDSA}, Transports: []string{"usb", "nfc"},
		Extensions: []string{"credProtect", "hmac-secret"}, FirmwareVersion: 7,
		Attestation: authenticator.ExternalAttestation, Counter: authenticator.GlobalCounter,
	}, authenticator.Env{
		Now: func() time.Time { return at }, Rand: random, User: authenticator.Consenting{}, Keys: softkeys.New(random, true),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(10),
	})
	if err != nil {
		t.Fatal(err)
	}
	response, err := a.Exchange(t.Context(), []byte{byte(ctap.GetInfo)})
	if err != nil || response[0] != 0 {
		t.Fatalf("getInfo: %x, %v", response, err)
	}
	return response[1:]
}

func key(t testing.TB, a *attestation.Authority) metadata.Model {
	t.Helper()
	return metadata.Model{
		AAGUID: aaguid, Title: "Test Key", Info: getInfo(t, aaguid), Algorithms: []cose.Algorithm{cose.ES256, cose.EdDSA},
		Attestation: []attestation.Type{attestation.Basic}, Roots: []*x509.Certificate{a.Root()},
	}
}

func u2fKey(t testing.TB, a *attestation.Authority) metadata.Model {
	t.Helper()
	u2f, err := a.U2F("Test U2F Key")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(u2f.X5C()[0])
	if err != nil {
		t.Fatal(err)
	}
	return metadata.Model{
		Title: "Test U2F Key", Algorithms: []cose.Algorithm{cose.ES256}, Attestation: []attestation.Type{attestation.Basic},
		Roots: []*x509.Certificate{a.Root()}, Certificates: []*x509.Certificate{certificate},
	}
}

// load makes a BLOB and has go-webauthn check and read it.
func load(t testing.TB, a *attestation.Authority, models ...metadata.Model) *theirs.Metadata {
	t.Helper()
	payload, err := metadata.Build(models, at, 1)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := payload.Sign(a)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := theirs.NewDecoder(theirs.WithRootCertificate(base64.StdEncoding.EncodeToString(a.Root().Raw)))
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decoder.DecodeBytes(blob)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := decoder.Parse(decoded)
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Parsed.Entries) != len(models) || parsed.Parsed.Number != 1 || !parsed.Parsed.NextUpdate.Equal(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%d entries, number %d, until %s", len(parsed.Parsed.Entries), parsed.Parsed.Number, parsed.Parsed.NextUpdate)
	}
	return parsed
}

// provider checks all that go-webauthn can.
func provider(t testing.TB, m *theirs.Metadata) theirs.Provider {
	t.Helper()
	p, err := memory.New(
		memory.WithMetadata(m.ToMap()), memory.WithMetadataKeyIdentifiers(m.ToKeyIdentifierMap()),
		memory.WithValidateEntryKeyIdentifier(true), memory.WithValidateStatusCertificateScope(true), memory.WithValidateAAGUID(true),
		memory.WithValidateAttestationFormats(true), memory.WithValidateAlgorithms(true), memory.WithValidateBackupEligibility(true),
		memory.WithValidateExtensions(true), memory.WithValidateUserVerification(true),
	)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// register attests to a new credential and lets go-webauthn judge it by metadata.
func register(t testing.TB, m *theirs.Metadata, maker authenticator.Attestation, aaguid ctap.AAGUID, root *x509.Certificate) error {
	t.Helper()
	keys := softkeys.New(rand.NewChaCha8([32]byte{4}), true)
	handle, public, err := keys.Generate(cose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	data := ctap.AuthenticatorData{
		RPIDHash: sha256.Sum256([]byte("example.com")), Flags: ctap.FlagUP | ctap.FlagUV,
		Attested: &ctap.AttestedCredential{AAGUID: aaguid, ID: []byte("id"), PublicKey: public},
	}
	if aaguid == (ctap.AAGUID{}) {
		data.Flags = ctap.FlagUP
	}
	r := authenticator.AttestationRequest{
		RPID: "example.com", Algorithm: cose.ES256, KeyHandle: handle, PublicKey: public, AAGUID: aaguid,
		CredentialID: data.Attested.ID, AuthData: data.Append(nil), ClientDataHash: bytes.Repeat([]byte{9}, 32),
	}
	format, statement, err := maker.Attest(r)
	if err != nil {
		t.Fatal(err)
	}
	return gowebauthn.JudgeBy(provider(t, m), format, statement, r.AuthData, r.ClientDataHash, root)
}

func packed(t testing.TB, a *attestation.Authority) authenticator.Attestation {
	t.Helper()
	p, err := a.Packed(aaguid, "Test Key")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRelyingPartyTrustsByMetadata(t *testing.T) {
	a := root(t, 1)
	m := load(t, a, key(t, a), u2fKey(t, a))
	if err := register(t, m, packed(t, a), aaguid, a.Root()); err != nil {
		t.Errorf("packed: %v", err)
	}
	u2f, err := a.U2F("Test U2F Key")
	if err != nil {
		t.Fatal(err)
	}
	if err := register(t, m, u2f, ctap.AAGUID{}, a.Root()); err != nil {
		t.Errorf("fido-u2f: %v", err)
	}
	if err := register(t, m, packed(t, root(t, 2)), aaguid, a.Root()); err == nil {
		t.Error("a chain to another root is trusted")
	}
	other, err := a.U2F("Another U2F Key")
	if err != nil {
		t.Fatal(err)
	}
	if err := register(t, m, other, ctap.AAGUID{}, a.Root()); err == nil {
		t.Error("a U2F key that is not in the metadata is trusted")
	}
}

func TestEveryTypeIsTrustedByMetadata(t *testing.T) {
	a := root(t, 1)
	for format, kind := range map[string]attestation.Type{
		attestation.FormatPacked: attestation.Basic, attestation.FormatAndroidKey: attestation.Basic,
		attestation.FormatApple: attestation.AnonCA, attestation.FormatCompound: attestation.Basic,
	} {
		keys := softkeys.New(rand.NewChaCha8([32]byte{5}), true)
		maker, err := a.Attestation(format, attestation.Model{AAGUID: aaguid, Title: "Test Key", Serial: "7"}, keys)
		if err != nil {
			t.Fatal(err)
		}
		model := key(t, a)
		model.Attestation = []attestation.Type{kind}
		if err := register(t, load(t, a, model), maker, aaguid, a.Root()); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		model.Attestation = []attestation.Type{attestation.AttCA}
		if err := register(t, load(t, a, model), maker, aaguid, a.Root()); err == nil {
			t.Errorf("%s: a model of another type is trusted", format)
		}
	}
}

func TestStatuses(t *testing.T) {
	a := root(t, 1)
	bad := map[metadata.Status]bool{
		metadata.UserVerificationBypass: true, metadata.AttestationKeyCompromise: true, metadata.UserKeyRemoteCompromise: true,
		metadata.UserKeyPhysicalCompromise: true, metadata.Revoked: true, metadata.Retired: true,
	}
	for _, status := range metadata.Statuses() {
		model := key(t, a)
		model.Reports = []metadata.Report{{Status: metadata.CertifiedL1, Since: at.AddDate(-1, 0, 0)}, {Status: status, Since: at.AddDate(0, 0, -1)}}
		m := load(t, a, model)
		if changed := m.Parsed.Entries[0].TimeOfLastStatusChange; !changed.Equal(time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: changed on %s", status, changed)
		}
		if err := register(t, m, packed(t, a), aaguid, a.Root()); (err != nil) != bad[status] {
			t.Errorf("%s: %v, want an error: %t", status, err, bad[status])
		}
	}
}

// A status report about one certificate does not concern other batches.
func TestStatusOfOneBatch(t *testing.T) {
	a := root(t, 1)
	for name, c := range map[string]struct {
		of      authenticator.Attestation
		refused bool
	}{"this batch": {packed(t, a), true}, "another batch": {packed(t, root(t, 2)), false}} {
		leaf, err := x509.ParseCertificate(c.of.(*attestation.Packed).X5C()[0])
		if err != nil {
			t.Fatal(err)
		}
		model := key(t, a)
		model.Reports = []metadata.Report{{Status: metadata.AttestationKeyCompromise, Since: at, Certificate: leaf}}
		if err := register(t, load(t, a, model), packed(t, a), aaguid, a.Root()); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStatementDescribesTheModel(t *testing.T) {
	a := root(t, 1)
	synced := metadata.Model{
		AAGUID: ctap.AAGUID{1}, Title: "Provider", Info: getInfo(t, ctap.AAGUID{1}), Algorithms: []cose.Algorithm{cose.ES256, cose.MLDSA44},
		BuiltInUV: "face", Synced: true, KeyProtection: 0x01, MatcherProtection: 0x02,
	}
	entries := load(t, a, key(t, a), u2fKey(t, a), synced).Parsed.Entries
	fido2, u2f, provider := entries[0].MetadataStatement, entries[1].MetadataStatement, entries[2].MetadataStatement
	for i, c := range []struct{ got, want any }{
		{fido2.ProtocolFamily, "fido2"}, {fido2.Schema, 3}, {fido2.AuthenticatorVersion, 7}, {fido2.Upv, `[{"major":1,"minor":0},{"major":1,"minor":1}]`},
		{fido2.AuthenticationAlgorithms, `["secp256r1_ecdsa_sha256_raw","ed25519_eddsa_sha512_raw"]`}, {fido2.AttachmentHint, `["external","wired","wireless","nfc"]`},
		{fido2.KeyProtection, `["hardware","secure_element"]`}, {fido2.MatcherProtection, `["on_chip"]`}, {fido2.AttestationTypes, `["basic_full"]`},
		{fido2.UserVerificationDetails[1][0].CaDesc, `{"base":64,"minLength":4,"maxRetries":8,"blockSlowdown":0}`},
		{fido2.AuthenticatorGetInfo.AaGUID, `"` + aaguid.String() + `"`}, {fido2.AuthenticatorGetInfo.Versions, `["FIDO_2_0","FIDO_2_1"]`},
		{fido2.MultiDeviceCredentialSupport, "unsupported"}, {len(fido2.AttestationRootCertificates), 1},
		{u2f.ProtocolFamily, "u2f"}, {u2f.PublicKeyAlgAndEncodings, `["ecc_x962_raw"]`}, {len(entries[1].AttestationCertificateKeyIdentifiers), 1},
		{provider.MultiDeviceCredentialSupport, "implicit"}, {provider.AttestationTypes, `["none"]`}, {len(provider.AttestationRootCertificates), 0},
		{provider.KeyProtection, `["software"]`}, {provider.MatcherProtection, `["tee"]`},
		{provider.UserVerificationDetails[2][0].UserVerificationMethod, "faceprint_internal"},
		{provider.AuthenticationAlgorithms, `["secp256r1_ecdsa_sha256_raw"]`},
	} {
		got, err := json.Marshal(c.got)
		if err != nil {
			t.Fatal(err)
		}
		want, isText := c.want.(string)
		if !isText {
			b, _ := json.Marshal(c.want)
			want = string(b)
		}
		if strings.Trim(string(got), `"`) != strings.Trim(want, `"`) {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}

// Every member that MDS and MS require is there, empty lists included.
func TestRequiredMembers(t *testing.T) {
	a := root(t, 1)
	payload, err := metadata.Build([]metadata.Model{key(t, a), u2fKey(t, a)}, at, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Entries []struct {
			Statement map[string]json.RawMessage `json:"metadataStatement"`
			Reports   []map[string]string        `json:"statusReports"`
			Changed   string                     `json:"timeOfLastStatusChange"`
		} `json:"entries"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, e := range got.Entries {
		for _, member := range strings.Fields("legalHeader description authenticatorVersion protocolFamily schema upv authenticationAlgorithms" +
			" publicKeyAlgAndEncodings attestationTypes userVerificationDetails keyProtection matcherProtection cryptoStrength" +
			" attachmentHint tcDisplay attestationRootCertificates") {
			if v := e.Statement[member]; v == nil || string(v) == "null" {
				t.Errorf("%s is %s in %s", member, v, e.Statement["description"])
			}
		}
		if len(e.Reports) != 1 || e.Reports[0]["status"] != string(metadata.NotCertified) || e.Changed != "2026-03-01" {
			t.Errorf("status reports are %v of %s", e.Reports, e.Changed)
		}
	}
}

func TestSameModelsSameBytes(t *testing.T) {
	blob := func(seed byte) []byte {
		a := root(t, seed)
		payload, err := metadata.Build([]metadata.Model{key(t, a), u2fKey(t, a)}, at, 1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := payload.Sign(a)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(blob(1), blob(1)) {
		t.Error("the same seed makes another BLOB")
	}
	decoder, err := theirs.NewDecoder(theirs.WithRootCertificate(base64.StdEncoding.EncodeToString(root(t, 2).Root().Raw)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decoder.DecodeBytes(blob(1)); err == nil {
		t.Error("go-webauthn takes a BLOB of another root")
	}
}

func TestBuildRefuses(t *testing.T) {
	a := root(t, 1)
	for want, change := range map[string]func(*metadata.Model){
		"has a name in the FIDO registry": func(m *metadata.Model) { m.Algorithms = []cose.Algorithm{cose.MLDSA44} },
		"both must be the same":           func(m *metadata.Model) { m.AAGUID = ctap.AAGUID{9} },
		"0 attestation roots":             func(m *metadata.Model) { m.Roots = nil },
		"1 attestation roots":             func(m *metadata.Model) { m.Attestation = []attestation.Type{attestation.Self} },
		"attestation type":                func(m *metadata.Model) { m.Attestation = []attestation.Type{"ECDAA"} },
		"certificate that identifies it":  func(m *metadata.Model) { m.Info = nil },
		"getInfo":                         func(m *metadata.Model) { m.Info = []byte{0xA0} },
	} {
		m := key(t, a)
		change(&m)
		if _, err := metadata.Build([]metadata.Model{m}, at, 1); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Test Key") {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}

func FuzzGetInfo(f *testing.F) {
	a := root(f, 1)
	m := key(f, a)
	f.Add(m.Info)
	f.Fuzz(func(t *testing.T, info []byte) {
		m.Info = info
		if p, err := metadata.Build([]metadata.Model{m}, at, 1); err == nil && p.Entries[0].AAGUID != aaguid.String() {
			t.Errorf("entry is for %s", p.Entries[0].AAGUID)
		}
	})
}
