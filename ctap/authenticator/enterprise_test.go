package authenticator

import (
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// enterprises records what it is asked to attest to.
type enterprises struct{ asked []AttestationRequest }

func (e *enterprises) Attest(q AttestationRequest) (string, cbor.RawMessage, error) {
	e.asked = append(e.asked, q)
	return "packed", emptyMap, nil
}

func TestEnterpriseAttestation(t *testing.T) {
	for _, c := range []struct {
		name             string
		capable, enabled bool
		kind             uint
		rpID             string
		formats          []string
		want             ctap.Status
		given            bool
	}{
		{name: "vendor-facilitated", capable: true, enabled: true, kind: 1, rpID: "corp.example", given: true},
		{name: "vendor-facilitated, not on the list", capable: true, enabled: true, kind: 1, rpID: "example.com"},
		{name: "platform-managed", capable: true, enabled: true, kind: 2, rpID: "example.com", given: true},
		{name: "platform wants none", capable: true, enabled: true, kind: 2, rpID: "example.com", formats: []string{"none"}},
		{name: "platform prefers a format", capable: true, enabled: true, kind: 2, rpID: "example.com", formats: []string{"packed", "none"}, given: true},
		{name: "kind 0", capable: true, enabled: true, kind: 0, rpID: "corp.example", want: ctap.ErrInvalidOption},
		{name: "kind 3", capable: true, enabled: true, kind: 3, rpID: "corp.example", want: ctap.ErrInvalidOption},
		{name: "disabled", capable: true, kind: 1, rpID: "corp.example", want: ctap.ErrInvalidParameter},
		{name: "disabled, kind 3", capable: true, kind: 3, rpID: "corp.example", want: ctap.ErrInvalidParameter},
		{name: "not capable", enabled: true, kind: 1, rpID: "corp.example", want: ctap.ErrInvalidParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := securityKey()
			p.Attestation, p.Enterprise = ExternalAttestation, Enterprise{Capable: c.capable, RPIDs: []string{"corp.example"}}
			r := newRig(t, p)
			maker := &enterprises{}
			r.auth.env.Attestation = maker
			r.auth.device.EnterpriseEnabled = c.enabled
			q := creation(c.rpID, "ada")
			q.EnterpriseAttestation, q.AttestationFormats = &c.kind, c.formats
			var response ctap.MakeCredentialResponse
			r.want(r.send(ctap.MakeCredential, q, &response), c.want, "makeCredential")
			if c.want != ctap.OK {
				return
			}
			if response.EnterpriseAtt != c.given {
				t.Errorf("epAtt %v, want %v", response.EnterpriseAtt, c.given)
			}
			if slices.Equal(c.formats, []string{"none"}) {
				if response.Format != "none" || len(maker.asked) != 0 {
					t.Errorf("attested with %s", response.Format)
				}
				return
			}
			if asked := maker.asked[0]; asked.Enterprise != c.given || !slices.Equal(asked.Formats, c.formats) {
				t.Errorf("attestation was asked for with %+v", asked)
			}
		})
	}
}
