package authenticator

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// got is what getAssertion answered.
type got struct {
	status   ctap.Status
	raw      members
	response ctap.GetAssertionResponse
}

// get sends getAssertion for a.example, changed, and notes the status.
func (w *witness) get(what string, change ...func(members)) (g got) {
	m := members{}
	m.set(1, "a.example")
	m.set(2, clientDataHash)
	for _, f := range change {
		f(m)
	}
	return w.took(what, w.askOn(context.Background(), ctap.GetAssertion, m, &g.raw), g)
}

func (w *witness) took(what string, status ctap.Status, g got) got {
	g.status = status
	w.status(what, status)
	w.reread(g.raw, &g.response)
	return g
}

// next sends getNextAssertion on a channel.
func (w *witness) next(what string, channel uint32) (g got) {
	return w.took(what, w.askOn(ctap.WithChannel(context.Background(), channel), ctap.GetNextAssertion, nil, &g.raw), g)
}

func (w *witness) describe(g got) {
	w.note("%v, user %s %q, number %d, selected %v", slices.Sorted(maps.Keys(g.raw)), userID(g), userName(g), g.response.NumberOfCredentials, g.response.UserSelected)
}

func userID(g got) string {
	if g.response.User == nil {
		return "none"
	}
	return string(g.response.User.ID)
}

func userName(g got) string {
	if g.response.User == nil {
		return ""
	}
	return g.response.User.Name
}

func getMAC(token []byte) func(members) {
	return func(m members) {
		m.set(6, pinuv.Two.Authenticate(token, clientDataHash))
		m.set(7, 2)
	}
}

// accounts makes discoverable credentials for users at a.example.
func (w *witness) accounts(users ...string) (keys [][]byte) {
	for _, user := range users {
		c := w.create(rk, at("a.example", user))
		if c.data == nil || c.data.Attested == nil {
			w.t.Fatal("no credential was made")
		}
		keys = append(keys, c.data.Attested.PublicKey)
		w.now = w.now.Add(time.Second)
	}
	return keys
}

func getOption(name string, on bool) func(members) { return member(5, map[string]bool{name: on}) }

func getProbes() map[string]func(*witness) {
	return map[string]func(*witness){
		"get with a short hash":    func(w *witness) { w.accounts("ada"); w.get("get", member(2, make([]byte, 31))) },
		"get with rk":              func(w *witness) { w.accounts("ada"); w.get("get", getOption("rk", true)) },
		"get with uv":              func(w *witness) { w.accounts("ada"); w.get("get", getOption("uv", true)) },
		"get with another's list":  func(w *witness) { w.accounts("ada"); w.get("get", member(3, descriptors(make([]byte, 16)))) },
		"get with a list too long": func(w *witness) { w.accounts("ada"); w.get("get", tooLong(3)) },
		"get of nothing":           func(w *witness) { w.get("get") },
		"get of another site's credential": func(w *witness) {
			c := w.make("make", rk)
			w.get("get", member(1, "b.example"), member(3, descriptors(c.data.Attested.ID)))
		},
		"silent get": func(w *witness) {
			w.accounts("ada")
			w.asked = nil
			g := w.get("get", getOption("up", false))
			w.note("asked %d times, flags %s", len(w.asked), ctap.Flags(g.response.AuthData[32]))
		},
		"members of get": func(w *witness) { w.accounts("ada"); w.describe(w.get("get")) },
		"members of get among two": func(w *witness) {
			w.accounts("ada", "bob")
			w.describe(w.get("get"))
			w.describe(w.next("next", 0))
		},
		"next past the end": func(w *witness) {
			w.accounts("ada", "bob")
			w.get("get")
			w.next("next", 0)
			w.next("past the end", 0)
		},
		"next after getInfo": func(w *witness) {
			w.accounts("ada", "bob")
			w.get("get")
			w.ask(ctap.GetInfo, nil, nil)
			w.next("next", 0)
		},
		"next after 31 seconds": func(w *witness) {
			w.accounts("ada", "bob")
			w.get("get")
			w.now = w.now.Add(31 * time.Second)
			w.next("next", 0)
		},
		"next on another channel": func(w *witness) { w.accounts("ada", "bob"); w.get("get"); w.next("next", 7) },
		"flags of next": func(w *witness) {
			w.accounts("ada", "bob")
			w.get("get")
			w.note("%s", ctap.Flags(w.next("next", 0).response.AuthData[32]))
		},
		"users of get": func(w *witness) { w.accounts("ada"); w.users("get", func() ctap.Status { return w.quietGet() }) },
		"touches of get": func(w *witness) {
			w.accounts("ada")
			w.asked = nil
			w.get("get")
			w.note("asked %d times", len(w.asked))
		},
		"authData of get": func(w *witness) { w.accounts("ada"); w.authData(w.get("get").response.AuthData, "a.example") },
		"authData of verified get": func(w *witness) {
			w.accounts("ada")
			w.authData(w.get("get", getMAC(w.withPIN(ctap.PermGetAssertion, "a.example"))).response.AuthData, "a.example")
		},
		"signature of get": func(w *witness) {
			key := w.accounts("ada")[0]
			g := w.get("get")
			w.note("verifies %v", cose.Verify(key, append(bytes.Clone(g.response.AuthData), clientDataHash...), g.response.Signature) == nil)
			w.note("verifies without client data %v, of 64 bytes %v", cose.Verify(key, g.response.AuthData, g.response.Signature) == nil, len(g.response.Signature) == 64)
		},
		"counters": func(w *witness) {
			w.accounts("ada")
			a, b := counterOf(w.get("get").response.AuthData), counterOf(w.get("get").response.AuthData)
			w.auth.PowerCycle()
			c := counterOf(w.get("get").response.AuthData)
			w.note("rises %v, and after a power cycle %v", b > a, c > b)
		},
		"get under alwaysUv": func(w *witness) {
			w.accounts("ada")
			w.says("toggle", ctap.Config, &ctap.ConfigRequest{SubCommand: ctap.ToggleAlwaysUV}, nil)
			w.get("get")
		},
		"get with a wrong MAC": func(w *witness) {
			w.accounts("ada")
			w.withPIN(ctap.PermGetAssertion, "a.example")
			w.get("get", member(6, make([]byte, 32)), member(7, 2))
		},
		"get with a protocol that is not there": func(w *witness) {
			w.accounts("ada")
			token := w.withPIN(ctap.PermGetAssertion, "a.example")
			w.get("get", getMAC(token), member(7, 7))
			w.get("without", getMAC(token), absentMember(7))
		},
		"get with a token for mc": func(w *witness) {
			w.accounts("ada")
			w.get("get", getMAC(w.withPIN(ctap.PermMakeCredential, "a.example")))
		},
		"get with a token of another site": func(w *witness) {
			w.accounts("ada")
			w.get("get", getMAC(w.withPIN(ctap.PermGetAssertion, "b.example")))
		},
	}
}

func (w *witness) quietGet() ctap.Status {
	seen := w.seen
	status := w.get("get").status
	w.seen = seen
	return status
}

// counterOf reads the signature counter of authenticator data.
func counterOf(data []byte) uint32 { return binary.BigEndian.Uint32(data[33:]) }
