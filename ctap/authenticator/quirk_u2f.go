package authenticator

import (
	"bytes"
	"encoding/binary"

	"fido-emu/ctap/cose"
)

// u2fQuirks are about U2F messages (FIDO U2F Raw Message Formats 1.2).
func u2fQuirks() []quirk {
	const (
		raw     = "U2F Raw Message Formats "
		removed = "sites refuse the sign-in, or it fails on some computers"
	)
	return []quirk{
		breach("u2f-register-without-touch", raw+"4.3", "registers without a touch",
			"malware registers the key with accounts of its own", "U2F_V2", u2fTouchless(u2fRegister)),
		breach("u2f-authenticate-without-touch", raw+"5.4", "signs without a touch and says that there was one",
			"malware signs in while the user is away", "U2F_V2", u2fTouchless(u2fAuthenticate)),
		breach("u2f-register-first-byte", raw+"4.3", "begins its registrations with another byte than 0x05",
			removed, "U2F_V2", u2fAnswer(u2fRegister, func(b []byte) { b[0] = 6 })),
		breach("u2f-register-signature-broken", raw+"4.3", "signs registrations over something else",
			removed, "U2F_V2", u2fAnswer(u2fRegister, func(b []byte) { b[len(b)-3] ^= 1 })),
		breach("u2f-handle-length-wrong", raw+"4.3", "states a key handle one byte longer than it is",
			removed, "U2F_V2", u2fAnswer(u2fRegister, func(b []byte) { b[66]++ })),
		breach("u2f-check-only-signs", raw+"5.1", "signs when it is only to say whether it knows the key handle",
			"any page signs the user in, unseen", "U2F_V2", u2fRequest(u2fAuthenticate, func(_ *exchange, apdu []byte) {
				if apdu[2] == u2fCheckOnly {
					apdu[2] = u2fDontNeedUP
				}
			})),
		breach("u2f-check-only-unknown", raw+"5.1", "does not know its own key handles when it is asked for them",
			"the user registers one key twice", "U2F_V2", behaviour{answered: func(x *exchange) {
				if len(x.asked) > 2 && x.asked[1] == u2fAuthenticate && x.asked[2] == u2fCheckOnly && x.word() == swNotSatisfied {
					x.say(swWrongData)
				}
			}}),
		breach("u2f-control-unchecked", raw+"5.1", "takes any control byte for enforce-user-presence-and-sign",
			"requests of later editions are misread", "U2F_V2", u2fRequest(u2fAuthenticate, func(_ *exchange, apdu []byte) {
				if c := apdu[2]; c != u2fCheckOnly && c != u2fDontNeedUP {
					apdu[2] = u2fEnforce
				}
			})),
		breach("u2f-handle-of-another-site", raw+"5.3", "signs with a key handle that belongs to another application",
			"a phishing site signs the user in elsewhere", "U2F_V2", anyApplication()),
		breach("u2f-handle-status", raw+"5.3", "answers SW_UNKNOWN to a key handle that is not its own",
			"platforms stop at the first key", "U2F_V2", u2fStatus(swWrongData, swInternal)),
		breach("u2f-touch-status", raw+"3.3", "answers SW_UNKNOWN while it waits for a touch",
			"platforms give up before the user has touched", "U2F_V2", u2fStatus(swNotSatisfied, swInternal)),
		breach("u2f-instruction-status", raw+"3.3", "answers SW_UNKNOWN to an instruction that it has not",
			"platforms take it for a failure of the key", "U2F_V2", u2fStatus(swInsUnsupported, swInternal)),
		breach("u2f-class-unchecked", raw+"3.3", "takes any class byte",
			"messages of another protocol are misread", "U2F_V2", behaviour{apdu: func(x *exchange) {
				if len(x.request) > 0 && x.request[0] != 0 {
					x.request = append([]byte{0}, x.request[1:]...)
				}
			}}),
		breach("u2f-class-status", raw+"3.3", "answers SW_UNKNOWN to a class byte that it has not",
			"platforms take it for a failure of the key", "U2F_V2", u2fStatus(swClaUnsupported, swInternal)),
		breach("u2f-length-unchecked", raw+"4.1", "takes a registration request of any length",
			"what was not sent is signed", "U2F_V2", behaviour{apdu: func(x *exchange) { x.fixRegistration() }}),
		breach("u2f-length-status", raw+"3.3", "answers SW_UNKNOWN to data of a wrong length",
			"platforms take it for a failure of the key", "U2F_V2", u2fStatus(swWrongLength, swInternal)),
		breach("u2f-presence-byte-missing", raw+"5.4", "says that nobody was there when the user touched it",
			removed, "U2F_V2", absent()),
		breach("u2f-signature-broken", raw+"5.4", "signs authentications over something else",
			removed, "U2F_V2", alterKeys(func(q *quirks, real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error) {
				if q.x != nil && q.x.u2f {
					message = append(bytes.Clone(message), 0)
				}
				return real.Sign(alg, handle, message)
			})),
		breach("u2f-counter-stuck", raw+"5.4", "does not count its U2F signatures",
			"a copy of the key is never noticed", "U2F_V2,counter", u2fCounterStuck()),
		breach("u2f-version-wrong", raw+"6.1", "says that its version is U2F_V1",
			"platforms do not speak to it", "U2F_V2", behaviour{answered: func(x *exchange) {
				if x.word() == swOK && len(x.asked) > 1 && x.asked[1] == u2fVersion {
					x.answer = append([]byte("U2F_V1"), 0x90, 0)
				}
			}}),
		breach("u2f-under-always-uv-accepted", "7.2", "answers U2F messages while alwaysUv is on",
			"a key that its owner locked works for whoever finds it", "U2F_V2,alwaysUv", behaviour{apdu: func(x *exchange) {
				was := x.a.device.AlwaysUV
				x.pretend(func(d *Device) { d.AlwaysUV = false }, func(d *Device) { d.AlwaysUV = was })
			}}),
		breach("u2f-protected-accepted", "12.1", "signs U2F messages with a credential of userVerificationRequired",
			"whoever finds the key signs in with it", "U2F_V2,credProtect", behaviour{apdu: func(x *exchange) { x.unprotect() }}),
	}
}

// instruction is INS of a U2F request, 0 for none.
func (x *exchange) instruction() byte {
	if !x.u2f || len(x.asked) < 4 {
		return 0
	}
	return x.asked[1]
}

// word is the status word of the answer.
func (x *exchange) word() uint16 { return binary.BigEndian.Uint16(x.answer[len(x.answer)-2:]) }

// say sets the answer to a status word alone.
func (x *exchange) say(sw uint16) { x.answer = binary.BigEndian.AppendUint16(nil, sw) }

func u2fStatus(from, to uint16) behaviour {
	return behaviour{answered: func(x *exchange) {
		if x.word() == from {
			x.say(to)
		}
	}}
}

// u2fRequest changes a copy of the requests of an instruction.
func u2fRequest(ins byte, change func(*exchange, []byte)) behaviour {
	return behaviour{apdu: func(x *exchange) {
		if x.instruction() == ins {
			x.request = bytes.Clone(x.request)
			change(x, x.request)
		}
	}}
}

// u2fAnswer changes the answers to an instruction that did what was asked.
func u2fAnswer(ins byte, change func([]byte)) behaviour {
	return behaviour{answered: func(x *exchange) {
		if x.instruction() == ins && x.word() == swOK {
			change(x.answer[:len(x.answer)-2])
		}
	}}
}

func u2fTouchless(ins byte) behaviour {
	return behaviour{env: func(q *quirks, e *Env) {
		e.User = alterUser(e.User, func(p *Prompt, _ bool, ask func() Answer) Answer {
			if q.x != nil && q.x.instruction() == ins {
				return Granted
			}
			return ask()
		})
	}}
}

// absent clears the user presence byte, in what is signed and in what is sent.
func absent() behaviour {
	b := alterKeys(func(q *quirks, real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error) {
		if q.x != nil && q.x.instruction() == u2fAuthenticate {
			message = bytes.Clone(message)
			message[32] = 0
		}
		return real.Sign(alg, handle, message)
	})
	b.answered = u2fAnswer(u2fAuthenticate, func(answer []byte) { answer[0] = 0 }).answered
	return b
}

func u2fCounterStuck() behaviour {
	return behaviour{env: func(q *quirks, e *Env) {
		e.Device = alteredCounter{e.Device, func(real DeviceState) (uint32, error) {
			if q.x != nil && q.x.u2f {
				return 1, nil
			}
			return real.NextCounter()
		}}
	}}
}

// anyApplication remembers which application a key handle was made for, and puts that
// into requests.
func anyApplication() behaviour {
	made := map[string][]byte{}
	return behaviour{
		apdu: func(x *exchange) {
			data, ok := x.u2fData(u2fAuthenticate)
			if !ok || len(data) < 65 || made[string(data[65:])] == nil {
				return
			}
			changed := bytes.Clone(data)
			copy(changed[32:64], made[string(data[65:])])
			x.request = extendedAPDU(x.request[:4], changed)
		},
		answered: func(x *exchange) {
			if data, ok := x.u2fData(u2fRegister); ok && x.word() == swOK {
				handle := x.answer[67 : 67+int(x.answer[66])]
				made[string(handle)] = bytes.Clone(data[32:64])
			}
		},
	}
}

// u2fData is the data of a request of an instruction.
func (x *exchange) u2fData(ins byte) ([]byte, bool) {
	if x.instruction() != ins {
		return nil, false
	}
	return apduData(x.asked)
}

// extendedAPDU is a command APDU in extended form (ISO 7816-4, section 5.1).
func extendedAPDU(header, data []byte) []byte {
	apdu := append(bytes.Clone(header), 0, byte(len(data)>>8), byte(len(data)))
	return append(append(apdu, data...), 0, 0)
}

// fixRegistration fills or cuts the data of a registration to what it must be.
func (x *exchange) fixRegistration() {
	if data, ok := x.u2fData(u2fRegister); ok && len(data) != 64 {
		x.request = extendedAPDU(x.request[:4], append(bytes.Clone(data), make([]byte, 64)...)[:64])
	}
}

// unprotect seals a credential of a request anew, without its policy.
func (x *exchange) unprotect() {
	data, ok := x.u2fData(u2fAuthenticate)
	if !ok || len(data) < 65 {
		return
	}
	application := [32]byte(data[32:64])
	c, err := x.a.open(application, "", data[65:])
	if err != nil || c == nil || c.Protection < protectUV {
		return
	}
	c.Protection = 0
	id, err := x.a.seal(application, c, false)
	if err != nil || id == nil || len(id) > 255 {
		return
	}
	x.request = extendedAPDU(x.request[:4], append(append(bytes.Clone(data[:64]), byte(len(id))), id...))
}
