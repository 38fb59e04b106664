package rp

import "fido-emu/webauthn"

// Page is a page that somebody has open.
type Page struct {
	Origin string   // such as https://login.example.com
	Top    string   // origin of the page around it, whose frame it is; empty for none
	Allow  []string // what the page around allows the frame: create, get (WebAuthn Level 3, section 5.9)
}

// Framed tells whether the page is in a frame of a page of another origin.
func (p Page) Framed() bool { return p.Top != "" && p.Top != p.Origin }

// Placed is a client that says which page its user has open. An adapter that drives real
// pages takes them there. To others it is of no use: the client itself sees to it that its
// ceremonies are those of its page.
type Placed interface {
	webauthn.Client
	Page() Page
}
