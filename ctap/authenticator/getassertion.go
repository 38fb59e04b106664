package authenticator

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// nextAssertionLimit is how long an enumeration waits for the next command
// (section 6.3).
const nextAssertionLimit = 30 * time.Second

// pending is the enumeration that authenticatorGetNextAssertion goes on with. It
// belongs to the channel that began it and ends with any other command.
type pending struct {
	rest       []*Credential // nil: no enumeration
	ceremony   *ceremony
	extensions map[string]cbor.RawMessage
	channel    uint32
	deadline   time.Time
}

// getAssertion answers authenticatorGetAssertion (section 6.2.2; the steps are
// numbered as there).
func (a *Authenticator) getAssertion(ctx context.Context, params []byte) (*ctap.GetAssertionResponse, error) {
	var r ctap.GetAssertionRequest
	if err := ctap.Decode(params, &r); err != nil {
		return nil, err
	}
	if r.RPID == "" {
		return nil, ctap.ErrMissingParameter
	}
	if err := checkHash(r.ClientDataHash); err != nil {
		return nil, err
	}
	c := &ceremony{
		command: ctap.GetAssertion, permission: ctap.PermGetAssertion,
		rpID: r.RPID, rpIDHash: sha256.Sum256([]byte(r.RPID)), hash: r.ClientDataHash,
		mac: r.PinUvAuthParam, protocol: r.PinUvAuthProtocol, listed: len(r.AllowList) > 0,
	}
	c.useOptions(r.Options)

	// 1. A pinUvAuthParam of length zero only asks for the user's choice.
	if err := a.probe(ctx, c); err != nil {
		return nil, err
	}
	// 2. pinUvAuthProtocol must be there and supported.
	if err := a.checkProtocol(c); err != nil {
		return nil, err
	}
	// 4. The options; rk has no place here.
	if err := a.checkUVOption(c); err != nil {
		return nil, err
	}
	if _, ok := r.Options["rk"]; ok {
		return nil, ctap.ErrUnsupportedOption
	}
	// 5. alwaysUv, which silent requests are exempt from.
	if c.up {
		if err := a.checkAlwaysUV(c); err != nil {
			return nil, err
		}
	}
	// 6. Verify the user, where the request asks for it.
	if err := a.verifyUser(ctx, c); err != nil {
		return nil, err
	}
	// 7. Locate the credentials that may be used.
	found, err := a.applicable(c, r.AllowList)
	if err != nil {
		return nil, err
	}
	// 8. None is there. CTAP 2.0 asks for the touch before it tells.
	if len(found) == 0 && !a.profile.ctap20() {
		return nil, ctap.ErrNoCredentials
	}
	// 9. User presence, unless the request is silent.
	if c.up {
		if err := a.collectPresence(ctx, c); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, ctap.ErrNoCredentials
	}
	return a.assertFirst(ctx, c, found, &r)
}

// assertFirst is steps 10 to 13: sign with the first credential, and remember the
// others for authenticatorGetNextAssertion; or, on a display, with the one that the
// user picks.
func (a *Authenticator) assertFirst(ctx context.Context, c *ceremony, found []*Credential, r *ctap.GetAssertionRequest) (*ctap.GetAssertionResponse, error) {
	several := !c.listed && len(found) > 1
	if chooser, ok := a.env.User.(Chooser); ok && several && a.profile.Display && (c.verified || c.up) {
		picked, err := a.pick(ctx, c, chooser, found)
		if err != nil {
			return nil, err
		}
		response, err := a.assert(c, picked, r.Extensions, false)
		if err == nil {
			response.UserSelected = true
		}
		return response, err
	}
	response, err := a.assert(c, found[0], r.Extensions, several)
	if err != nil || !several {
		return response, err
	}
	response.NumberOfCredentials = uint(len(found))
	a.boot.pending = pending{
		rest: found[1:], ceremony: c, extensions: r.Extensions,
		channel: ctap.Channel(ctx), deadline: a.env.Now().Add(nextAssertionLimit),
	}
	return response, nil
}

// ctap20 tells whether the authenticator is of CTAP 2.0 and has nothing of what came
// after it.
func (p *Profile) ctap20() bool { return !p.ctap21() && !slices.Contains(p.Versions, "FIDO_2_1_PRE") }

// pick has the user pick one of several accounts on the display.
func (a *Authenticator) pick(ctx context.Context, c *ceremony, chooser Chooser, found []*Credential) (*Credential, error) {
	accounts := make([]ctap.User, len(found))
	for i, credential := range found {
		accounts[i] = credential.User
	}
	p := c.prompt()
	p.Timeout = userActionTimeout
	ctap.ReportProgress(ctx, ctap.UPNeeded)
	i, answer := chooser.Choose(ctx, p, accounts)
	ctap.ReportProgress(ctx, ctap.Processing)
	switch {
	case answer == Cancelled:
		return nil, ctap.ErrKeepaliveCancel
	case answer != Granted || i < 0 || i >= len(found):
		return nil, ctap.ErrOperationDenied
	}
	return found[i], nil
}

// getNextAssertion answers authenticatorGetNextAssertion (section 6.3).
func (a *Authenticator) getNextAssertion(ctx context.Context) (*ctap.GetAssertionResponse, error) {
	p := &a.boot.pending
	if len(p.rest) == 0 || p.channel != ctap.Channel(ctx) || a.env.Now().After(p.deadline) {
		a.boot.pending = pending{}
		return nil, ctap.ErrNotAllowed
	}
	response, err := a.assert(p.ceremony, p.rest[0], p.extensions, true)
	p.rest, p.deadline = p.rest[1:], a.env.Now().Add(nextAssertionLimit)
	return response, err
}

// applicable returns the credentials that the request may use, the one to use
// first in front.
func (a *Authenticator) applicable(c *ceremony, allowList []ctap.Descriptor) ([]*Credential, error) {
	if uint(len(allowList)) > a.profile.maxCredsInList() {
		return nil, ctap.ErrLimitExceeded
	}
	if len(allowList) > 0 {
		return a.locate(c, allowList)
	}
	all, err := a.env.Credentials.ByRP(c.rpIDHash)
	if err != nil {
		return nil, err
	}
	var visible []*Credential
	for _, credential := range all {
		if c.verified || credential.Protection < protectWithList {
			visible = append(visible, credential)
		}
	}
	return visible, nil
}

// assert signs with one credential.
func (a *Authenticator) assert(c *ceremony, credential *Credential, inputs map[string]cbor.RawMessage, several bool) (*ctap.GetAssertionResponse, error) {
	x, err := a.assertionExtensions(c, credential, inputs)
	if err != nil {
		return nil, err
	}
	extensions, err := encodeOutputs(x.outputs)
	if err != nil {
		return nil, err
	}
	count, err := a.nextCount()
	if err != nil {
		return nil, err
	}
	data := ctap.AuthenticatorData{
		RPIDHash: c.rpIDHash, Flags: c.flags() | a.backupFlags(credential), SignCount: count, Extensions: extensions,
	}
	authData := a.quirks.authData(c, data.Append(make([]byte, 0, 128+len(extensions))))
	signature, err := a.env.Keys.Sign(credential.Algorithm, credential.KeyHandle, append(authData, c.hash...))
	if errors.Is(err, ErrKeyLost) {
		return nil, ctap.ErrNoCredentials
	}
	if err != nil {
		return nil, err
	}
	unsigned, err := a.unsignedOutputs(credential, x)
	if err != nil {
		return nil, err
	}
	return &ctap.GetAssertionResponse{
		Credential: &ctap.Descriptor{ID: credential.ID, Type: ctap.PublicKeyCredential},
		AuthData:   authData, Signature: signature, User: userFor(c, credential, several),
		LargeBlobKey: x.largeBlobKey, UnsignedExtensions: unsigned,
	}, nil
}

// userFor returns what an answer says of the user: the handle of a discoverable
// credential; names only to choose among several accounts, and only after user
// verification.
func userFor(c *ceremony, credential *Credential, several bool) *ctap.User {
	switch {
	case !credential.Discoverable:
		return nil
	case c.verified && several:
		u := credential.User
		return &u
	}
	return &ctap.User{ID: credential.User.ID}
}
