// Package methods is what people sign in with beside passkeys: passwords, codes
// by text, call and mail, requests in an app, and security questions. Each is as
// weak here as in life: a code has six digits and is read by whoever holds the
// phone; a request is approved by whoever taps; an answer is known to the family.
//
// It is pure: time, randomness and the key of its hashes are given to it, and what
// is to be sent is returned. [Account] holds the methods of one person, a
// [Challenge] is one proof under way, [Enough] says when several together suffice,
// and [Offer] in which order a page offers them.
//
// What each method is good for follows the table of authentication methods of
// Microsoft Entra ID; lock-out follows its smart lockout (10 wrong passwords, then
// a minute) and that of its multifactor authentication (then half an hour).
package methods
