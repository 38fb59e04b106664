// Package platform is the host side of CTAP: what a browser or an operating
// system does to drive an authenticator. A [Host] stands for one authenticator,
// reached through any transport, and offers its commands as typed calls. It
// chooses the PIN/UV auth protocol, obtains tokens with built-in user
// verification or a PIN, and reads answers leniently but not blindly.
//
// Errors tell three things apart. A refusal by a working authenticator is a
// [*Refused], which unwraps to its ctap.Status. An answer that makes no sense is
// a [*Broken]. Everything else is the transport's.
//
// It follows CTAP 2.3, and what older authenticators do instead where they have
// not what it asks for.
package platform
