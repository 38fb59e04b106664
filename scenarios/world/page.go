package world

import (
	"context"
	"slices"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// Visit has a person open a page, in a frame of another page where top is not empty.
// Empty for origin is the relying party's own.
func (w *World) Visit(p *Person, origin, top string, allow []string) {
	p.Page = rp.Page{Origin: w.Site.Origin}
	if origin != "" {
		p.Page.Origin = w.PageAt(origin)
	}
	if top != "" {
		p.Page.Top, p.Page.Allow = w.PageAt(top), allow
	}
}

// Page returns the page that the person has open.
func (b *Browser) Page() rp.Page { return b.person.Page }

var _ rp.Placed = (*Browser)(nil)

// at returns where a ceremony takes place, and a context in which the client knows. Real
// pages say it themselves; of others it is what the person has open. kind is create or
// get.
func (b *Browser) at(ctx context.Context, origin, kind string) (context.Context, string, error) {
	if b.world.onPages() {
		return ctx, origin, nil
	}
	page := b.person.Page
	if !page.Framed() {
		return ctx, page.Origin, nil
	}
	if !slices.Contains(page.Allow, kind) {
		return ctx, page.Origin, &webauthn.Error{
			Name: webauthn.NotAllowedError, Message: "the permissions policy does not allow publickey-credentials-" + kind + " in this frame",
		}
	}
	return webauthn.InFrame(ctx, page.Top), page.Origin, nil
}

// onPages tells whether ceremonies begin on real pages, in a browser.
func (w *World) onPages() bool {
	return w.options.RP != nil && w.options.RP.Description.Section("browser") != nil
}

// related fetches the origins that may use an RP ID (WebAuthn Level 3, section 5.11), nil
// for a relying party that runs elsewhere: of its hosts, only those of its description are
// asked.
func (w *World) related() func(context.Context, string) ([]string, error) {
	if w.Site.domain != "" {
		return nil
	}
	return func(_ context.Context, rpID string) ([]string, error) {
		if rpID != w.Scenario.Site.ID {
			return nil, nil
		}
		return w.Scenario.Site.Origins(), nil
	}
}
