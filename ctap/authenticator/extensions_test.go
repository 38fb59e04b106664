package authenticator

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// withExtensions is a key that has these extensions.
func withExtensions(all ...string) Profile {
	p := securityKey()
	p.Extensions = all
	return p
}

// told reads extension outputs.
func told(t testing.TB, extensions cbor.RawMessage) map[string]any {
	t.Helper()
	if extensions == nil {
		return nil
	}
	var out map[string]any
	if err := ctap.DecodeLoose(extensions, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// merged returns inputs of several extensions.
func merged(all ...map[string]cbor.RawMessage) map[string]cbor.RawMessage {
	out := map[string]cbor.RawMessage{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// TestExtensionInputs makes a credential, then asserts with it, and looks at the
// statuses and at what both authenticator data say.
func TestExtensionInputs(t *testing.T) {
	blob, long := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{7}, 33)
	for _, c := range []struct {
		name        string
		id          string
		sealed      bool // not discoverable
		make, get   any  // inputs; nil for none
		wantMake    ctap.Status
		made        any // output; nil for none
		wantGet     ctap.Status
		got         any
		profileOnly func(*Profile)
	}{
		{name: "credProtect as asked", id: ExtCredProtect, make: 2, made: uint64(2)},
		{name: "credProtect 0", id: ExtCredProtect, make: 0, wantMake: ctap.ErrInvalidParameter},
		{name: "credProtect 256", id: ExtCredProtect, make: 256, wantMake: ctap.ErrInvalidParameter},
		{name: "credProtect of text", id: ExtCredProtect, make: "2", wantMake: ctap.ErrCBORUnexpectedType},
		{name: "credProtect raised", id: ExtCredProtect, make: 1, made: uint64(2), profileOnly: func(p *Profile) { p.DefaultCredProtect = 2 }},
		{name: "credProtect not lowered", id: ExtCredProtect, make: 3, made: uint64(3), wantGet: ctap.ErrNoCredentials, profileOnly: func(p *Profile) { p.DefaultCredProtect = 2 }},
		{name: "credProtect unasked", id: ExtCredProtect, made: uint64(2), profileOnly: func(p *Profile) { p.DefaultCredProtect = 2 }},
		{name: "hmac-secret false", id: ExtHMACSecret, make: false},
		{name: "credBlob", id: ExtCredBlob, make: blob, made: true, get: true, got: blob},
		{name: "credBlob of no bytes", id: ExtCredBlob, make: []byte{}, made: true, get: true, got: []byte{}},
		{name: "credBlob too long", id: ExtCredBlob, make: long, made: false, get: true, got: []byte{}},
		{name: "credBlob with more room", id: ExtCredBlob, make: long, made: true, get: true, got: long, profileOnly: func(p *Profile) { p.MaxCredBlob = 64 }},
		{name: "credBlob of a sealed credential", id: ExtCredBlob, sealed: true, make: blob, made: false, get: true, got: []byte{}},
		{name: "credBlob of a provider", id: ExtCredBlob, sealed: true, make: blob, made: true, get: true, got: blob, profileOnly: func(p *Profile) { p.AlwaysDiscover = true }},
		{name: "credBlob not asked back", id: ExtCredBlob, make: blob, made: true, get: false},
		{name: "credBlob of text", id: ExtCredBlob, make: "blob", wantMake: ctap.ErrCBORUnexpectedType},
		{name: "credBlob asked back with text", id: ExtCredBlob, make: blob, made: true, get: "yes", wantGet: ctap.ErrCBORUnexpectedType},
		{name: "largeBlobKey", id: ExtLargeBlobKey, make: true, get: true},
		{name: "largeBlobKey false", id: ExtLargeBlobKey, make: false, wantMake: ctap.ErrInvalidOption},
		{name: "largeBlobKey of a sealed credential", id: ExtLargeBlobKey, sealed: true, make: true, wantMake: ctap.ErrInvalidOption},
		{name: "largeBlobKey false in getAssertion", id: ExtLargeBlobKey, make: true, get: false, wantGet: ctap.ErrInvalidOption},
		{name: "thirdPartyPayment", id: ExtThirdPartyPayment, make: true, made: true, get: true, got: true},
		{name: "thirdPartyPayment, sealed", id: ExtThirdPartyPayment, sealed: true, make: true, made: true, get: true, got: true},
		{name: "thirdPartyPayment not made with", id: ExtThirdPartyPayment, get: true, got: false},
		{name: "thirdPartyPayment false", id: ExtThirdPartyPayment, make: false, get: false},
		{name: "uvm", id: ExtUVM, make: true, made: uvmOf(0x01, 0x0A, 0x04), get: true, got: uvmOf(0x01, 0x0A, 0x04)},
		{name: "uvm by the profile", id: ExtUVM, get: true, got: uvmOf(0x01, 0x02, 0x01), profileOnly: func(p *Profile) { p.UVM = UVM{2, 1} }},
		{name: "minPinLength untold", id: ExtMinPinLength, make: true},
		{name: "pinComplexityPolicy untold", id: ExtPINComplexityPolicy, make: true},
		{name: "largeBlob preferred", id: ExtLargeBlob, make: map[string]string{"support": "preferred"}},
		{name: "largeBlob preferred, sealed", id: ExtLargeBlob, sealed: true, make: map[string]string{"support": "preferred"}},
		{name: "largeBlob required, sealed", id: ExtLargeBlob, sealed: true, make: map[string]string{"support": "required"}, wantMake: ctap.ErrLargeBlobStorageFull},
		{name: "largeBlob wanted", id: ExtLargeBlob, make: map[string]string{"support": "wanted"}, wantMake: ctap.ErrInvalidCBOR},
		{name: "largeBlob of nothing", id: ExtLargeBlob, make: map[string]string{}, wantMake: ctap.ErrInvalidCBOR},
		{name: "largeBlob with more", id: ExtLargeBlob, make: map[string]string{"support": "required", "x": "y"}, wantMake: ctap.ErrInvalidCBOR},
		{name: "largeBlob true", id: ExtLargeBlob, make: true, wantMake: ctap.ErrCBORUnexpectedType},
		{name: "largeBlob read and write", id: ExtLargeBlob, get: map[string]any{"read": true, "write": blob, "originalSize": 9}, wantGet: ctap.ErrInvalidCBOR},
		{name: "largeBlob without size", id: ExtLargeBlob, get: map[string]any{"write": blob}, wantGet: ctap.ErrInvalidCBOR},
		{name: "largeBlob size alone", id: ExtLargeBlob, get: map[string]any{"originalSize": 9}, wantGet: ctap.ErrInvalidCBOR},
		{name: "largeBlob read of text", id: ExtLargeBlob, get: map[string]any{"read": "yes"}, wantGet: ctap.ErrInvalidCBOR},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := withExtensions(c.id)
			if c.profileOnly != nil {
				c.profileOnly(&p)
			}
			r := newRig(t, p)
			q := creation("example.com", "ada")
			q.Options = map[string]bool{"rk": !c.sealed}
			if c.make != nil {
				q.Extensions = ext(c.id, c.make)
			}
			if c.wantMake != ctap.OK {
				r.want(r.send(ctap.MakeCredential, q, nil), c.wantMake, "makeCredential")
				return
			}
			made := r.make(q)
			if got := told(t, made.Extensions)[c.id]; !reflect.DeepEqual(got, c.made) {
				t.Errorf("made with %v, want %v", got, c.made)
			}
			g := assertion("example.com", made.Attested.ID)
			if c.get != nil {
				g.Extensions = ext(c.id, c.get)
			}
			if c.wantGet != ctap.OK {
				r.want(r.send(ctap.GetAssertion, g, nil), c.wantGet, "getAssertion")
				return
			}
			_, data := r.get(g, made.Attested.PublicKey)
			if got := told(t, data.Extensions)[c.id]; !reflect.DeepEqual(got, c.got) {
				t.Errorf("asserted with %v, want %v", got, c.got)
			}
			if status := newRig(t, withExtensions()).send(ctap.MakeCredential, q, nil); status != ctap.OK {
				t.Errorf("an authenticator without the extension does not ignore it: %v", status)
			}
		})
	}
}

func uvmOf(all ...uint64) any { return []any{[]any{all[0], all[1], all[2]}} }

func TestToldRelyingParties(t *testing.T) {
	r := newRig(t, withExtensions(ExtMinPinLength, ExtPINComplexityPolicy))
	r.auth.device.MinPINLengthRPIDs = []string{"example.com"}
	r.auth.device.PINComplexityPolicy = true
	q := creation("example.com", "ada")
	q.Extensions = merged(ext(ExtMinPinLength, true), ext(ExtPINComplexityPolicy, true))
	if got, want := told(t, r.make(q).Extensions), (map[string]any{ExtMinPinLength: uint64(4), ExtPINComplexityPolicy: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	q.RP.ID = "other.example"
	if got := r.make(q).Extensions; got != nil {
		t.Errorf("told another relying party %x", got)
	}
}

func TestUVMTellsTheMethod(t *testing.T) {
	r := newRig(t, withExtensions(ExtUVM))
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	made := r.make(creation("example.com", "ada"))
	q := assertion("example.com", made.Attested.ID)
	q.Extensions = ext(ExtUVM, true)
	r.authorize(q, pinuv.Two, "1234")
	_, data := r.get(q, made.Attested.PublicKey)
	if got := told(t, data.Extensions)[ExtUVM]; !reflect.DeepEqual(got, uvmOf(0x0800, 0x0A, 0x04)) {
		t.Errorf("by PIN: %v", got)
	}
	silent := assertion("example.com", made.Attested.ID)
	silent.Extensions, silent.Options = ext(ExtUVM, true), map[string]bool{"up": false}
	_, data = r.get(silent, made.Attested.PublicKey)
	if got := told(t, data.Extensions)[ExtUVM]; !reflect.DeepEqual(got, uvmOf(0x0200, 0x0A, 0x04)) {
		t.Errorf("silent: %v", got)
	}

	p := phone()
	p.Extensions = []string{ExtUVM}
	r = newRig(t, p)
	mc := creation("example.com", "ada")
	mc.Extensions, mc.Options = ext(ExtUVM, true), map[string]bool{"uv": true}
	if got := told(t, r.make(mc).Extensions)[ExtUVM]; !reflect.DeepEqual(got, uvmOf(0x10, 0x0A, 0x04)) {
		t.Errorf("by face: %v", got)
	}
}

func TestLargeBlobKeyIsOfTheCredential(t *testing.T) {
	r := newRig(t, withExtensions(ExtLargeBlobKey))
	var keys [][]byte
	for _, user := range []string{"ada", "bob"} {
		q := discoverable("example.com", user)
		q.Extensions = ext(ExtLargeBlobKey, true)
		var response ctap.MakeCredentialResponse
		r.want(r.send(ctap.MakeCredential, q, &response), ctap.OK, "makeCredential")
		if len(response.LargeBlobKey) != 32 {
			t.Fatalf("a key of %d bytes", len(response.LargeBlobKey))
		}
		if data, err := ctap.ParseAuthenticatorData(response.AuthData); err != nil || data.Extensions != nil {
			t.Errorf("authenticator data has extensions %x (%v)", data.Extensions, err)
		}
		keys = append(keys, response.LargeBlobKey)
	}
	r.make(discoverable("example.com", "eve")) // without a key

	q := assertion("example.com")
	q.Extensions = ext(ExtLargeBlobKey, true)
	var got [][]byte
	var response ctap.GetAssertionResponse
	r.want(r.send(ctap.GetAssertion, q, &response), ctap.OK, "getAssertion")
	for range 3 {
		got = append(got, response.LargeBlobKey)
		response = ctap.GetAssertionResponse{}
		r.send(ctap.GetNextAssertion, nil, &response)
	}
	if want := [][]byte{nil, keys[1], keys[0]}; !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("keys %x, want %x", got, want)
	}
	if response.LargeBlobKey = nil; r.send(ctap.GetAssertion, assertion("example.com"), &response) != ctap.OK || response.LargeBlobKey != nil {
		t.Error("a key that was not asked for")
	}
}

// largeBlobRig has a discoverable credential that can have a large blob.
func largeBlobRig(t testing.TB) (*rig, []byte) {
	r := newRig(t, withExtensions(ExtLargeBlob))
	q := discoverable("example.com", "ada")
	q.Extensions = ext(ExtLargeBlob, map[string]string{"support": "required"})
	var response ctap.MakeCredentialResponse
	r.want(r.send(ctap.MakeCredential, q, &response), ctap.OK, "makeCredential")
	if got := told(t, response.UnsignedExtensions[ExtLargeBlob]); !reflect.DeepEqual(got, map[string]any{"supported": true}) {
		t.Fatalf("unsigned output %v", got)
	}
	data, err := ctap.ParseAuthenticatorData(response.AuthData)
	if err != nil {
		t.Fatal(err)
	}
	return r, data.Attested.ID
}

// largeBlob uses the extension and returns its unsigned output.
func (r *rig) largeBlob(id []byte, input map[string]any) map[string]any {
	r.t.Helper()
	q := assertion("example.com", id)
	q.Extensions = ext(ExtLargeBlob, input)
	var response ctap.GetAssertionResponse
	r.want(r.send(ctap.GetAssertion, q, &response), ctap.OK, "getAssertion")
	return told(r.t, response.UnsignedExtensions[ExtLargeBlob])
}

func writing(b []byte, size int) map[string]any {
	return map[string]any{"write": b, "originalSize": size}
}

var reading = map[string]any{"read": true}

func TestLargeBlobRefuses(t *testing.T) {
	r, id := largeBlobRig(t)
	unlisted := assertion("example.com")
	unlisted.Extensions = ext(ExtLargeBlob, writing([]byte{1}, 1))
	r.want(r.send(ctap.GetAssertion, unlisted, nil), ctap.ErrInvalidParameter, "write without allowList")
	for name, input := range map[string]map[string]any{"read": reading, "write": writing([]byte{1}, 1)} {
		silent := assertion("example.com", id)
		silent.Options, silent.Extensions = map[string]bool{"up": false}, ext(ExtLargeBlob, input)
		r.want(r.send(ctap.GetAssertion, silent, nil), ctap.ErrUnsupportedOption, "silent "+name)
	}
	if got := r.largeBlob(id, reading); got != nil {
		t.Errorf("something was written: %v", got)
	}

	sealed := r.make(creation("example.com", "bob"))
	if got := r.largeBlob(sealed.Attested.ID, writing([]byte{1}, 1)); !reflect.DeepEqual(got, map[string]any{"written": false}) {
		t.Errorf("write to a credential without room for a blob: %v", got)
	}
}

// TestLargeBlobSequences writes, reads and deletes in any order, with power cycles and
// refused requests in between, against a model: one value.
func TestLargeBlobSequences(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, id := largeBlobRig(t)
		var model map[string]any
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				b := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(rt, "blob")
				size := rapid.IntRange(0, 1<<20).Draw(rt, "size")
				if got := r.largeBlob(id, writing(b, size)); !reflect.DeepEqual(got, map[string]any{"written": true}) {
					rt.Fatalf("written: %v", got)
				}
				model = map[string]any{"blob": b, "originalSize": uint64(size)}
			},
			"delete": func(rt *rapid.T) {
				if got := r.largeBlob(id, writing([]byte{}, 0)); !reflect.DeepEqual(got, map[string]any{"written": true}) {
					rt.Fatalf("deleted: %v", got)
				}
				model = nil
			},
			"power cycle": func(*rapid.T) { r.auth.PowerCycle() },
			"the user declines": func(*rapid.T) {
				r.answer = Denied
				q := assertion("example.com", id)
				q.Extensions = ext(ExtLargeBlob, writing([]byte("unwanted"), 8))
				r.want(r.send(ctap.GetAssertion, q, nil), ctap.ErrOperationDenied, "getAssertion")
				r.answer = Granted
			},
			"": func(rt *rapid.T) {
				if got := r.largeBlob(id, reading); !reflect.DeepEqual(got, model) {
					rt.Fatalf("read %v, want %v", got, model)
				}
			},
		})
	})
}

func TestLargeBlobTooLong(t *testing.T) {
	p := withExtensions(ExtLargeBlob)
	p.MaxMsgSize = 8192
	r := newRig(t, p)
	q := discoverable("example.com", "ada")
	q.Extensions = ext(ExtLargeBlob, map[string]string{"support": "preferred"})
	made := r.make(q)
	for n, want := range map[int]bool{2048: true, 2049: false} {
		if got := r.largeBlob(made.Attested.ID, writing(make([]byte, n), n)); !reflect.DeepEqual(got, map[string]any{"written": want}) {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
	if got := r.largeBlob(made.Attested.ID, reading); len(got["blob"].([]byte)) != 2048 {
		t.Errorf("read %v", got)
	}
}

func TestLargeBlobLostWithItsCredential(t *testing.T) {
	r, id := largeBlobRig(t)
	r.largeBlob(id, writing([]byte("blob"), 4))
	q := discoverable("example.com", "ada")
	q.Extensions = ext(ExtLargeBlob, map[string]string{"support": "preferred"})
	again := r.make(q)
	if got := r.largeBlob(again.Attested.ID, reading); got != nil {
		t.Errorf("the new credential of the account has the blob of the old: %v", got)
	}
}

// TestExtensionsDecideTogether sends several wrong inputs: the order of the
// extensions decides, not that of the map.
func TestExtensionsDecideTogether(t *testing.T) {
	r := newRig(t, withExtensions(ExtCredProtect, ExtHMACSecretMC, ExtLargeBlobKey))
	wrong := merged(ext(ExtLargeBlobKey, false), ext(ExtHMACSecretMC, map[int]int{}))
	q := discoverable("example.com", "ada")
	for _, c := range []struct {
		also map[string]cbor.RawMessage
		want ctap.Status
	}{{nil, ctap.ErrMissingParameter}, {ext(ExtCredProtect, 9), ctap.ErrInvalidParameter}} {
		q.Extensions = merged(wrong, c.also)
		r.want(r.send(ctap.MakeCredential, q, nil), c.want, fmt.Sprint("with ", c.also))
	}
}
