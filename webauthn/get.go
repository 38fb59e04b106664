package webauthn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// request is an authentication ceremony under way (section 5.1.4).
type request struct {
	ceremony
	options *requestOptions
	allowed []ctap.Descriptor
	uv      string // userVerification, worked out
	appID   string // of the extension appid; empty for none
}

// get is the [[DiscoverFromExternalSource]] internal method (section 5.1.4.1).
func (u *UserAgent) get(page context.Context, origin string, optionsJSON []byte, devices []*attached) ([]byte, *Error) {
	o, err := parseRequestOptions(optionsJSON)
	if err != nil {
		return nil, failure(page, page, err)
	}
	c := request{options: o, allowed: descriptors(o.AllowCredentials), uv: requirement(o.UserVerification)}
	if c.ceremony, err = u.begin(page, TypeGet, origin, o.RPID, "rpId", o.Challenge); err != nil {
		return nil, failure(page, page, err)
	}
	if o.Extensions != nil {
		var refused *Error
		if c.appID, refused = authorisedAppID(origin, o.Extensions.AppID, "extensions.appid"); refused != nil {
			return nil, refused
		}
	}
	if len(o.AllowCredentials) > 0 && len(c.allowed) == 0 {
		return nil, notAllowed("no element of allowCredentials has the type public-key", nil)
	}
	return u.serve(page, o.Timeout, func(ctx context.Context) ([]byte, error) { return c.run(ctx, devices) })
}

func (c *request) run(ctx context.Context, devices []*attached) ([]byte, error) {
	all, err := candidates(ctx, devices, c.unsuitable)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		if err := c.order(ctx, all); err != nil {
			return nil, err
		}
	}
	if all, err = c.choose(ctx, TypeGet, all); err != nil {
		return nil, err
	}
	for _, d := range all {
		var response []byte
		response, err = c.authenticate(ctx, d)
		if err != nil && d.stale(ctx, err) {
			response, err = c.authenticate(ctx, d)
		}
		if !errors.Is(err, ctap.ErrNoCredentials) {
			return response, err
		}
	}
	return nil, err
}

// unsuitable tells why a device cannot serve.
func (c *request) unsuitable(d *candidate) *rejection {
	if c.uv == required && !platform.VerificationFor(d.info, ctap.PermGetAssertion).Any() {
		return &rejection{1, &Error{Name: NotAllowedError, Member: "userVerification",
			Message: "no authenticator can verify its user as it is; set a PIN or enrol a fingerprint first"}}
	}
	return nil
}

// order puts devices first that hold a credential, as far as they tell; among
// equals, those with a transport of allowCredentials, then those hinted at.
func (c *request) order(ctx context.Context, all []*candidate) error {
	for _, d := range all {
		held, err := c.holds(ctx, d)
		if err == nil && held == nil && c.appID != "" && len(c.allowed) > 0 {
			held, err = c.under(c.appID).holds(ctx, d)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.holds = err == nil && held != nil // a device that fails is tried last, and says why then
	}
	hinted(all, c.options.Hints)
	first := func(sign func(*candidate) bool) {
		slices.SortStableFunc(all, func(a, b *candidate) int {
			switch x, y := sign(a), sign(b); {
			case x && !y:
				return -1
			case y && !x:
				return 1
			}
			return 0
		})
	}
	first(c.reachable)
	first(func(d *candidate) bool { return d.holds })
	return nil
}

// reachable tells whether a device has a transport by which one of
// allowCredentials was reached before. What is not known counts as so.
func (c *request) reachable(d *candidate) bool {
	has := d.transports()
	if len(has) == 0 || len(c.options.AllowCredentials) == 0 {
		return true
	}
	return slices.ContainsFunc(c.options.AllowCredentials, func(credential descriptor) bool {
		return len(credential.Transports) == 0 || slices.ContainsFunc(credential.Transports, func(t choice) bool {
			return slices.Contains(has, string(t))
		})
	})
}

// size is about how many bytes a request takes without its allow list.
func (c *request) size() int {
	n := 140 + len(c.rpID)
	if c.options.prf() != nil {
		n += 260
	}
	if x := c.options.Extensions; x != nil {
		n += 100
		if x.LargeBlob.writes() {
			n += len(x.LargeBlob.Write)
		}
	}
	return n
}

// authenticate obtains the signature from a device.
func (c *request) authenticate(ctx context.Context, d *candidate) ([]byte, error) {
	allowed := fitting(c.allowed, d.info)
	if len(c.allowed) > 0 && len(allowed) == 0 {
		return nil, &platform.Refused{Doing: d.Name, Status: ctap.ErrNoCredentials, Hint: "every credential id is longer than it makes them"}
	}
	c, err := c.scope(ctx, d)
	if err != nil {
		return nil, err
	}
	auth, err := c.authorise(ctx, d)
	if err != nil {
		return nil, err
	}
	if allowed, err = c.narrow(ctx, d, allowed, auth); err != nil {
		return nil, err
	}
	r := &ctap.GetAssertionRequest{RPID: c.rpID, ClientDataHash: c.hash[:], AllowList: allowed}
	if r.Extensions, err = c.options.Extensions.authenticatorInputs(d.info); err != nil {
		return nil, err
	}
	use, err := c.evaluate(ctx, d, r, auth)
	if err != nil {
		return nil, err
	}
	auth.GetAssertion(r)
	got, err := d.host.GetAssertion(ctx, r)
	if auth.UV && fallBack(err, d.info) {
		auth, got, err = c.again(ctx, d, r)
	}
	if err != nil {
		return nil, err
	}
	if got, err = c.account(ctx, d, r, got); err != nil {
		return nil, err
	}
	blob, err := c.largeBlob(ctx, d, got, auth.Token)
	if err != nil {
		return nil, err
	}
	return c.response(d, got, use, blob)
}

// authorise has the user verified where that is wanted or the device insists.
func (c *request) authorise(ctx context.Context, d *candidate) (platform.Authorisation, error) {
	can := platform.VerificationFor(d.info, ctap.PermGetAssertion)
	wants := c.uv == required || d.info.Options["alwaysUv"] || c.agent.canAsk(can) && (c.uv == preferred || c.evaluates(d) || c.writesArray(d))
	if !wants || !can.Any() {
		return platform.Authorisation{}, nil
	}
	need := c.need(d)
	auth, err := d.host.Authorise(ctx, need, c.agent.askPIN(d.Name))
	return auth, verificationFailure(d.Name, err)
}

// need returns what a token is wanted for.
func (c *request) need(d *candidate) platform.Need {
	need := platform.Need{Permissions: ctap.PermGetAssertion, RPID: c.rpID}
	if c.writesArray(d) {
		need.Permissions |= ctap.PermLargeBlobWrite
	}
	return need
}

// evaluates tells whether the page wants PRF results that the device could give.
// They are those of a verified user, whatever userVerification says (section
// 10.1.4).
func (c *request) evaluates(d *candidate) bool {
	p := c.options.prf()
	return p != nil && (p.Eval != nil || len(p.EvalByCredential) > 0) && platform.Has(d.info, extHMACSecret)
}

// narrow cuts an allow list down to what goes into one request: as it is when it
// fits, to the one credential that the device holds when it does not, or when PRF
// inputs depend on which it is.
func (c *request) narrow(ctx context.Context, d *candidate, allowed []ctap.Descriptor, auth platform.Authorisation) ([]ctap.Descriptor, error) {
	p := c.options.prf()
	depends := len(allowed) > 1 && p != nil && len(p.EvalByCredential) > 0 && c.evaluates(d)
	parts := batches(allowed, d.info, c.size())
	if len(parts) <= 1 && !depends {
		return allowed, nil
	}
	held, err := c.find(ctx, d, parts, auth)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return parts[0], nil
	}
	return []ctap.Descriptor{*held}, nil
}

// evaluate adds hmac-secret to a request when the page wants PRF results and the
// device can give those of a verified user. The result is nil otherwise.
func (c *request) evaluate(ctx context.Context, d *candidate, r *ctap.GetAssertionRequest, auth platform.Authorisation) (*platform.HMACSecret, error) {
	verified := auth.Token != nil || auth.UV
	if !c.evaluates(d) || !verified {
		return nil, nil
	}
	var known []byte
	if len(r.AllowList) == 1 {
		known = r.AllowList[0].ID
	}
	values := c.options.prf().values(known)
	if values == nil {
		return nil, nil
	}
	first, second := values.salts()
	use, err := d.host.HMACSecret(ctx, auth.Token, first, second)
	if err != nil {
		return nil, err
	}
	if r.Extensions == nil {
		r.Extensions = map[string]cbor.RawMessage{}
	}
	r.Extensions[extHMACSecret] = use.Input()
	return use, nil
}

// again repeats a request with a PIN in place of built-in user verification.
func (c *request) again(ctx context.Context, d *candidate, r *ctap.GetAssertionRequest) (platform.Authorisation, *platform.Assertion, error) {
	need := c.need(d)
	auth, err := d.host.AuthoriseByPIN(ctx, need, c.agent.askPIN(d.Name))
	if err != nil {
		return auth, nil, verificationFailure(d.Name, err)
	}
	if delete(r.Options, "uv"); len(r.Options) == 0 {
		r.Options = nil
	}
	auth.GetAssertion(r)
	got, err := d.host.GetAssertion(ctx, r)
	return auth, got, err
}

// account has the user choose when several accounts answer to a request without
// allow list.
func (c *request) account(ctx context.Context, d *candidate, r *ctap.GetAssertionRequest, first *platform.Assertion) (*platform.Assertion, error) {
	hook := c.agent.config.ChooseAccount
	if hook == nil || first.NumberOfCredentials <= 1 || first.UserSelected {
		return first, nil
	}
	all := []*platform.Assertion{first}
	for uint(len(all)) < first.NumberOfCredentials {
		next, err := d.host.GetNextAssertion(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	choice := AccountChoice{Device: d.Name, RPID: c.rpID}
	for _, a := range all {
		account := Account{CredentialID: a.Credential.ID}
		if a.User != nil {
			account.UserHandle, account.Name, account.DisplayName = a.User.ID, a.User.Name, a.User.DisplayName
		}
		choice.Accounts = append(choice.Accounts, account)
	}
	i, err := hook(ctx, choice)
	if err != nil {
		return nil, notAllowed("no account was chosen", err)
	}
	if i < 0 || i >= len(all) {
		return nil, fmt.Errorf("ChooseAccount answered %d of %d accounts", i, len(all))
	}
	return all[i], nil
}

// response builds the AuthenticationResponseJSON.
func (c *request) response(d *candidate, got *platform.Assertion, use *platform.HMACSecret, blob *largeBlobOutputs) ([]byte, error) {
	a := assertion{
		id: got.Credential.ID, attachment: d.attachment(), clientData: c.clientData,
		authData: got.AuthData, signature: got.Signature,
	}
	if got.User != nil {
		a.userHandle = got.User.ID
	}
	if len(c.allowed) == 0 && a.userHandle == nil {
		return nil, &platform.Broken{Doing: d.Name, Reason: "a discoverable credential without a user handle"}
	}
	if c.options.Extensions != nil {
		var err error
		if a.results, err = c.outputs(got.Data, use); err != nil {
			return nil, err
		}
	}
	a.results.largeBlob = blob
	return a.json(), nil
}

// outputs returns the client extension outputs that authenticator data tell of.
func (c *request) outputs(data *ctap.AuthenticatorData, use *platform.HMACSecret) (r results, err error) {
	x := c.options.Extensions
	out, err := outputs(data)
	if err != nil {
		return r, err
	}
	if x.AppID.set {
		legacy := data.RPIDHash == sha256.Sum256([]byte(c.appID))
		r.appID = &legacy
	}
	if raw := out[extCredBlob]; x.GetCredBlob && raw != nil {
		var blob ctap.Bytes
		if err := ctap.DecodeLoose(raw, &blob); err != nil {
			return r, &platform.Broken{Doing: extCredBlob, Reason: "its output cannot be read", Err: err}
		}
		r.getCredBlob = append([]byte{}, blob...)
	}
	if r.uvm, err = methods(x.UVM, out); err != nil {
		return r, err
	}
	if x.PRF != nil {
		r.prf, err = evaluated(out, use)
	}
	return r, err
}

// evaluated returns the PRF output of an authentication.
func evaluated(out map[string]cbor.RawMessage, use *platform.HMACSecret) (p *prfOutputs, err error) {
	p = &prfOutputs{}
	if use == nil || out[extHMACSecret] == nil {
		return p, nil
	}
	p.first, p.second, err = use.Open(out[extHMACSecret])
	return p, err
}
