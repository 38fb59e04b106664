package authenticator_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"reflect"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// look asks the authenticator what it says of itself.
func (w *world) look() {
	status, body := w.exchange(ctap.GetInfo, nil, nil)
	w.want(status, ctap.OK, "getInfo")
	var info ctap.Info
	w.decode(body, &info)
	for option, want := range map[string]bool{
		"clientPin": w.pin != "", "uv": w.builtIn(), "bioEnroll": len(w.fingers) > 0, "alwaysUv": w.alwaysUV, "ep": w.enterprise,
		"makeCredUvNotRqd": w.p.MakeCredNoUV && !w.alwaysUV,
	} {
		if told, there := info.Options[option]; there && told != want {
			w.object("option %s is %v", option, told)
		}
	}
	if n := info.RemainingDiscoverableCredentials; n != nil && int(*n) != w.p.CredentialLimit()-len(w.there("")) {
		w.object("room for %d credentials beside %d", *n, len(w.there("")))
	}
	if w.p.ClientPIN && (info.MinPINLength != w.shortest || info.ForcePINChange != w.forced) {
		w.object("minPINLength %d, forcePINChange %v", info.MinPINLength, info.ForcePINChange)
	}
	if u2f := w.p.U2F && !w.alwaysUV; slices.Contains(info.Versions, "U2F_V2") != u2f {
		w.object("U2F is there: %v; the versions are %q", u2f, info.Versions)
	}
	w.lookAtTries()
	w.lookAtBlobs()
}

func (w *world) lookAtTries() {
	for sub, has := range map[uint]bool{ctap.GetPINRetries: w.p.ClientPIN, ctap.GetUVRetries: w.builtIn()} {
		if !has {
			continue
		}
		status, body := w.exchange(ctap.ClientPIN, ctap.ClientPINRequest{SubCommand: sub}, nil)
		w.want(status, ctap.OK, "retries")
		var r ctap.ClientPINResponse
		w.decode(body, &r)
		if r.PINRetries != nil && (*r.PINRetries != w.tries || *r.PowerCycleState != (w.inRow >= 3)) {
			w.object("%d PIN tries, want %d; power cycle needed: %v, %d in a row were wrong", *r.PINRetries, w.tries, *r.PowerCycleState, w.inRow)
		}
		if r.UVRetries != nil && *r.UVRetries != w.uvTries {
			w.object("%d tries of user verification, want %d", *r.UVRetries, w.uvTries)
		}
	}
}

func (w *world) lookAtBlobs() {
	if !w.p.LargeBlobs {
		return
	}
	length, offset := uint(512), uint(0)
	status, body := w.exchange(ctap.LargeBlobs, ctap.LargeBlobsRequest{Get: &length, Offset: &offset}, nil)
	w.want(status, ctap.OK, "large blobs")
	var r ctap.LargeBlobsResponse
	w.decode(body, &r)
	if !bytes.Equal(r.Config, w.blobs) {
		w.object("the large-blob array is %x, want %x", r.Config, w.blobs)
	}
}

// inspect looks at what is stored after every request.
func (w *world) inspect() {
	d, err := w.env.Device.Load()
	w.must(err)
	var hash []byte
	if w.pin != "" {
		hash = pinHash(w.pin)
	}
	switch {
	case w.p.ClientPIN && d.PINRetries != w.tries, d.UVRetries != w.uvTries:
		w.object("stored are %d and %d tries, want %d and %d", d.PINRetries, d.UVRetries, w.tries, w.uvTries)
	case !bytes.Equal(d.PINHash, hash):
		w.object("another PIN is stored than was set")
	case d.MinPINLength != w.shortest, d.ForcePINChange != w.forced, d.AlwaysUV != w.alwaysUV, d.EnterpriseEnabled != w.enterprise:
		w.object("stored is another configuration than was made: %+v", d)
	case d.LargeBlobs != nil && !bytes.Equal(d.LargeBlobs, w.blobs), d.LargeBlobs == nil && string(w.blobs) != emptyBlobs:
		w.object("stored is the large-blob array %x, want %x", d.LargeBlobs, w.blobs)
	case d.Counter < w.counter:
		w.object("stored is a counter of %d after %d", d.Counter, w.counter)
	case len(d.Templates) != len(w.fingers):
		w.object("stored are %d fingers, want %d", len(d.Templates), len(w.fingers))
	}
	w.inspectCredentials()
}

func (w *world) inspectCredentials() {
	for _, rp := range rps {
		stored, err := w.env.Credentials.ByRP(hashOf(rp))
		w.must(err)
		want := w.there(rp)
		if len(stored) != len(want) {
			w.object("stored are %d credentials of %s, want %d", len(stored), rp, len(want))
		}
		for i, c := range stored {
			if !bytes.Equal(c.ID, want[i].id) || c.User.Name != want[i].name || max(1, uint(c.Protection)) != want[i].level {
				w.object("stored is %+v, want %+v", c, want[i])
			}
		}
	}
}

// nonsense is a request that is cut short, has bytes behind it, or never was one. It
// is refused and changes nothing.
func (w *world) nonsense() {
	before, err := w.auth.Snapshot()
	w.must(err)
	status, _ := w.send(w.noise(), nil)
	if status == ctap.OK {
		w.object("nonsense is answered with CTAP2_OK")
	}
	after, err := w.auth.Snapshot()
	w.must(err)
	if !reflect.DeepEqual(before, after) {
		w.object("nonsense changes %+v to %+v", before.Device, after.Device)
	}
	w.happened("nonsense")
}

func (w *world) noise() []byte {
	commands := []ctap.Command{
		ctap.MakeCredential, ctap.GetAssertion, ctap.ClientPIN, ctap.BioEnrollment, ctap.CredentialManagement, ctap.LargeBlobs, ctap.Config, 0x00, 0x3F, 0xFF,
	}
	command := pick(w, commands, "command")
	request, err := ctap.NewRequest(command, map[int]any{1: w.clientData(), 2: map[string]string{"id": rps[0]}})
	w.must(err)
	switch pick(w, []string{"cut", "longer", "random"}, "noise") {
	case "cut":
		return request[:rapidInt(w, len(request)-1, "length")]
	case "longer":
		return []byte{byte(ctap.ClientPIN), 0xA1, 0x02, 0x01, 0x00} // getPINRetries, and a byte
	}
	random := make([]byte, rapidInt(w, 40, "length"))
	_, _ = w.rand.Read(random) // never fails
	return append([]byte{byte(command)}, random...)
}

// u2f is a registration or an authentication by U2F.
func (w *world) u2f() {
	if !w.p.U2F {
		return
	}
	rp, challenge := pick(w, rps, "application"), w.clientData()
	application := hashOf(rp)
	data := append(slices.Clone(challenge), application[:]...)
	if len(w.credentials) == 0 || w.chance(3, "register") {
		w.register(rp, data)
		return
	}
	c := pick(w, w.credentials, "credential")
	control := byte(pick(w, []int{3, 7, 8}, "control"))
	body, sw := w.message(2, control, append(append(data, byte(len(c.id))), c.id...))
	known := !c.gone && c.rp == rp && !c.rk && c.level < 3 && !w.alwaysUV
	switch {
	case sw == 0x9000 && (!known || control == 7 || control == 3 && !w.touched()):
		w.object("U2F signs with %+v for %s, control %d; the person said %v", c, rp, control, w.asked)
	case sw == 0x6985 && !known:
		w.object("U2F tells that it has %+v for %s", c, rp)
	case sw != 0x9000 && known && (control == 8 || control == 3 && w.touched()):
		w.object("U2F does not sign with %+v: %04X", c, sw)
	case sw == 0x9000:
		w.happened("U2F signature")
		if touched := body[0] == 1; touched != w.touched() {
			w.object("U2F says of user presence %v", touched)
		}
		w.count(binary.BigEndian.Uint32(body[1:5]))
		if err := cose.Verify(c.key, slices.Concat(application[:], body[:5], challenge), body[5:]); err != nil {
			w.object("a U2F signature does not verify: %v", err)
		}
	}
}

// register is a registration by U2F.
func (w *world) register(rp string, data []byte) {
	body, sw := w.message(1, 0, data)
	if sw != 0x9000 {
		return
	}
	if w.alwaysUV || !w.touched() {
		w.object("a U2F registration; alwaysUv is %v, the person said %v", w.alwaysUV, w.asked)
	}
	w.happened("U2F registration")
	w.credentials = append(w.credentials, &credential{
		rp: rp, handle: "no user handle", name: "no user name", level: 1,
		key: cose.MarshalP256(cose.ES256, body[1:66]), id: slices.Clone(body[67 : 67+int(body[66])]),
	})
}

// message sends a U2F message. Its answer may tell of no credential that was there.
func (w *world) message(ins, p1 byte, data []byte) ([]byte, uint16) {
	w.asked, w.listing = nil, listing{}
	apdu := append([]byte{0, ins, p1, 0, 0, byte(len(data) >> 8), byte(len(data))}, data...)
	response, err := w.auth.Message(context.Background(), apdu)
	w.must(err)
	if len(response) < 2 {
		w.object("a U2F answer of %x", response)
	}
	n := len(response) - 2
	w.discreet(response[:n], nil)
	return response[:n], binary.BigEndian.Uint16(response[n:])
}
