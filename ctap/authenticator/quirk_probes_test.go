package authenticator

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// quirkProbes are what witnesses do, by name.
func quirkProbes() map[string]func(*witness) {
	all := map[string]func(*witness){}
	for _, some := range []map[string]func(*witness){
		messageProbes(), infoProbes(), makeProbes(), getProbes(), pinProbes(), retryProbes(), tokenProbes(),
		resetProbes(), managementProbes(), bioProbes(), extensionProbes(), u2fProbes(),
	} {
		maps.Copy(all, some)
	}
	return all
}

func (w *witness) hex(what, request string) {
	b, err := hex.DecodeString(request)
	if err != nil {
		w.t.Fatal(err)
	}
	w.status(what, ctap.Status(w.raw(context.Background(), b)[0]))
}

func messageProbes() map[string]func(*witness) {
	return map[string]func(*witness){
		"long integer":    func(w *witness) { w.hex("getPINRetries", "06A1180201") },
		"indefinite map":  func(w *witness) { w.hex("getPINRetries", "06BF0201FF") },
		"duplicate key":   func(w *witness) { w.hex("getPINRetries", "06A202010201") },
		"trailing byte":   func(w *witness) { w.hex("getPINRetries", "06A1020100") },
		"wrong type":      func(w *witness) { w.hex("clientPIN", "06A1026161") },
		"cut short":       func(w *witness) { w.hex("clientPIN", "06A102") },
		"nothing asked":   func(w *witness) { w.hex("clientPIN", "06A0") },
		"no such command": func(w *witness) { w.note("%x", w.raw(context.Background(), []byte{0x3F})) },
		"oversized":       func(w *witness) { w.hex("getPINRetries", "06A20201187F590514"+strings.Repeat("00", 1300)) },
		"error":           func(w *witness) { w.note("%x", w.raw(context.Background(), []byte{0x08})) },
		"unknown member":  func(w *witness) { w.make("with a member 0x20", func(m members) { m.set(0x20, true) }) },
		"encoding of answers": func(w *witness) {
			b := w.raw(context.Background(), []byte{4})
			w.note("getInfo begins %x and ends %x, canonical %v", b[:4], b[len(b)-1:], ctap.CheckCanonical(b[1:]) == nil)
		},
	}
}

// infoProbes note each member of getInfo, fresh and after what changes it.
func infoProbes() map[string]func(*witness) {
	all := map[string]func(*witness){
		"getInfo when a PIN is set": func(w *witness) {
			w.setPIN(pinuv.Two, "1234")
			w.note("options %v", w.options()["clientPin"])
		},
		"getInfo when a credential is there": func(w *witness) {
			before := w.member(0x14)
			w.make("rk", rk)
			w.note("remaining %x then %x", before, w.member(0x14))
		},
		"getInfo under alwaysUv": func(w *witness) {
			w.says("toggleAlwaysUv", ctap.Config, &ctap.ConfigRequest{SubCommand: ctap.ToggleAlwaysUV}, nil)
			o := w.options()
			w.note("alwaysUv %v, makeCredUvNotRqd %v, versions %q", o["alwaysUv"], o["makeCredUvNotRqd"], w.member(1))
		},
		"getInfo when the PIN must change": func(w *witness) {
			w.setPIN(pinuv.Two, "1234")
			w.configure("force", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true})
			w.note("forcePINChange %x", w.member(0x0C))
		},
		"encIdentifier": func(w *witness) {
			a, b := w.member(0x19), w.member(0x19)
			w.note("of %d bytes, fresh %v, opens %v", len(a), !bytes.Equal(a, b), bytes.Equal(w.open(a, infoIdentifier), w.auth.device.Identifier))
		},
		"encCredStoreState": func(w *witness) {
			a, b := w.member(0x1E), w.member(0x1E)
			was := w.open(a, infoStoreState)
			w.make("rk", rk)
			w.note("fresh %v, changed by a credential %v", !bytes.Equal(a, b), !bytes.Equal(was, w.open(w.member(0x1E), infoStoreState)))
		},
	}
	for key := uint64(1); key <= 0x1F; key++ {
		if key != 4 && key < 0x14 || key > 0x14 && key != 0x19 && key != 0x1E {
			all[fmt.Sprintf("getInfo member 0x%02X", key)] = func(w *witness) { w.note("%s", diagnostic(w.member(key))) }
		}
	}
	all["getInfo options"] = func(w *witness) { w.note("%s", diagnostic(w.member(4))) }
	return all
}

func diagnostic(raw cbor.RawMessage) string {
	if raw == nil {
		return "absent"
	}
	s, err := cbor.Diagnose(raw)
	if err != nil {
		return err.Error()
	}
	return s
}

func (w *witness) member(key uint64) cbor.RawMessage {
	var m members
	w.ask(ctap.GetInfo, nil, &m)
	return m[key]
}

func (w *witness) options() map[string]any {
	var o map[string]any
	_ = ctap.DecodeLoose(w.member(4), &o)
	return o
}

// open decrypts encIdentifier or encCredStoreState.
func (w *witness) open(member []byte, label string) []byte {
	var value ctap.Bytes
	key, err := hkdf.Key(sha256.New, w.auth.device.PersistentToken, make([]byte, 32), label, 16)
	if err != nil || ctap.DecodeLoose(member, &value) != nil || len(value) != 32 {
		return nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	plain := make([]byte, 16)
	cipher.NewCBCDecrypter(block, value[:16]).CryptBlocks(plain, value[16:])
	return plain
}
