package conformance

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// NewSite returns the id of a relying party that no other case has, so that what is
// stored at others does not count.
func (r *Run) NewSite() string { return fmt.Sprintf("%x.%s", r.Bytes(6), RPID) }

// PasskeyParams are [Run.CreateParams] for a new account of a relying party, with the
// option rk. The account has the name as name and as displayName.
func (r *Run) PasskeyParams(rpID, name string) M {
	return r.CreateParams().
		With(2, S{"id": rpID, "name": "Conformance"}).
		With(3, S{"id": r.Bytes(16), "name": name, "displayName": name}).
		With(7, S{"rk": true})
}

// NewPasskeys makes a discoverable credential for each account of a relying party, in
// this order.
func (r *Run) NewPasskeys(rpID string, names ...string) []*Credential {
	made := make([]*Credential, len(names))
	for i, name := range names {
		made[i] = r.Create(r.PasskeyParams(rpID, name))
	}
	return made
}

// AssertParamsAt are [Run.AssertParams] for whatever is stored at a relying party.
func (r *Run) AssertParamsAt(rpID string) M { return r.AssertParams().With(1, rpID) }

// Outputs reads the extension outputs of authenticator data. The map is empty where
// there are none.
func (r *Run) Outputs(d *ctap.AuthenticatorData) map[string]cbor.RawMessage {
	outputs := map[string]cbor.RawMessage{}
	if d.Extensions == nil {
		return outputs
	}
	err := ctap.DecodeLoose(d.Extensions, &outputs)
	r.Require(err == nil, "the extension outputs are no map with text keys: %x", []byte(d.Extensions))
	return outputs
}

// Configure sends a subcommand of authenticatorConfig (section 6.11) with a token for
// it where the authenticator is protected; the case fails when it is refused. params
// may be nil.
func (r *Run) Configure(subCommand uint, params M) {
	m, message := M{1: subCommand}, append(ffs(), byte(ctap.Config), byte(subCommand))
	if params != nil {
		m = m.With(2, params)
		message = append(message, r.Encode(params)...)
	}
	if r.Protected() {
		t := r.Token(ctap.PermAuthenticatorCfg, "")
		m = m.With(3, t.Number()).With(4, t.MAC(message))
	}
	r.Send(ctap.Config, m).OK()
	r.info = nil
}

// ffs is the 32 bytes in front of what pinUvAuthParam authenticates in commands that
// have no clientDataHash.
func ffs() []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = 0xFF
	}
	return b
}
