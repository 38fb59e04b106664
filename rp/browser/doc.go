// Package browser drives relying parties through their own pages, in Chromium.
//
// The section browser of a description (package web) says what people do on the pages:
// [Load] reads it, [Description.Open] returns a relying party that does it. What
// administrators do stays with the sections of package web, over HTTP.
//
// # The shim
//
// navigator.credentials of the pages is bound to the webauthn.Client of whoever is at
// the page. The shim runs in every frame before the page's scripts; what it asks for is
// answered here. The origin, the embedding page and the permissions policy
// (publickey-credentials-create, publickey-credentials-get) are Chromium's word, never
// the page's. A request with conditional mediation waits until a step autofill wants
// it. Credentials that are no public keys are left to Chromium. Without the shim,
// Chromium uses the authenticators that it finds itself, such as a key over uhid.
//
// # Bounds
//
// Chromium gets a profile of its own, which is removed with it, no proxy, and no host
// but those of the description. Every step has a time limit.
package browser
