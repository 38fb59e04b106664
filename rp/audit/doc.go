// Package audit attacks a relying party and says what got through. Every [Attack] is
// an honest ceremony that is wrong in one way, for which WebAuthn Level 3 says that it
// must be refused; [Catalogue] lists them. [Run] makes them by way of package rp's
// interfaces alone, with a client that forges, so that whatever can be driven can be
// audited: what an adapter cannot do makes attacks not applicable.
//
// A verdict is never read from one answer. That an attack was accepted is proved by
// what comes of it (a session that stands, a passkey in the list, a sign-in with it);
// that it was refused, by there being none of it and by the honest ceremony, which
// must still work afterwards. Before each group of attacks the honest ceremonies must
// work; where they do not, nothing that follows would mean anything, and the audit
// says so ([ErrControl]).
//
// The audit acts for people of its own, whose names begin with Options.Prefix; what it
// leaves behind is listed in [Report.Left].
package audit
