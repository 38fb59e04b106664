package webauthn

import (
	"context"
	"net/url"

	"golang.org/x/net/publicsuffix"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// authorisedAppID tells which AppID the page of an origin may use (sections 10.1.1 and
// 10.1.2): its own, for an empty one, or a https URL of the same site, which is the
// comparison that browsers make in place of fetching the AppID's list of facets.
func authorisedAppID(origin string, appID text, member string) (string, *Error) {
	if !appID.set {
		return "", nil
	}
	if appID.s == "" {
		return origin, nil
	}
	refuse := func(message string) (string, *Error) {
		return "", &Error{Name: SecurityError, Member: member, Message: quote(appID.s) + " " + message}
	}
	u, err := url.Parse(appID.s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return refuse("is not a https URL")
	}
	domain, failed := effectiveDomain(origin)
	if failed != nil {
		return "", failed
	}
	if host := u.Hostname(); host != domain && !sameSite(host, domain) {
		return refuse("is not of the same site as " + origin)
	}
	return appID.s, nil
}

// sameSite tells whether domains have the same registrable domain.
func sameSite(a, b string) bool {
	x, err := publicsuffix.EffectiveTLDPlusOne(a)
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && x == y
}

// under returns the request as it is for another RP ID or AppID.
func (c *request) under(rpID string) *request {
	changed := *c
	changed.rpID = rpID
	return &changed
}

// scope returns the request as it is for a device: under the AppID where the device
// holds a credential of it and none of the RP ID (section 10.1.1).
func (c *request) scope(ctx context.Context, d *candidate) (*request, error) {
	if c.appID == "" || len(c.allowed) == 0 {
		return c, nil
	}
	held, err := c.holds(ctx, d)
	if err != nil || held != nil {
		return c, err
	}
	legacy := c.under(c.appID)
	if held, err = legacy.holds(ctx, d); err != nil || held == nil {
		return c, err
	}
	return legacy, nil
}

// holds returns the credential of the request that a device holds, as far as it tells
// without its user; nil for none.
func (c *request) holds(ctx context.Context, d *candidate) (*ctap.Descriptor, error) {
	parts := [][]ctap.Descriptor{nil}
	if len(c.allowed) > 0 {
		parts = batches(fitting(c.allowed, d.info), d.info, c.size())
	}
	return c.find(ctx, d, parts, platform.Authorisation{})
}

// excludeLegacy refuses a device that holds a credential of excludeCredentials under
// the AppID of appidExclude. The user touches the device before the page is told
// (section 10.1.2).
func (c *creation) excludeLegacy(ctx context.Context, d *candidate, parts [][]ctap.Descriptor) error {
	if c.appIDExclude == "" {
		return nil
	}
	legacy := c.ceremony
	legacy.rpID = c.appIDExclude
	held, err := legacy.find(ctx, d, parts, platform.Authorisation{})
	if err != nil || held == nil {
		return err
	}
	_, err = d.host.GetAssertion(ctx, &ctap.GetAssertionRequest{
		RPID: c.appIDExclude, ClientDataHash: probeHash, AllowList: []ctap.Descriptor{*held},
	})
	if ctx.Err() != nil {
		return err
	}
	return &Error{
		Name: InvalidStateError, Member: "extensions.appidExclude",
		Message: d.Name + " holds a U2F credential of excludeCredentials", Err: err,
	}
}
