package reference_test

import (
	"crypto/x509"
	"testing"
	"time"

	"fido-emu/attestation"
	"fido-emu/attestation/metadata"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// listing makes a BLOB that tells of the model of laptops.
func listing(t *testing.T, a *attestation.Authority, no int, at time.Time, reports ...metadata.Report) []byte {
	t.Helper()
	info, err := ctap.Encode(ctap.Info{Versions: []string{"FIDO_2_1"}, AAGUID: model[:]})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := metadata.Build([]metadata.Model{{
		AAGUID: model, Title: "Laptop", Info: info, Algorithms: []cose.Algorithm{cose.ES256},
		Attestation: []attestation.Type{attestation.Basic}, Roots: []*x509.Certificate{a.Root()}, Reports: reports,
	}}, at, no)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := payload.Sign(a)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestMetadata(t *testing.T) {
	vouching := authority(t, 1)
	each(t, func(s site) {
		attests, err := vouching.Packed(model, "Laptop")
		s.ok(err)
		key := laptop(t, authenticator.ExternalAttestation, cose.ES256, nil, attests)
		s.ok(s.SetPolicy(s.ctx, "", rp.Policy{RequireAttestation: true}))
		_, err = s.Register(s.ctx, ada, key)
		s.refused(err, reference.AttestationRequired)

		now := s.clock.now()
		s.refused(s.SetMetadata(s.ctx, listing(t, authority(t, 2), 5, now)), reference.BadMetadata)
		s.refused(s.SetMetadata(s.ctx, []byte("no BLOB")), reference.BadMetadata)
		s.ok(s.SetMetadata(s.ctx, listing(t, vouching, 5, now)))
		if made := s.register(ada, key); !made.Trusted {
			t.Error("not trusted by the root that metadata names")
		}
		s.refused(s.SetMetadata(s.ctx, listing(t, vouching, 5, now)), reference.BadMetadata)

		s.ok(s.SetMetadata(s.ctx, listing(t, vouching, 6, now, metadata.Report{Status: metadata.Revoked, Since: now})))
		_, err = s.Register(s.ctx, rp.Person{Name: "bob"}, key)
		s.refused(err, reference.ModelFlawed)
		s.signIn(ada, key) // attestation is looked at when a passkey is registered
		s.ok(s.SetPolicy(s.ctx, "", rp.Policy{}))
		if made := s.register(rp.Person{Name: "bob"}, key); made.Trusted {
			t.Error("a revoked model is trusted")
		}
	}, func(c *reference.Config) { c.MetadataRoots = vouching.Pool() })
}
