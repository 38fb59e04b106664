// Package phone serves the test people's phones: for each a page with the wallet, by
// which somebody before a browser accepts Verified IDs and presents them.
//
//	GET  /wallet/                   whose phone
//	GET  /wallet/open?link=…        opens a link in the wallet of whose phone the browser is
//	GET  /wallet/{person}/          the wallet: its Verified IDs, as they are now
//	GET  /wallet/{person}/open      shows who offers or asks for what, and does nothing yet
//	POST /wallet/{person}/accept    takes up an offer
//	POST /wallet/{person}/present   Face Check, and presents
//	POST /wallet/{person}/delete    deletes a Verified ID
//	GET  /wallet/{person}/face.jpg  what a camera sees of that person
//
// Links are those that package wallet opens, openid-credential-offer: and openid-vc:, as
// text. Anybody who reaches the server may open anybody's phone: they are of test people.
// So that no one can have the server ask elsewhere, a phone's Config.Client should reach
// the services alone.
package phone
