package webauthn

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
)

// creation is a registration ceremony under way (section 5.1.3).
type creation struct {
	ceremony
	options    *creationOptions
	parameters []ctap.Parameters
	attachment string // that a device must have; empty for any
	resident   string // residentKey, worked out
	uv         string // userVerification, worked out

	appIDExclude string // empty for none
}

// create is the [[Create]] internal method (section 5.1.3).
func (u *UserAgent) create(page context.Context, origin string, optionsJSON []byte, devices []*attached) ([]byte, *Error) {
	o, err := parseCreationOptions(optionsJSON)
	if err != nil {
		return nil, failure(page, page, err)
	}
	c := creation{options: o}
	if c.ceremony, err = u.begin(page, TypeCreate, origin, o.RP.ID, "rp.id", o.Challenge); err != nil {
		return nil, failure(page, page, err)
	}
	if o.Extensions != nil {
		var refused *Error
		if c.appIDExclude, refused = authorisedAppID(origin, o.Extensions.AppIDExclude, "extensions.appidExclude"); refused != nil {
			return nil, refused
		}
	}
	if c.parameters, err = o.parameters(); err != nil {
		return nil, failure(page, page, err)
	}
	c.criteria()
	return u.serve(page, o.Timeout, func(ctx context.Context) ([]byte, error) { return c.run(ctx, devices) })
}

// begin works out the RP ID and the client data of a ceremony.
func (u *UserAgent) begin(ctx context.Context, typ, origin string, rpID text, member string, challenge []byte) (ceremony, error) {
	id, err := u.determineRPID(ctx, origin, rpID, member)
	if err != nil {
		return ceremony{}, err
	}
	top := u.topOrigin(ctx)
	data := ClientData{
		Type: typ, Challenge: challenge, Origin: origin,
		CrossOrigin: top != "", TopOrigin: top,
		Extra: u.config.ExtraClientData,
	}
	c := ceremony{agent: u, rpID: id, clientData: data.JSON()}
	c.hash = sha256.Sum256(c.clientData)
	return c, nil
}

// parameters returns pubKeyCredParams without unknown types, or the standard's
// default for an empty list (section 5.1.3 step 9).
func (o *creationOptions) parameters() ([]ctap.Parameters, error) {
	if len(o.PubKeyCredParams) == 0 {
		return []ctap.Parameters{
			{Type: ctap.PublicKeyCredential, Algorithm: int(cose.ES256)},
			{Type: ctap.PublicKeyCredential, Algorithm: int(cose.RS256)},
		}, nil
	}
	known := make([]ctap.Parameters, 0, len(o.PubKeyCredParams))
	for _, p := range o.PubKeyCredParams {
		if p.Type.s == ctap.PublicKeyCredential {
			known = append(known, ctap.Parameters{Type: ctap.PublicKeyCredential, Algorithm: *p.Algorithm})
		}
	}
	if len(known) == 0 {
		return nil, &Error{Name: NotSupportedError, Member: "pubKeyCredParams", Message: "no element has the type public-key"}
	}
	return known, nil
}

// criteria works out what authenticatorSelection and hints ask for. Unknown
// values count as absent.
func (c *creation) criteria() {
	s := c.options.AuthenticatorSelection
	if s == nil {
		s = &authenticatorSelection{}
	}
	switch s.AuthenticatorAttachment {
	case attachmentPlatform, attachmentCrossPlatform:
		c.attachment = string(s.AuthenticatorAttachment)
		if hinted := hintedAttachment(c.options.Hints); hinted != "" {
			c.attachment = hinted
		}
	}
	switch s.ResidentKey {
	case required, preferred, discouraged:
		c.resident = string(s.ResidentKey)
	default:
		c.resident = discouraged
		if s.RequireResidentKey {
			c.resident = required
		}
	}
	c.uv = requirement(s.UserVerification)
}

// requirement returns a userVerification value, preferred for unknown ones.
func requirement(uv choice) string {
	if uv == required || uv == discouraged {
		return string(uv)
	}
	return preferred
}

func (c *creation) run(ctx context.Context, devices []*attached) ([]byte, error) {
	all, err := candidates(ctx, devices, c.unsuitable)
	if err != nil {
		return nil, err
	}
	hinted(all, c.options.Hints)
	if all, err = c.choose(ctx, TypeCreate, all); err != nil {
		return nil, err
	}
	response, err := c.register(ctx, all[0])
	if err != nil && all[0].stale(ctx, err) {
		return c.register(ctx, all[0])
	}
	return response, err
}

// unsuitable tells why a device cannot serve.
func (c *creation) unsuitable(d *candidate) *rejection {
	reject := func(stage int, name, member, message string) *rejection {
		return &rejection{stage, &Error{Name: name, Member: member, Message: message}}
	}
	switch {
	case c.attachment != "" && d.attachment() != c.attachment:
		return reject(1, NotAllowedError, "authenticatorSelection.authenticatorAttachment", "no "+c.attachment+" authenticator is available")
	case c.resident == required && !d.info.Options["rk"]:
		return reject(2, ConstraintError, "authenticatorSelection.residentKey", "no authenticator can hold discoverable credentials")
	case c.uv == required && !platform.VerificationFor(d.info, ctap.PermMakeCredential).Any():
		return reject(3, ConstraintError, "authenticatorSelection.userVerification",
			"no authenticator can verify its user as it is; set a PIN or enrol a fingerprint first")
	case c.options.Extensions.enforced() && !platform.Has(d.info, extCredProtect):
		return reject(4, NotAllowedError, "extensions.enforceCredentialProtectionPolicy", "no authenticator has credProtect")
	case c.options.Extensions.requiresLargeBlob() && !c.keepsBlobs(d):
		return reject(5, NotAllowedError, "extensions.largeBlob.support", "no authenticator keeps large blobs for such a credential")
	case !c.offers(d.info.Algorithms):
		return reject(6, NotSupportedError, "pubKeyCredParams", "no authenticator supports any of the algorithms")
	}
	return nil
}

// offers tells whether one of the algorithms asked for is supported, as far as
// getInfo tells.
func (c *creation) offers(supported []ctap.Parameters) bool {
	return len(supported) == 0 || slices.ContainsFunc(c.parameters, func(p ctap.Parameters) bool {
		return slices.Contains(supported, p)
	})
}

// discoverable tells whether a device is asked for a discoverable credential.
func (c *creation) discoverable(d *candidate) bool {
	return c.resident == required || c.resident == preferred && d.info.Options["rk"]
}

// register makes the credential on a device.
func (c *creation) register(ctx context.Context, d *candidate) ([]byte, error) {
	rk := c.discoverable(d)
	parts := batches(fitting(descriptors(c.options.ExcludeCredentials), d.info), d.info, c.size())
	if err := c.excludeLegacy(ctx, d, parts); err != nil {
		return nil, err
	}
	auth, err := c.authorise(ctx, d, rk, len(parts) > 1)
	if err != nil {
		return nil, err
	}
	r, err := c.request(d, rk)
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		r.ExcludeList = parts[0]
	} else if held, err := c.find(ctx, d, parts, auth); err != nil {
		return nil, err
	} else if held != nil {
		r.ExcludeList = []ctap.Descriptor{*held}
	}
	prf, err := c.evaluate(ctx, d, r, auth)
	if err != nil {
		return nil, err
	}
	auth.MakeCredential(r)
	made, err := d.host.MakeCredential(ctx, r)
	if auth.UV && fallBack(err, d.info) {
		made, err = c.again(ctx, d, r)
	}
	if err != nil {
		return nil, err
	}
	return c.response(d, made, rk, prf)
}

// size is about how many bytes a request takes without its exclude list.
func (c *creation) size() int {
	o := c.options
	n := 220 + len(c.rpID) + len(o.RP.Name.s) + len(o.User.ID) + len(o.User.Name.s) + len(o.User.DisplayName.s)
	n += 24 * len(c.parameters)
	if o.Extensions != nil {
		n += 160 + len(o.Extensions.CredBlob)
		if o.Extensions.PRF != nil {
			n += 260
		}
	}
	return n
}

// authorise has the user verified where that is wanted or the device insists.
// probe says that silent assertions come first.
func (c *creation) authorise(ctx context.Context, d *candidate, rk, probe bool) (platform.Authorisation, error) {
	if !c.wantsUV(d.info, rk) {
		return platform.Authorisation{}, nil
	}
	need := platform.Need{Permissions: ctap.PermMakeCredential, RPID: c.rpID}
	if probe {
		need.Permissions |= ctap.PermGetAssertion
	}
	auth, err := d.host.Authorise(ctx, need, c.agent.askPIN(d.Name))
	return auth, verificationFailure(d.Name, err)
}

// wantsUV tells whether to have the user verified (CTAP 2.3, section 6.1, and the
// effective user verification requirement of section 5.1.3).
func (c *creation) wantsUV(info *ctap.Info, rk bool) bool {
	can := platform.VerificationFor(info, ctap.PermMakeCredential)
	if !can.Any() {
		return false
	}
	protected := info.Options["clientPin"] || info.Options["uv"]
	insists := info.Options["alwaysUv"] || protected && (rk || !info.Options["makeCredUvNotRqd"])
	return c.uv == required || insists || c.uv == preferred && c.agent.canAsk(can)
}

// canAsk tells whether one of the ways to verify the user is open to this client,
// which may have nobody to ask for a PIN.
func (u *UserAgent) canAsk(v platform.Verification) bool {
	return v.UVToken || v.UVOption || v.PIN && u.config.PIN != nil
}

// fallBack tells whether built-in user verification by option failed where the
// PIN is next.
func fallBack(err error, info *ctap.Info) bool {
	failed := errors.Is(err, ctap.ErrUVBlocked) || errors.Is(err, ctap.ErrUVInvalid) || errors.Is(err, ctap.ErrPUATRequired)
	return failed && platform.VerificationFor(info, ctap.PermMakeCredential).PIN
}

// again repeats a request with a PIN in place of built-in user verification.
func (c *creation) again(ctx context.Context, d *candidate, r *ctap.MakeCredentialRequest) (*platform.Registration, error) {
	need := platform.Need{Permissions: ctap.PermMakeCredential, RPID: c.rpID}
	auth, err := d.host.AuthoriseByPIN(ctx, need, c.agent.askPIN(d.Name))
	if err != nil {
		return nil, verificationFailure(d.Name, err)
	}
	if delete(r.Options, "uv"); len(r.Options) == 0 {
		r.Options = nil
	}
	auth.MakeCredential(r)
	return d.host.MakeCredential(ctx, r)
}

// request returns the request without what needs an exchange first.
func (c *creation) request(d *candidate, rk bool) (*ctap.MakeCredentialRequest, error) {
	o := c.options
	extensions, err := o.Extensions.authenticatorInputs(d.info, rk)
	if err != nil {
		return nil, err
	}
	r := &ctap.MakeCredentialRequest{
		ClientDataHash:   c.hash[:],
		RP:               &ctap.RelyingParty{ID: c.rpID, Name: o.RP.Name.s},
		User:             &ctap.User{ID: ctap.Bytes(o.User.ID), Name: o.User.Name.s, DisplayName: o.User.DisplayName.s},
		PubKeyCredParams: c.parameters,
		Extensions:       extensions,
	}
	if rk {
		r.Options = map[string]bool{"rk": true}
	}
	if o.Attestation == conveyanceEnterprise && d.info.Options["ep"] {
		kind := uint(1) // vendor-facilitated
		if slices.Contains(c.agent.config.EnterpriseRPIDs, c.rpID) {
			kind = 2 // platform-managed
		}
		r.EnterpriseAttestation = &kind
	}
	if len(d.info.AttestationFormats) > 0 { // it knows of the member (CTAP 2.2)
		r.AttestationFormats = c.formats()
	}
	return r, nil
}

// formats returns the attestation statement formats that are wanted.
func (c *creation) formats() []string {
	switch c.options.Attestation {
	case conveyanceIndirect, conveyanceDirect, conveyanceEnterprise:
	default:
		return []string{"none"}
	}
	var all []string
	for _, f := range c.options.AttestationFormats {
		all = append(all, string(f))
	}
	return all
}

// evaluate adds hmac-secret-mc to a request when the page wants PRF results now
// and the device can give them, which takes a verified user. The result is nil
// otherwise.
func (c *creation) evaluate(ctx context.Context, d *candidate, r *ctap.MakeCredentialRequest, auth platform.Authorisation) (*platform.HMACSecret, error) {
	x := c.options.Extensions
	verified := auth.Token != nil || auth.UV
	if x == nil || x.PRF == nil || x.PRF.Eval == nil || !verified {
		return nil, nil
	}
	if !platform.Has(d.info, extHMACSecret) || !platform.Has(d.info, extHMACSecretMC) {
		return nil, nil
	}
	first, second := x.PRF.Eval.salts()
	use, err := d.host.HMACSecret(ctx, auth.Token, first, second)
	if err != nil {
		return nil, err
	}
	r.Extensions[extHMACSecretMC] = use.Input()
	return use, nil
}

// response builds the RegistrationResponseJSON.
func (c *creation) response(d *candidate, made *platform.Registration, rk bool, use *platform.HMACSecret) ([]byte, error) {
	object := AttestationObject{made.Format, made.AttStmt, made.AuthData}
	if err := object.convey(c.options.Attestation, made.Data); err != nil {
		return nil, &platform.Broken{Doing: d.Name, Reason: "its attestation statement cannot be read", Err: err}
	}
	spki, alg, err := easyKey(made.Data.Attested.PublicKey)
	if err != nil {
		return nil, &platform.Broken{Doing: d.Name, Reason: "its credential public key cannot be read", Err: err}
	}
	r := registration{
		id: made.Data.Attested.ID, attachment: d.attachment(), clientData: c.clientData,
		authData: made.AuthData, attestationObject: object.Encode(), transports: d.transports(),
		spki: spki, algorithm: alg,
	}
	if r.results, err = c.outputs(d, made, rk, use); err != nil {
		return nil, err
	}
	return r.json()
}
