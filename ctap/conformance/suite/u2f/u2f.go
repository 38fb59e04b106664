// Package u2f holds the conformance cases about U2F messages (FIDO U2F Raw Message
// Formats 1.2), and about where they meet CTAP2 (CTAP 2.3, sections 7.2, 10 and 12.1).
package u2f

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
)

// Group is the group u2f.
func Group() conformance.Group {
	return conformance.Group{Name: "u2f", Title: "U2F", Cases: conformance.Join(
		version(), framing(), statusWords(), registration(), registrationLengths(),
		controls(), handles(), authentication(), interplay(),
	)}
}

// The instructions, control bytes and status words of U2F.
const (
	register     = 0x01
	authenticate = 0x02
	getVersion   = 0x03

	enforce    = 0x03 // enforce-user-presence-and-sign
	checkOnly  = 0x07
	dontAsk    = 0x08 // dont-enforce-user-presence-and-sign
	swOK       = 0x9000
	swTouch    = 0x6985 // SW_CONDITIONS_NOT_SATISFIED
	swData     = 0x6A80 // SW_WRONG_DATA
	swLength   = 0x6700 // SW_WRONG_LENGTH
	swNoINS    = 0x6D00 // SW_INS_NOT_SUPPORTED
	swNoCLA    = 0x6E00 // SW_CLA_NOT_SUPPORTED
	swForbid   = 0x6986 // SW_COMMAND_NOT_ALLOWED
	publicSize = 65
)

// rule is a case about a section of Raw Message Formats.
func rule(id, section, why string, hands conformance.Gesture, run func(r *conformance.Run)) conformance.Case {
	return conformance.Case{ID: "u2f." + id, Rule: conformance.OfU2F(section), Why: why, Hands: hands, Run: run}
}

// registered is a U2F credential.
type registered struct {
	application []byte
	public      []byte // the point, uncompressed
	handle      []byte
	certificate []byte
	signature   []byte
	challenge   []byte
}

// application is the parameter of an application identity.
func application(of string) []byte {
	h := sha256.Sum256([]byte(of))
	return h[:]
}

// registering is a registration request.
func registering(challenge, application []byte) conformance.APDU {
	return conformance.APDU{INS: register, Data: slices.Concat(challenge, application)}
}

// enrol registers with a touch.
func enrol(r *conformance.Run, application []byte) *registered {
	challenge := r.Bytes(32)
	reply := r.SendU2FTouched(registering(challenge, application)).Want(swOK)
	c := parse(r, reply.Data)
	c.application, c.challenge = application, challenge
	return c
}

// signing is an authentication request.
func signing(r *conformance.Run, control byte, application, handle []byte) conformance.APDU {
	return conformance.APDU{
		INS: authenticate, P1: control, Data: slices.Concat(r.Bytes(32), application, []byte{byte(len(handle))}, handle),
	}
}

// sign authenticates with a touch and checks the answer; it returns the counter.
func sign(r *conformance.Run, c *registered) uint32 {
	apdu := signing(r, enforce, c.application, c.handle)
	return c.check(r, apdu, r.SendU2FTouched(apdu).Want(swOK).Data, 1)
}

// check holds the answer to an authentication to section 5.4.
func (c *registered) check(r *conformance.Run, apdu conformance.APDU, answer []byte, presence byte) (counter uint32) {
	r.Require(len(answer) > 5, "the answer is %d bytes long", len(answer))
	conformance.Equal(r, "user presence byte", answer[0], presence)
	message := slices.Concat(c.application, answer[:5], apdu.Data[:32])
	err := cose.Verify(cose.MarshalP256(cose.ES256, c.public), message, answer[5:])
	r.Require(err == nil, "signature: %v", err)
	return binary.BigEndian.Uint32(answer[1:])
}

// version is GetVersion (section 6.1).
func version() []conformance.Case {
	return conformance.One(
		rule("version.answer", "6.1", "the version is U2F_V2", 0, func(r *conformance.Run) {
			reply := r.SendU2F(conformance.APDU{INS: getVersion}.Bytes()).Want(swOK)
			conformance.Equal(r, "version", string(reply.Data), "U2F_V2")
		}),
		rule("version.data", "6.1", "GetVersion has no data: with some it is SW_WRONG_LENGTH", 0, func(r *conformance.Run) {
			r.SendU2F(conformance.APDU{INS: getVersion, Data: []byte{1}}.Bytes()).Want(swLength)
		}),
	)
}

// framing is about how requests are encoded (section 3.1).
func framing() []conformance.Case {
	version := func(id, why string, apdu ...byte) conformance.Case {
		return rule("framing."+id, "3.1", why, 0, func(r *conformance.Run) {
			reply := r.SendU2F(apdu).Want(swOK)
			conformance.Equal(r, "version", string(reply.Data), "U2F_V2")
		})
	}
	wrong := func(id, why string, apdu ...byte) conformance.Case {
		return rule("framing."+id, "3.1", why, 0, func(r *conformance.Run) { r.SendU2F(apdu).Want(swLength) })
	}
	return conformance.One(
		version("le.zero", "an extended Le of 0 is as much as there is", 0, getVersion, 0, 0, 0, 0, 0),
		version("le.exact", "an extended Le of what is there is taken", 0, getVersion, 0, 0, 0, 0, 8),
		version("le.greatest", "an extended Le of 65535 is taken", 0, getVersion, 0, 0, 0, 0xFF, 0xFF),
		wrong("header-cut", "a request without a whole header is SW_WRONG_LENGTH", 0, getVersion, 0),
		wrong("lc-beyond-end", "an Lc beyond the end of the request is SW_WRONG_LENGTH", 0, register, 0, 0, 0, 0, 64, 1, 2, 3),
		rule("framing.lc-before-end", "3.1", "an Lc before the end of the data is SW_WRONG_LENGTH", 0, func(r *conformance.Run) {
			b := registering(r.Bytes(32), r.Bytes(32)).Bytes()
			b[6] -= 8
			r.SendU2F(b).Want(swLength)
		}),
		rule("framing.no-le", "3.1", "a request with data needs no Le", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			b := signing(r, checkOnly, c.application, c.handle).Bytes()
			r.SendU2F(b[:len(b)-2]).Want(swTouch)
		}),
		rule("framing.p2", "3.1", "P2 of 0 is what there is, and another does not sign in silence", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.Plan(conformance.Wait)
			apdu := signing(r, enforce, c.application, c.handle)
			apdu.P2 = 1
			reply := r.SendU2F(apdu.Bytes())
			r.Require(reply.SW != swOK, "it signs without a touch")
		}),
	)
}

// statusWords is about what says that a request is not answered (section 3.3).
func statusWords() []conformance.Case {
	word := func(id, why string, want uint16, apdu conformance.APDU) conformance.Case {
		return rule("status."+id, "3.3", why, 0, func(r *conformance.Run) {
			reply := r.SendU2F(apdu.Bytes()).Want(want)
			conformance.Equal(r, "bytes before the status word", len(reply.Data), 0)
		})
	}
	instructions := conformance.Each([]struct {
		name string
		ins  byte
	}{{"00", 0x00}, {"04", 0x04}, {"3f", 0x3F}, {"c0", 0xC0}, {"ff", 0xFF}}, func(i struct {
		name string
		ins  byte
	},
	) conformance.Case {
		return word("instruction."+i.name, "an instruction that there is not is SW_INS_NOT_SUPPORTED", swNoINS, conformance.APDU{INS: i.ins})
	})
	return conformance.Join(instructions, conformance.One(
		word("class.01", "a class other than 0 is SW_CLA_NOT_SUPPORTED", swNoCLA, conformance.APDU{CLA: 0x01, INS: getVersion}),
		word("class.80", "a class other than 0 is SW_CLA_NOT_SUPPORTED", swNoCLA, conformance.APDU{CLA: 0x80, INS: getVersion}),
		word("length", "data of a wrong length are SW_WRONG_LENGTH", swLength, conformance.APDU{INS: register, Data: make([]byte, 63)}),
		rule("status.touch.register", "3.3", "a registration that waits for a touch is SW_CONDITIONS_NOT_SATISFIED", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			r.Plan(conformance.Wait)
			r.SendU2F(registering(r.Bytes(32), r.Bytes(32)).Bytes()).Want(swTouch)
		}),
		rule("status.touch.authenticate", "3.3", "an authentication that waits for a touch is SW_CONDITIONS_NOT_SATISFIED", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.Plan(conformance.Wait)
			r.SendU2F(signing(r, enforce, c.application, c.handle).Bytes()).Want(swTouch)
		}),
		rule("status.after-error", "3.3", "after an error the next request is answered", 0, func(r *conformance.Run) {
			r.SendU2F(conformance.APDU{INS: 0x04}.Bytes()).Want(swNoINS)
			reply := r.SendU2F(conformance.APDU{INS: getVersion}.Bytes()).Want(swOK)
			r.Require(bytes.Equal(reply.Data, []byte("U2F_V2")), "the version is %q", reply.Data)
		}),
	))
}
