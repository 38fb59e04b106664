// Package cbor holds the conformance cases about the message encoding (section 8):
// what is not CBOR, not in the canonical form or not a map is refused, for every
// command alike; what is not known is ignored; answers are canonical.
package cbor

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group cbor.
func Group() conformance.Group {
	return conformance.Group{Name: "cbor", Title: "Message encoding", Cases: conformance.Join(
		violations(), statuses(), unknown(), commands(), answers(),
	)}
}

// subject is a command whose parameters are bent.
type subject struct {
	name    string
	command ctap.Command
	params  func(r *conformance.Run) conformance.M // nothing is wrong with them
	needs   []conformance.Need
	read    []ctap.Status // what comes when they were read
}

var subjects = []subject{
	{"makeCredential", ctap.MakeCredential, (*conformance.Run).CreateParams, nil,
		[]ctap.Status{ctap.OK, ctap.ErrPUATRequired, ctap.ErrOperationDenied}},
	{"getAssertion", ctap.GetAssertion, func(r *conformance.Run) conformance.M { return r.AssertParams() }, nil,
		[]ctap.Status{ctap.OK, ctap.ErrNoCredentials, ctap.ErrPUATRequired}},
	{"clientPIN", ctap.ClientPIN, keyAgreement, []conformance.Need{conformance.SomeProtocol()},
		[]ctap.Status{ctap.OK}},
	{"credMgmt", ctap.CredentialManagement, func(*conformance.Run) conformance.M { return conformance.M{1: ctap.GetCredsMetadata} },
		[]conformance.Need{conformance.Option("credMgmt")},
		[]ctap.Status{ctap.OK, ctap.ErrPUATRequired, ctap.ErrMissingParameter, ctap.ErrPINNotSet}},
	{"largeBlobs", ctap.LargeBlobs, func(*conformance.Run) conformance.M { return conformance.M{1: 17, 3: 0} },
		[]conformance.Need{conformance.Option("largeBlobs")}, []ctap.Status{ctap.OK}},
}

func keyAgreement(r *conformance.Run) conformance.M {
	return conformance.M{1: r.Protocol().Number(), 2: ctap.GetKeyAgreement}
}

// asCase makes a case of a subject; ids are cbor.WHAT.COMMAND.
func (s subject) asCase(what, section, why string, run func(r *conformance.Run)) conformance.Case {
	return conformance.Case{
		ID: "cbor." + what + "." + s.name, Rule: conformance.Since20(section), Why: why,
		Needs: s.needs, Hands: conformance.Touch, Run: run,
	}
}

// unknown is about what is not known, which is ignored.
func unknown() (cases []conformance.Case) {
	for _, s := range subjects {
		cases = append(cases, s.asCase("unknown-member", "8", "a member that is not known is ignored", func(r *conformance.Run) {
			r.Send(s.command, s.params(r).With(250, "not known")).Want(s.read...)
		}))
		cases = append(cases, s.asCase("unknown-negative-member", "8", "a member with a negative number is ignored", func(r *conformance.Run) {
			r.Send(s.command, s.params(r).With(-5, []int{1})).Want(s.read...)
		}))
	}
	return cases
}

// commands is about commands that there are not.
func commands() []conformance.Case {
	return conformance.Each([]struct {
		name string
		code ctap.Command
	}{{"00", 0x00}, {"03", 0x03}, {"05", 0x05}, {"0e", 0x0E}, {"3f", 0x3F}, {"c0", 0xC0}, {"ff", 0xFF}},
		func(c struct {
			name string
			code ctap.Command
		},
		) conformance.Case {
			return conformance.Case{
				ID: "cbor.command." + c.name, Rule: conformance.Since20("8.2"), Why: "a command that there is not is CTAP1_ERR_INVALID_COMMAND",
				Run: func(r *conformance.Run) {
					r.Send(c.code, nil).Want(ctap.ErrInvalidCommand).Empty()
					r.Send(c.code, conformance.M{}).Want(ctap.ErrInvalidCommand).Empty()
				},
			}
		})
}

// compound tells whether an answer is canonical but for a compound attestation
// statement, which is canonical by itself: in the answer it needs a fifth level.
func compound(r *conformance.Run, reply *conformance.Reply) bool {
	const compoundFormat = "\x68compound"
	if string(reply.Member(1)) != compoundFormat || ctap.CheckCanonical(reply.Body) == nil {
		return false
	}
	statement := reply.Member(3)
	rest := bytes.Replace(reply.Body, statement, []byte{0xA0}, 1)
	if ctap.CheckCanonical(statement) != nil || ctap.CheckCanonical(rest) != nil {
		return false
	}
	r.Tolerate("WebAuthn Level 3 section 8.9: a compound statement is a list of statements, and one with certificates is four levels deep without the answer around it",
		"the answer has five levels of maps and lists, where section 8 allows four")
	return true
}

// answers is about the form of answers.
func answers() []conformance.Case {
	touched := func(id, why string, run func(r *conformance.Run)) conformance.Case {
		return conformance.Case{
			ID: "cbor.answer." + id, Rule: conformance.Since20("8"), Why: why,
			Start: conformance.Usable, Hands: conformance.Touch, Run: run,
		}
	}
	pin := touched("clientPIN", "the answers of authenticatorClientPIN are canonical", func(r *conformance.Run) {
		r.Send(ctap.ClientPIN, keyAgreement(r)).OK().Canonical().Only(1)
	})
	pin.Needs = []conformance.Need{conformance.SomeProtocol()}
	return conformance.One(pin,
		touched("makeCredential", "the answer of authenticatorMakeCredential is canonical", func(r *conformance.Run) {
			reply := r.Send(ctap.MakeCredential, r.Authorise(ctap.MakeCredential, r.CreateParams())).OK().Only(1, 2, 3, 4, 5, 6)
			if !compound(r, reply) {
				reply.Canonical()
			}
		}),
		touched("getAssertion", "the answer of authenticatorGetAssertion is canonical", func(r *conformance.Run) {
			m := r.AssertParams(r.NewCredential())
			r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, m)).OK().Canonical().Only(1, 2, 3, 4, 5, 6, 7, 8)
		}),
		touched("publicKey", "the public key in authenticator data is canonical", func(r *conformance.Run) {
			key := r.NewCredential().PublicKey
			r.Check(ctap.CheckCanonical(key) == nil, "the COSE_Key is not canonical: %x", key)
		}),
		touched("error", "nothing follows the status byte of an error", func(r *conformance.Run) {
			r.Send(ctap.MakeCredential, r.CreateParams().Without(2)).Refused().Empty()
			r.Send(ctap.GetAssertion, r.AssertParams().Without(1)).Refused().Empty()
			r.Send(ctap.GetNextAssertion, nil).Refused().Empty()
		}),
	)
}
