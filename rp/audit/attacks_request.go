package audit

import (
	"context"
	"net/url"
	"strings"

	"fido-emu/rp"
)

// requestAttacks are those in which the request says of itself that the origin is
// right: relying parties that take the origin which they expect from there believe
// whoever asks.
func requestAttacks() (all []Attack) {
	for _, k := range []kind{registering, authenticating} {
		for _, way := range []struct {
			name, title string
			headers     func(sibling *url.URL) map[string]string
		}{
			{"request-origin", "the origin is another host of the RP ID, and the header Origin names it as well", func(u *url.URL) map[string]string {
				return map[string]string{"Origin": u.String()}
			}},
			{"request-host", "the origin is another host of the RP ID, and the header Host names it as well", func(u *url.URL) map[string]string {
				return map[string]string{"Origin": u.String(), "Host": u.Host}
			}},
			{"request-forwarded", "the origin is another host of the RP ID, and X-Forwarded-Host and Forwarded name it as well", func(u *url.URL) map[string]string {
				return map[string]string{
					"Origin": u.String(), "X-Forwarded-Host": u.Host, "X-Forwarded-Proto": u.Scheme,
					"Forwarded": "host=\"" + u.Host + "\";proto=" + u.Scheme,
				}
			}},
		} {
			all = append(all, Attack{
				ID: string(k) + ".origin." + way.name, Group: "origins that the request names", Title: way.title, Section: k.section(), Step: k.step(9),
				Severity: High, Gains: "any host below the RP ID relays ceremonies of its own visitors: the relying party believes the request about its own origin",
				run: believed(k, way.headers),
			})
		}
	}
	return all
}

// believed makes a ceremony at a sibling of the site's host, in requests that say so.
func believed(k kind, headers func(*url.URL) map[string]string) func(*bench) finding {
	return func(b *bench) finding {
		if _, ok := b.site.(rp.Headed); !ok {
			return found(NotApplicable, "the adapter sends no requests with headers")
		}
		u, err := url.Parse(b.origin)
		if err != nil {
			return found(NotApplicable, "the site's origin: %v", err)
		}
		sibling := &url.URL{Scheme: u.Scheme, Host: strings.Replace(u.Host, u.Hostname(), "evil."+b.rpID, 1)}
		return through(k, bend{headers: headers(sibling), claims: func(d *draft) { d.client = d.client.set("origin", sibling.String()) }})(b)
	}
}

// registerAt is the adapter's Register, with the headers of a bend.
func (b *bench) registerAt(ctx context.Context, a *account, how bend) (rp.Credential, error) {
	if h, ok := b.site.(rp.Headed); ok && how.headers != nil {
		return h.RegisterWith(ctx, how.headers, a.person, a.client)
	}
	return b.site.Register(ctx, a.person, a.client)
}

// signInAt is the adapter's SignIn, with the headers of a bend.
func (b *bench) signInAt(ctx context.Context, p rp.Person, c *forger, how bend) (rp.Session, error) {
	if h, ok := b.site.(rp.Headed); ok && how.headers != nil {
		return h.SignInWith(ctx, how.headers, p, c)
	}
	return b.site.SignIn(ctx, p, c)
}
