package webauthn

import "context"

type topOrigin struct{}

// InFrame returns a context for ceremonies whose page is embedded across origins: their
// client data has crossOrigin, and topOrigin of the outermost page (section 5.8.1). It
// goes before [Config.TopOrigin].
func InFrame(ctx context.Context, top string) context.Context {
	return context.WithValue(ctx, topOrigin{}, top)
}

// topOrigin returns the origin of the page that embeds the calling page across
// origins; empty for none.
func (u *UserAgent) topOrigin(ctx context.Context) string {
	if top, ok := ctx.Value(topOrigin{}).(string); ok {
		return top
	}
	return u.config.TopOrigin
}

// InScope tells why pages of an origin may not speak for an RP ID, related origins
// left aside, as a SecurityError; nil where they may.
func InScope(origin, rpID string) error {
	domain, err := effectiveDomain(origin)
	if err != nil {
		return err
	}
	if rpID != domain && (!validDomain(rpID) || isAddress(rpID) || !isRegistrableSuffix(rpID, domain)) {
		return insecure("%q is neither the domain of %s nor a registrable suffix of it", rpID, origin)
	}
	return nil
}
