package authenticator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

func TestSelectionCameWith21(t *testing.T) {
	for _, c := range []struct {
		versions []string
		want     ctap.Status
	}{
		{[]string{"FIDO_2_0"}, ctap.ErrInvalidCommand},
		{[]string{"FIDO_2_0", "FIDO_2_1_PRE"}, ctap.ErrInvalidCommand},
		{[]string{"FIDO_2_0", "FIDO_2_1"}, ctap.OK},
		{[]string{"FIDO_2_1", "FIDO_2_3"}, ctap.OK},
	} {
		p := securityKey()
		p.Versions = c.versions
		r := newRig(t, p)
		r.want(r.send(ctap.Selection, nil, nil), c.want, "selection")
	}
}

func TestPINRetriesWithoutPIN(t *testing.T) {
	for needed, want := range map[bool]ctap.Status{false: ctap.OK, true: ctap.ErrPINNotSet} {
		p := securityKey()
		p.PINRetriesNeedPIN = needed
		r := newRig(t, p)
		ask := func() ctap.Status {
			return r.send(ctap.ClientPIN, &ctap.ClientPINRequest{SubCommand: ctap.GetPINRetries}, nil)
		}
		r.want(ask(), want, "without a PIN")
		r.want(r.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
		r.want(ask(), ctap.OK, "with a PIN")
	}
}

// What U2F registers can be used over U2F, whatever policy other credentials are made with.
func TestU2FRegistersWithoutProtection(t *testing.T) {
	p := managedKey()
	p.Extensions, p.DefaultCredProtect = []string{ExtCredProtect}, protectUV
	r := newRig(t, p)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r.auth.env.Attestation = testU2F{key: key}
	both := slices.Concat(clientDataHash, hashOf([]byte("example.com")))
	response, sw := r.u2f(extended(u2fRegister, 0, both))
	if sw != swOK {
		t.Fatalf("register: %04X", sw)
	}
	handle := response[67:][:response[66]]
	if _, sw := r.u2f(extended(u2fAuthenticate, u2fEnforce, slices.Concat(both, response[66:67], handle))); sw != swOK {
		t.Errorf("authenticate: %04X", sw)
	}
}
