package authenticator_test

import (
	"context"
	"testing"

	"fido-emu/ctap/authenticator"
)

// FuzzSequence sends a sequence of requests, each behind its length, to an
// authenticator with a PIN and with credentials that need it.
func FuzzSequence(f *testing.F) {
	f.Add([]byte("\x01\x04\x05\x06\xA1\x02\x01\x00\x01\x08\x05\x0A\xA1\x01\x02\x00\x07\x00\x03\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x03\x0A\xA1\x01\x05\x01\x07\x04\x0C\xA2\x01\x00\x03\x01\x0B"))
	f.Fuzz(func(t *testing.T, sequence []byte) {
		for _, name := range []string{"key", "old"} {
			w, rest := guarded(modelled()[name]), sequence
			for len(rest) > 0 {
				n := min(int(rest[0]), len(rest)-1)
				if against := w.fed(rest[1 : 1+n]); against != "" {
					t.Fatalf("%s: %x: %s", name, rest[1:1+n], against)
				}
				rest = rest[1+n:]
			}
		}
	})
}

// guarded is a world with a PIN, and with credentials of which nothing may be told
// without it.
func guarded(p authenticator.Profile) *world {
	p.DefaultCredProtect = 3
	w := newWorld(nil, p, nil, map[string]int{})
	w.kind, w.answers = true, []authenticator.Answer{authenticator.Granted}
	w.setPIN()
	for _, w.user = range []string{"ada", "eve"} {
		w.makeCredential()
	}
	return w
}

// fed feeds a request, as a U2F message when it begins with a zero, to an authenticator
// whose PIN nobody knows, and returns what the model has against the answer.
func (w *world) fed(request []byte) (against objection) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case objection:
			against = r
		default:
			panic(r)
		}
	}()
	before, err := w.env.Device.Load()
	w.must(err)
	if len(request) > 0 && request[0] == 0 {
		response, err := w.auth.Message(context.Background(), request)
		w.must(err)
		w.discreet(response, nil)
	} else {
		w.send(request, nil)
	}
	after, err := w.env.Device.Load()
	w.must(err)
	if after.Counter < before.Counter || after.PINHash != nil && after.PINRetries > before.PINRetries {
		w.object("from %+v to %+v", before, after)
	}
	return ""
}
