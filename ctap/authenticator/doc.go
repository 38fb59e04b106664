// Package authenticator is a CTAP2 authenticator without impurities: requests go
// in, responses come out, and everything else it needs (time, randomness, the
// user, keys, storage) comes through one [Env]. What kind of authenticator it is
// comes as data, a [Profile].
//
// Each command has a file of its own that reads as the numbered steps of its
// section in CTAP 2.3. An Authenticator is safe for concurrent use; requests are
// answered one after the other, as on a real device.
package authenticator
