package bio

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// information is about what is told to anyone.
func information() []conformance.Case {
	return conformance.Join(
		both("modality", "6.7.2", "getModality answers that it is fingerprints, without a token or a touch", func(e *enroller) {
			p := e.send(conformance.M{getModality: true}).OK().Untouched().Canonical().Only(1)
			conformance.Equal(e.Run, "modality", p.Uint(1), ctap.ModalityFingerprint)
		}),
		both("sensor", "6.7.3", "getFingerprintSensorInfo answers what kind of sensor it is and how many samples it takes, without a token or a touch", func(e *enroller) {
			p := e.send(e.unsigned(ctap.GetFingerprintSensorInfo, nil)).OK().Untouched().Canonical().Only(2, 3, 8)
			kind := p.Uint(2)
			e.Require(kind == ctap.TouchSensor || kind == ctap.SwipeSensor, "fingerprintKind is %d", kind)
			e.Require(p.Uint(3) > 0, "maxCaptureSamplesRequiredForEnroll is 0")
		}),
		only("sensor.name", "6.7.3", "getFingerprintSensorInfo answers how long names can be", func(e *enroller) {
			e.Require(e.send(e.unsigned(ctap.GetFingerprintSensorInfo, nil)).OK().Uint(8) > 0, "maxTemplateFriendlyName is 0")
		}),
	)
}

// parameters is about parameters that are absent, wrong, or of a wrong type.
func parameters() []conformance.Case {
	cases := conformance.Join(
		both("parameters.none", "6.7", "without parameters it is CTAP2_ERR_MISSING_PARAMETER", func(e *enroller) {
			e.send(conformance.M{}).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		both("parameters.no-modality", "6.7", "modality is required", func(e *enroller) {
			e.send(e.signed(e.enrolls(), ctap.EnumerateEnrollments, nil).Without(modality)).
				Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		both("parameters.other-modality", "6.7", "a modality that there is not is refused", func(e *enroller) {
			e.send(e.signed(e.enrolls(), ctap.EnumerateEnrollments, nil).With(modality, 2)).Refused()
		}),
		both("parameters.no-subcommand", "6.7", "subCommand is required", func(e *enroller) {
			e.send(conformance.M{modality: 1}).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		both("parameters.unknown-subcommand", "6.7", "a subcommand that there is not is CTAP2_ERR_INVALID_SUBCOMMAND", func(e *enroller) {
			e.do(0x55, nil).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
		}),
		both("parameters.unknown-member", "6.7", "a member of the request that is not known is ignored", func(e *enroller) {
			e.send(e.unsigned(ctap.GetFingerprintSensorInfo, nil).With(0x40, true)).OK()
		}),
	)
	for _, w := range []struct {
		name  string
		key   int
		value any
	}{
		{"modality", modality, "wrong"}, {"subCommand", subCommand, "wrong"}, {"subCommandParams", subCommandParams, []any{}},
		{"pinUvAuthProtocol", pinUvAuthProtocol, "wrong"}, {"pinUvAuthParam", pinUvAuthParam, "wrong"}, {"getModality", getModality, "wrong"},
	} {
		cases = append(cases, both("parameters.type."+w.name, "6.7", w.name+" of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(e *enroller) {
			t := e.enrolls()
			m := e.signed(t, ctap.EnrollBegin, nil).With(w.key, w.value)
			if w.key == subCommandParams {
				m[pinUvAuthParam] = t.MAC(e.message(ctap.EnrollBegin, w.value))
			}
			e.send(m).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType).Untouched()
		})...)
	}
	return append(cases, members()...)
}

// members is about members of subCommandParams.
func members() (cases []conformance.Case) {
	for _, w := range []struct {
		name, section string
		sub           uint
		params        conformance.M
		want          ctap.Status
	}{
		{"missing.next.templateId", "6.7.5", ctap.EnrollCaptureNextSample, conformance.M{timeout: 5000}, ctap.ErrMissingParameter},
		{"missing.rename.templateId", "6.7.7", ctap.SetFriendlyName, conformance.M{friendlyName: "x"}, ctap.ErrMissingParameter},
		{"missing.rename.friendlyName", "6.7.7", ctap.SetFriendlyName, conformance.M{templateID: unknown()}, ctap.ErrMissingParameter},
		{"missing.remove.templateId", "6.7.8", ctap.RemoveEnrollment, conformance.M{}, ctap.ErrMissingParameter},
		{"type.templateId", "6.7.8", ctap.RemoveEnrollment, conformance.M{templateID: "wrong"}, ctap.ErrCBORUnexpectedType},
		{"type.friendlyName", "6.7.7", ctap.SetFriendlyName, conformance.M{templateID: unknown(), friendlyName: []byte("wrong")}, ctap.ErrCBORUnexpectedType},
		{"type.timeout", "6.7.4", ctap.EnrollBegin, conformance.M{timeout: "wrong"}, ctap.ErrCBORUnexpectedType},
	} {
		cases = append(cases, both("parameters."+w.name, w.section, "what is missing or of a wrong type is "+w.want.Error(), func(e *enroller) {
			tolerated := conformance.MissingAs02
			if w.want == ctap.ErrCBORUnexpectedType {
				tolerated = conformance.TypeAsOthers
			}
			e.do(w.sub, w.params).Tolerate(tolerated).Want(w.want).Untouched()
		})...)
	}
	return cases
}

// action is a subcommand that needs a token.
type action struct {
	name, title, section string
	sub                  uint
	params               func(id []byte) conformance.M // for a template; nil for none
}

func actions() []action {
	of := func(id []byte) conformance.M { return conformance.M{templateID: id} }
	return []action{
		{"begin", "enrollBegin", "6.7.4", ctap.EnrollBegin, nil},
		{"list", "enumerateEnrollments", "6.7.6", ctap.EnumerateEnrollments, nil},
		{"rename", "setFriendlyName", "6.7.7", ctap.SetFriendlyName, func(id []byte) conformance.M {
			return conformance.M{templateID: id, friendlyName: "renamed"}
		}},
		{"remove", "removeEnrollment", "6.7.8", ctap.RemoveEnrollment, of},
	}
}

// on returns the parameters for a template, nil for none.
func (a action) on(id []byte) any {
	if a.params == nil {
		return nil
	}
	return a.params(id)
}

// refused sends a request about a finger that must be refused without doing anything.
func (e *enroller) refused(id []byte, m conformance.M, status ctap.Status, tolerated ...conformance.Deviation) {
	e.send(m).Tolerate(tolerated...).Want(status).Untouched()
	e.token = nil
	f := e.finger(id)
	e.Require(f != nil && f.FriendlyName != "renamed", "the request was refused, and the finger was renamed or removed nevertheless")
}

// authorisation is about pinUvAuthParam.
func authorisation() (all []conformance.Case) {
	for _, a := range actions() {
		all = conformance.Join(all,
			both("auth.missing."+a.name, a.section, a.title+" without pinUvAuthParam is CTAP2_ERR_PUAT_REQUIRED", func(e *enroller) {
				id := e.enroll()
				e.refused(id, e.unsigned(a.sub, a.on(id)), ctap.ErrPUATRequired, conformance.AuthAs33, conformance.ParameterAs14)
			}),
			both("auth.wrong."+a.name, a.section, a.title+" with a wrong pinUvAuthParam is CTAP2_ERR_PIN_AUTH_INVALID", func(e *enroller) {
				id := e.enroll()
				m := e.signed(e.enrolls(), a.sub, a.on(id))
				m[pinUvAuthParam].([]byte)[15] ^= 1
				e.refused(id, m, ctap.ErrPINAuthInvalid)
			}),
			only("auth.permission."+a.name, a.section, a.title+" needs the permission be", func(e *enroller) {
				id := e.enroll()
				e.refused(id, e.signed(e.otherToken(), a.sub, a.on(id)), ctap.ErrPINAuthInvalid)
			}, conformance.CanToken()),
			a.bent(),
		)
	}
	next := only("auth.next", "6.7.5", "enrollCaptureNextSample needs pinUvAuthParam, a right one", func(e *enroller) {
		a := e.begin()
		params := conformance.M{templateID: a.TemplateID}
		e.send(e.unsigned(ctap.EnrollCaptureNextSample, params)).Tolerate(conformance.AuthAs33, conformance.ParameterAs14).Want(ctap.ErrPUATRequired)
		m := e.signed(e.enrolls(), ctap.EnrollCaptureNextSample, params)
		m[pinUvAuthParam].([]byte)[0] ^= 1
		e.send(m).Want(ctap.ErrPINAuthInvalid).Untouched()
	})
	return conformance.Join(all, next, protocols())
}

// otherToken returns a token without the permission be, bound to no relying party where
// it can be.
func (e *enroller) otherToken() *conformance.Token {
	if e.Info().Options["credMgmt"] {
		return e.Token(ctap.PermCredentialMgmt, "")
	}
	return e.Token(ctap.PermMakeCredential|ctap.PermGetAssertion, conformance.RPID)
}

// bent is an action whose pinUvAuthParam is over something else.
func (a action) bent() []conformance.Case {
	return both("auth.message."+a.name, a.section, a.title+": pinUvAuthParam is over modality, subCommand and subCommandParams", func(e *enroller) {
		id := e.enroll()
		whole := e.message(a.sub, a.on(id))
		other := e.message(ctap.GetFingerprintSensorInfo, a.on(id))
		cuts := map[string][]byte{"without modality": whole[1:], "of another subcommand": other}
		if len(whole) > 2 {
			cuts["without subCommandParams"] = whole[:2]
		}
		for _, what := range []string{"without modality", "of another subcommand", "without subCommandParams"} {
			if cuts[what] != nil {
				e.Doing("pinUvAuthParam %s", what)
				t := e.enrolls()
				e.refused(id, e.unsigned(a.sub, a.on(id)).With(pinUvAuthProtocol, t.Number()).With(pinUvAuthParam, t.MAC(cuts[what])), ctap.ErrPINAuthInvalid)
			}
		}
	})
}

// protocols is about pinUvAuthProtocol.
func protocols() []conformance.Case {
	begin := final().as("auth.protocol", "6.7.4", "a token of every PIN/UV auth protocol serves", nil)
	return conformance.Join(
		conformance.BothProtocols(begin, func(r *conformance.Run, p pinuv.Protocol) {
			e := &enroller{Run: r, variant: final(), token: r.TokenOf(p, ctap.PermBioEnrollment, "")}
			e.begin()
		}),
		both("auth.protocol-missing", "6.7.4", "a pinUvAuthParam without pinUvAuthProtocol is CTAP2_ERR_MISSING_PARAMETER", func(e *enroller) {
			e.send(e.signed(e.enrolls(), ctap.EnrollBegin, nil).Without(pinUvAuthProtocol)).
				Tolerate(conformance.MissingAs02, conformance.AuthAs33).Want(ctap.ErrMissingParameter).Untouched()
		}),
		both("auth.protocol-unknown", "6.7.4", "a pinUvAuthProtocol that there is not is CTAP1_ERR_INVALID_PARAMETER", func(e *enroller) {
			e.send(e.signed(e.enrolls(), ctap.EnrollBegin, nil).With(pinUvAuthProtocol, 77)).
				Tolerate(conformance.AuthAs33).Want(ctap.ErrInvalidParameter).Untouched()
		}),
	)
}
