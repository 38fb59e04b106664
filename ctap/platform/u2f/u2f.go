// Package u2f lets a platform use an authenticator that speaks U2F alone as one that
// speaks CTAP2: requests are translated as the chapter "Interoperating with CTAP1/U2F
// authenticators" of CTAP says (2.1 and later, section 10).
//
// What U2F has no words for is refused as an authenticator would that lacks it:
// discoverable credentials, user verification, a PIN, management, a reset.
package u2f

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// Messenger takes a U2F request message to an authenticator and returns response data
// and status word, as CTAPHID_MSG does.
type Messenger interface {
	Message(ctx context.Context, apdu []byte) (response []byte, err error)
}

// How a platform waits for a touch: it asks again and again (U2F HID Protocol 1.2;
// CTAP section 10.2).
const (
	interval = 200 * time.Millisecond
	patience = 30 * time.Second
)

// Key is an authenticator that speaks U2F, as a [ctap.Authenticator]. Like all of them
// it is for one request at a time.
type Key struct {
	messenger Messenger
	wait      func(context.Context, time.Duration) error
}

var _ ctap.Authenticator = (*Key)(nil)

// New returns the key behind a messenger. wait lets time pass between two questions
// whether the user has touched; nil is real time.
func New(m Messenger, wait func(context.Context, time.Duration) error) *Key {
	if wait == nil {
		wait = sleep
	}
	return &Key{m, wait}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Exchange answers a CTAP2 request. The error is the messenger's, or tells of an answer
// that is none.
func (k *Key) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	answer, err := k.answer(ctx, request)
	var status ctap.Status
	switch {
	case errors.As(err, &status):
		return []byte{byte(status)}, nil
	case err != nil:
		return nil, err
	case answer == nil:
		return []byte{byte(ctap.OK)}, nil
	}
	body, err := ctap.Encode(answer)
	if err != nil {
		return nil, err
	}
	return append([]byte{byte(ctap.OK)}, body...), nil
}

// answer returns what is to be encoded, nil for nothing; an error may be a
// [ctap.Status].
func (k *Key) answer(ctx context.Context, request []byte) (any, error) {
	if len(request) == 0 {
		return nil, ctap.ErrInvalidLength
	}
	switch ctap.Command(request[0]) {
	case ctap.GetInfo:
		return k.info(ctx)
	case ctap.MakeCredential:
		var r ctap.MakeCredentialRequest
		if err := read(request[1:], &r); err != nil {
			return nil, err
		}
		return k.makeCredential(ctx, &r)
	case ctap.GetAssertion:
		var r ctap.GetAssertionRequest
		if err := read(request[1:], &r); err != nil {
			return nil, err
		}
		return k.getAssertion(ctx, &r)
	case ctap.Selection:
		return nil, k.blink(ctx)
	}
	return nil, ctap.ErrInvalidCommand
}

func read(body []byte, into any) error {
	if err := ctap.DecodeLoose(body, into); err != nil {
		return ctap.ErrInvalidCBOR
	}
	return nil
}

// maxHandle is the most bytes that a key handle has: its length is one byte.
const maxHandle = 255

// info is what the platform knows of such an authenticator, which has no getInfo of its
// own: that it is there is asked by U2F_VERSION.
func (k *Key) info(ctx context.Context) (*ctap.Info, error) {
	version, word, err := k.send(ctx, version, 0, nil)
	if err != nil {
		return nil, err
	}
	if word != done || string(version) != "U2F_V2" {
		return nil, ctap.ErrInvalidCommand
	}
	return &ctap.Info{
		Versions: []string{"U2F_V2"}, AAGUID: make([]byte, 16),
		Options:               map[string]bool{"rk": false, "up": true},
		MaxCredentialIDLength: maxHandle,
		Algorithms:            []ctap.Parameters{{Type: ctap.PublicKeyCredential, Algorithm: int(cose.ES256)}},
	}, nil
}

// The instructions, control bytes and status words that are used (U2F Raw Message
// Formats 1.2, sections 3.3, 4, 5 and 6).
const (
	register     = 0x01
	authenticate = 0x02
	version      = 0x03

	enforce   = 0x03 // enforce-user-presence-and-sign
	checkOnly = 0x07
	dontAsk   = 0x08 // dont-enforce-user-presence-and-sign

	done         uint16 = 0x9000
	wrongLength  uint16 = 0x6700
	notSatisfied uint16 = 0x6985 // a touch is needed
	notAllowed   uint16 = 0x6986
	wrongData    uint16 = 0x6A80 // not a key handle of this device
	noSuchThing  uint16 = 0x6D00
)

// send sends a request message in the extended length encoding.
func (k *Key) send(ctx context.Context, instruction, control byte, data []byte) ([]byte, uint16, error) {
	apdu := []byte{0, instruction, control, 0, 0}
	if len(data) > 0 {
		apdu = binary.BigEndian.AppendUint16(apdu, uint16(len(data)))
		apdu = append(apdu, data...)
	}
	response, err := k.messenger.Message(ctx, append(apdu, 0, 0))
	if err != nil {
		return nil, 0, err
	}
	end := len(response) - 2
	if end < 0 {
		return nil, 0, fmt.Errorf("%s was answered with %d bytes, which hold no status word", name(instruction), len(response))
	}
	return response[:end], binary.BigEndian.Uint16(response[end:]), nil
}

// touched sends a request until it is not answered any more that a touch is needed. A
// status word other than success is an error.
func (k *Key) touched(ctx context.Context, instruction, control byte, data []byte) ([]byte, error) {
	for waited := time.Duration(0); ; waited += interval {
		answer, word, err := k.send(ctx, instruction, control, data)
		switch {
		case err != nil:
			return nil, err
		case word == done:
			return answer, nil
		case word != notSatisfied:
			return nil, refusal(instruction, word)
		case waited >= patience:
			return nil, ctap.ErrUserActionTimeout
		}
		ctap.ReportProgress(ctx, ctap.UPNeeded)
		if err := k.wait(ctx, interval); err != nil {
			return nil, ctap.ErrKeepaliveCancel
		}
	}
}

// blink has the user touch the authenticator, to choose it or to agree, by a
// registration that nobody wants (section 10.2, and section 6.9 for keys without
// authenticatorSelection).
func (k *Key) blink(ctx context.Context) error {
	_, err := k.touched(ctx, register, 0, make([]byte, 64))
	return err
}

// refusal is the error for a status word.
func refusal(instruction byte, word uint16) error {
	switch word {
	case wrongLength:
		return ctap.ErrInvalidLength
	case notAllowed, noSuchThing:
		return ctap.ErrNotAllowed
	}
	return fmt.Errorf("%s was answered with status word 0x%04X", name(instruction), word)
}

func name(instruction byte) string {
	return map[byte]string{register: "U2F_REGISTER", authenticate: "U2F_AUTHENTICATE", version: "U2F_VERSION"}[instruction]
}
