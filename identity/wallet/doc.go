// Package wallet doubles a wallet on a phone, such as Microsoft Authenticator: it
// fetches Verified IDs that are offered to it, keeps them, and presents them to who
// asks, if the person agrees.
//
// The holder's key is a P-256 key (did:jwk) of this device. A wallet has no backup;
// whether it can be moved to a new phone, with its key, is its Config's to say. What
// it opens are links, as text or out of a QR code, on whatever device they were made:
//
//	openid-credential-offer://?credential_offer_uri=…   a credential to fetch (OpenID4VCI 1.0)
//	openid-vc://?request_uri=…                          a presentation to make (JWT VC Presentation Profile)
package wallet
