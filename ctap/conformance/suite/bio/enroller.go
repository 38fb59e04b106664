package bio

import (
	"bytes"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// The parameters of the command.
const (
	modality = 1 + iota
	subCommand
	subCommandParams
	pinUvAuthProtocol
	pinUvAuthParam
	getModality
)

// The members of subCommandParams.
const (
	templateID = 1 + iota
	friendlyName
	timeout // milliseconds
)

// enroller is a case that enrols fingers.
type enroller struct {
	*conformance.Run
	variant variant
	token   *conformance.Token // with the permission be; nil for none
}

// answer is what the subcommands answer.
type answer = ctap.BioEnrollmentResponse

// unsigned are the parameters of a subcommand without pinUvAuthParam. params may be nil.
func (e *enroller) unsigned(sub uint, params any) conformance.M {
	m := conformance.M{modality: ctap.ModalityFingerprint, subCommand: sub}
	if raw := e.Encode(params); raw != nil {
		m[subCommandParams] = cbor.RawMessage(raw)
	}
	return m
}

// message is what pinUvAuthParam authenticates.
func (e *enroller) message(sub uint, params any) []byte {
	return append([]byte{byte(ctap.ModalityFingerprint), byte(sub)}, e.Encode(params)...)
}

// signed are the parameters of a subcommand with pinUvAuthParam by a token.
func (e *enroller) signed(t *conformance.Token, sub uint, params any) conformance.M {
	return e.unsigned(sub, params).With(pinUvAuthProtocol, t.Number()).With(pinUvAuthParam, t.MAC(e.message(sub, params)))
}

// enrolls returns a token with the permission be.
func (e *enroller) enrolls() *conformance.Token {
	if e.token == nil {
		e.token = e.Token(ctap.PermBioEnrollment, "")
	}
	return e.token
}

// send sends parameters.
func (e *enroller) send(m conformance.M) *conformance.Reply { return e.Send(e.variant.command, m) }

// do sends a subcommand, authorised.
func (e *enroller) do(sub uint, params any) *conformance.Reply {
	return e.send(e.signed(e.enrolls(), sub, params))
}

// read reads an answer.
func read(p *conformance.Reply) *answer {
	var a answer
	p.OK().Into(&a)
	return &a
}

// sample reads the answer to a capture.
func (e *enroller) sample(p *conformance.Reply) *answer {
	a := read(p)
	e.Require(a.LastSampleStatus != nil, "the answer has no lastEnrollSampleStatus")
	e.Require(a.RemainingSamples != nil, "the answer has no remainingSamples")
	return a
}

// begin begins an enrolment with a good sample.
func (e *enroller) begin() *answer {
	a := e.sample(e.do(ctap.EnrollBegin, nil))
	e.Require(len(a.TemplateID) > 0, "enrollBegin answers without templateId")
	return a
}

// next captures a sample.
func (e *enroller) next(id []byte) *conformance.Reply {
	return e.do(ctap.EnrollCaptureNextSample, conformance.M{templateID: id})
}

// mostSamples is how often a finger is laid on at most: real sensors do not like
// every sample.
const mostSamples = 60

// finish captures samples until the enrolment is whole.
func (e *enroller) finish(a *answer) (id []byte) {
	id = a.TemplateID
	for range mostSamples {
		if *a.RemainingSamples == 0 {
			return id
		}
		a = e.sample(e.next(id))
	}
	e.Fail("after %d samples remainingSamples is %d", mostSamples, *a.RemainingSamples)
	return nil
}

// enroll enrols a finger.
func (e *enroller) enroll() (id []byte) { return e.finish(e.begin()) }

// fingers lists what is enrolled.
func (e *enroller) fingers() []ctap.TemplateInfo {
	p := e.do(ctap.EnumerateEnrollments, nil)
	if p.Status == ctap.ErrInvalidOption {
		return nil
	}
	return read(p).Templates
}

// finger returns what is listed of a template, nil where it is not listed.
func (e *enroller) finger(id []byte) *ctap.TemplateInfo {
	all := e.fingers()
	i := slices.IndexFunc(all, func(t ctap.TemplateInfo) bool { return bytes.Equal(t.ID, id) })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// remove removes a template.
func (e *enroller) remove(id []byte) *conformance.Reply {
	return e.do(ctap.RemoveEnrollment, conformance.M{templateID: id})
}

// removeAll removes every template.
func (e *enroller) removeAll() {
	for _, t := range e.fingers() {
		e.remove(t.ID).OK()
	}
}

// rename gives a template a name.
func (e *enroller) rename(id []byte, name string) *conformance.Reply {
	return e.do(ctap.SetFriendlyName, conformance.M{templateID: id, friendlyName: name})
}

// unknown is the id of no template.
func unknown() []byte { return []byte{0xDE, 0xAD, 0xBE, 0xEF, 0x55} }

// option asks getInfo for an option of the command.
func (e *enroller) option(id string) bool { return e.FreshInfo().Options[id] }

// made tells whether the command says that fingers are enrolled.
func (e *enroller) made() bool { return e.option(e.variant.option) }
