package world

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/web"
)

// Elsewhere is a relying party that a description tells of, over HTTP.
type Elsewhere struct {
	Description *web.Description
	Getenv      func(string) string // reads the settings of the description

	// Open opens the site where sections of another package are to be heeded, such as
	// pages in a browser; nil for Description.Open.
	Open func(context.Context, web.Options) (web.Site, error)
}

// openDescribed opens the relying party that the description tells of: one that is
// started for this world, and whose clock is the scenario's, or one that runs.
func (w *World) openDescribed(ctx context.Context) error {
	d, o := w.options.RP.Description, web.Options{Getenv: w.options.RP.Getenv, Observe: w.pictured}
	started := d.Starts(w.options.RP.Getenv) != ""
	if started {
		settings, err := w.serveReference()
		if err != nil {
			return err
		}
		o.Settings, o.Now, o.Staged = settings, w.Clock.Now, w.onPages()
	} else {
		o.Run = strings.ToLower(rand.Text()[:6])
	}
	open := w.options.RP.Open
	if open == nil {
		open = d.Open
	}
	site, err := open(ctx, o)
	if err != nil {
		return err
	}
	w.whenClosed(site.Close)
	w.Site = &Site{RelyingParty: site, Origin: site.Origin(), distrusts: !started && !site.Capabilities().TrustsTestAttestation}
	if started {
		if w.Site.beside, err = reference.Dial(o.Settings["address"], reference.DialOptions{Origin: o.Settings["page"], AdminToken: o.Settings["admin-token"]}); err != nil {
			return err
		}
		return w.furnish(ctx, w.Scenario.Site.SignUp)
	}
	if err := w.suits(site); err != nil {
		return err
	}
	w.Site.domain = w.Scenario.Site.ID
	w.moveTo(site.RPID(), site.Origin())
	for _, p := range w.people {
		p.RP.Name = site.UserName(p.Name)
	}
	return w.furnish(ctx, w.Scenario.Site.SignUp && !site.Capabilities().ClosedSignUp)
}

// suits finds what the scenario needs and a site that runs elsewhere has not.
func (w *World) suits(site web.Site) error {
	if s := w.Scenario.Site; len(s.RelatedOrigins)+len(s.EmbeddedBy) > 0 {
		return &Missing{"the scenario says which origins its relying party accepts, and this one has its own"}
	}
	if n := len(w.people); n > 1 && site.Capabilities().SingleUser {
		return &Missing{fmt.Sprintf("this relying party has one account, and %d people take part", n)}
	}
	for _, c := range w.Scenario.Steps {
		switch {
		case c.Usage.Verb == "wait":
			return &Missing{fmt.Sprintf("the relying party has a clock of its own, and in line %d the scenario lets time pass", c.At.Line)}
		case c.Usage.Verb == "visit" && !strings.Contains(site.RPID(), ".") && strings.HasSuffix(c.Text("page"), "."+w.Scenario.Site.ID):
			return &Missing{fmt.Sprintf("the relying party is at %s, which has no other pages below it, and in line %d somebody visits one", site.RPID(), c.At.Line)}
		case c.Usage.Verb == "sign-in" && c.Yes("without-user-name") && !site.Capabilities().Usernameless:
			return &Missing{fmt.Sprintf("this relying party wants a user name, and in line %d somebody signs in without one", c.At.Line)}
		}
	}
	return nil
}

// moveTo takes the scenario and its people to another RP ID and origin.
func (w *World) moveTo(rpID, origin string) {
	s := *w.Scenario // shared by all attempts
	s.Site.ID, s.Site.Origin = rpID, origin
	w.Scenario = &s
	for _, p := range w.people {
		p.Page = rp.Page{Origin: origin}
	}
}

// PageAt returns a page that the scenario names as it is on the site: pages in the
// scenario's own domain are in the site's.
func (w *World) PageAt(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || w.Site.domain == "" {
		return origin
	}
	if rest, ok := strings.CutSuffix(u.Host, w.Site.domain); ok && (rest == "" || strings.HasSuffix(rest, ".")) {
		u.Host = rest + w.Scenario.Site.ID
	}
	return u.String()
}

// serveReference starts the reference relying party on loopback, with the scenario's
// clock, randomness and authorities, and returns the settings of its description.
func (w *World) serveReference() (map[string]string, error) {
	var token [16]byte
	if _, err := io.ReadFull(w.Random.Stream("administration"), token[:]); err != nil {
		return nil, err
	}
	secret := fmt.Sprintf("%x", token)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	core, err := w.reference(secret)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- reference.Serve(ctx, l, core) }()
	w.whenClosed(func() error {
		stop()
		return <-done
	})
	return map[string]string{"address": "http://" + l.Addr().String(), "page": w.Scenario.Site.Origin, "domain": w.Scenario.Site.ID, "admin-token": secret}, nil
}

// reference makes the reference relying party that the scenario describes.
func (w *World) reference(adminToken string) (*reference.Core, error) {
	s := w.Scenario.Site
	roots := w.authority.Pool()
	for _, root := range w.slotRoots() {
		roots.AddCert(root)
	}
	config := reference.Config{
		RPID: s.ID, Name: s.Name, Origins: s.Origins(), TopOrigins: s.EmbeddedBy, ClosedSignUp: !s.SignUp, AdminToken: adminToken,
		Now: w.Clock.Now, Rand: w.Random.Stream("relying party"), AttestationRoots: roots,
		Metadata: w.metadata.blob, MetadataRoots: w.authority.Pool(), RegisterWithin: s.RegisterWithin,
	}
	if w.metadata.blob != nil {
		config.AttestationRoots = nil // the BLOB says whom to trust
	}
	core, err := reference.New(config)
	if err != nil {
		return nil, err
	}
	return core, w.openProof(core)
}

// Tells tells whether the relying party says something of passkeys, by the name that
// package web gives it, such as sign-count.
func (s *Site) Tells(member string) bool {
	site, ok := s.RelyingParty.(web.Site)
	return !ok || site.Tells(member)
}
