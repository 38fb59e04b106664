package metadata_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"fido-emu/attestation"
	"fido-emu/attestation/metadata"
	"fido-emu/ctap"
)

func blob(t testing.TB, a *attestation.Authority, no int, models ...metadata.Model) []byte {
	t.Helper()
	payload, err := metadata.Build(models, at, no)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := payload.Sign(a)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestReadsWhatWasWritten(t *testing.T) {
	a := root(t, 1)
	u2f := u2fKey(t, a)
	trust, err := metadata.Read(blob(t, a, 7, key(t, a), u2f), a.Pool(), at)
	if err != nil {
		t.Fatal(err)
	}
	if trust.No != 7 || trust.Models != 2 || !trust.NextUpdate.Equal(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("number %d, %d models, until %s", trust.No, trust.Models, trust.NextUpdate)
	}
	known := trust.Model(aaguid, nil)
	if known == nil || known.Title != "Test Key" || len(known.Roots) != 1 || !known.Roots[0].Equal(a.Root()) {
		t.Errorf("the key is %+v", known)
	}
	if known := trust.Model(ctap.AAGUID{}, u2f.Certificates[0]); known == nil || known.Title != "Test U2F Key" {
		t.Errorf("the U2F key is %+v", known)
	}
	if trust.Model(ctap.AAGUID{9}, nil) != nil || trust.Model(ctap.AAGUID{}, a.Root()) != nil {
		t.Error("a model is known that is not in the BLOB")
	}
}

func TestReadRefuses(t *testing.T) {
	a, other := root(t, 1), root(t, 2)
	good := string(blob(t, a, 1, key(t, a)))
	parts := strings.Split(good, ".")
	for name, test := range map[string]struct {
		blob  string
		roots *x509.CertPool
		at    time.Time
		want  string
	}{
		"nothing":         {"", a.Pool(), at, "not a signed JWT"},
		"another root":    {good, other.Pool(), at, "no trusted root"},
		"too late":        {good, a.Pool(), at.AddDate(50, 0, 0), "no trusted root"},
		"another payload": {parts[0] + "." + parts[0] + "." + parts[2], a.Pool(), at, "signature"},
		"unsigned":        {"eyJhbGciOiJub25lIn0." + parts[1] + ".", a.Pool(), at, "not a signed JWT"},
	} {
		if _, err := metadata.Read([]byte(test.blob), test.roots, test.at); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestUndesired(t *testing.T) {
	a := root(t, 1)
	day := 24 * time.Hour
	for _, test := range []struct {
		name    string
		reports []metadata.Report
		chain   []*x509.Certificate
		want    metadata.Status // empty for none
	}{
		{"certified", []metadata.Report{{Status: metadata.CertifiedL2, Since: at}}, nil, ""},
		{"retired is no flaw", []metadata.Report{{Status: metadata.Retired, Since: at}}, nil, ""},
		{"revoked", []metadata.Report{{Status: metadata.Certified, Since: at.Add(-day)}, {Status: metadata.Revoked, Since: at}}, nil, metadata.Revoked},
		{"revoked from tomorrow on", []metadata.Report{{Status: metadata.Revoked, Since: at.Add(day)}}, nil, ""},
		{"of a certificate that is not there", []metadata.Report{{Status: metadata.AttestationKeyCompromise, Since: at, Certificate: a.Root()}}, nil, ""},
		{"of a certificate in the chain", []metadata.Report{{Status: metadata.AttestationKeyCompromise, Since: at, Certificate: a.Root()}}, []*x509.Certificate{a.Root()}, metadata.AttestationKeyCompromise},
	} {
		m := key(t, a)
		m.Reports = test.reports
		trust, err := metadata.Read(blob(t, a, 1, m), a.Pool(), at)
		if err != nil {
			t.Fatal(err)
		}
		r, bad := trust.Model(aaguid, nil).Undesired(at, test.chain)
		if bad != (test.want != "") || r.Status != test.want {
			t.Errorf("%s: %q, want %q", test.name, r.Status, test.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	a := root(f, 1)
	f.Add(blob(f, a, 1, key(f, a)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if trust, err := metadata.Read(b, a.Pool(), at); err == nil && trust.Models > 0 {
			trust.Model(aaguid, a.Root())
		}
	})
}
