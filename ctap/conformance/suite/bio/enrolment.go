package bio

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// enrolment is about enrollBegin and enrollCaptureNextSample.
func enrolment() []conformance.Case {
	return conformance.Join(
		both("enroll.first-members", "6.7.4", "enrollBegin captures a sample, and answers templateId, lastEnrollSampleStatus and remainingSamples", func(e *enroller) {
			p := e.do(ctap.EnrollBegin, nil).OK().Touched().Canonical().Only(4, 5, 6)
			p.Member(4)
			e.Require(p.Uint(6) > 0, "remainingSamples is 0 after one sample")
			p.Uint(5)
		}),
		both("enroll.next-members", "6.7.5", "enrollCaptureNextSample captures a sample, and answers lastEnrollSampleStatus and remainingSamples", func(e *enroller) {
			a := e.begin()
			p := e.next(a.TemplateID).OK().Touched().Only(5, 6)
			p.Uint(5)
			p.Uint(6)
		}),
		both("enroll.whole", "6.7.5", "when no samples remain, the finger is enrolled, and listed", func(e *enroller) {
			id := e.enroll()
			e.Require(e.finger(id) != nil, "the finger %x is not listed", id)
		}),
		both("enroll.not-before", "6.7.5", "a finger is not listed before its last sample", func(e *enroller) {
			a := e.begin()
			e.Require(e.finger(a.TemplateID) == nil, "the finger is listed after one sample")
		}),
		both("enroll.counts-down", "6.7.4", "remainingSamples goes down with every good sample, from less than the sensor's most", countsDown),
		with(conformance.Smudge, both("enroll.bad-sample", "6.7.5", "a bad sample says so in lastEnrollSampleStatus, counts for nothing, and the enrolment goes on", func(e *enroller) {
			a := e.begin()
			e.Plan(conformance.Smudge)
			bad := e.sample(e.next(a.TemplateID))
			e.Require(*bad.LastSampleStatus != ctap.SampleGood, "lastEnrollSampleStatus says good")
			conformance.Equal(e.Run, "remainingSamples", *bad.RemainingSamples, *a.RemainingSamples)
			e.Plan(conformance.Touch)
			e.Require(e.finger(e.finish(a)) != nil, "the finger is not listed")
		})),
		with(conformance.Smudge, both("enroll.bad-first", "6.7.4", "a bad first sample begins the enrolment nevertheless", func(e *enroller) {
			e.Plan(conformance.Smudge)
			a := e.begin()
			e.Require(*a.LastSampleStatus != ctap.SampleGood, "lastEnrollSampleStatus says good")
			e.Plan(conformance.Touch)
			e.Require(e.finger(e.finish(a)) != nil, "the finger is not listed")
		})),
		both("enroll.status", "6.7.4", "lastEnrollSampleStatus is one that there is, and good for a good finger in the end", func(e *enroller) {
			a := e.begin()
			for range mostSamples {
				s := *a.LastSampleStatus
				e.Require(s <= ctap.SampleNoUpTransition && s != 0x0C, "lastEnrollSampleStatus is 0x%02X", uint(s))
				if *a.RemainingSamples == 0 {
					break
				}
				id := a.TemplateID
				a = e.sample(e.next(id))
				a.TemplateID = id
			}
			conformance.Equal(e.Run, "the last lastEnrollSampleStatus", *a.LastSampleStatus, ctap.SampleGood)
		}),
		both("enroll.ids", "6.7.4", "every finger has an id of its own", func(e *enroller) {
			e.removeAll()
			e.Require(!bytes.Equal(e.enroll(), e.enroll()), "two fingers have one templateId")
			conformance.Equal(e.Run, "fingers listed", len(e.fingers()), 2)
		}),
		both("enroll.after-whole", "6.7.5", "when the finger is enrolled there is no next sample: CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			id := e.enroll()
			e.next(id).Tolerate(conformance.ParameterAs14, conformance.MissingAs02, conformance.Deviates("implementations answer that there is no enrolment", ctap.ErrNotAllowed)).
				Want(ctap.ErrInvalidOption).Untouched()
		}),
		both("enroll.unknown", "6.7.5", "a sample for a templateId that is not being enrolled is CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			e.next(unknown()).Want(ctap.ErrInvalidOption).Untouched()
			a := e.begin()
			e.next(unknown()).Want(ctap.ErrInvalidOption).Untouched()
			e.Require(e.finger(e.finish(a)) != nil, "the finger is not listed")
		}),
		both("enroll.full", "6.7.4", "where no more fingers fit, enrollBegin is CTAP2_ERR_FP_DATABASE_FULL, and fits again when one was removed", full),
	)
}

func countsDown(e *enroller) {
	most := e.send(e.unsigned(ctap.GetFingerprintSensorInfo, nil)).OK().Uint(3)
	a := e.begin()
	id, left := a.TemplateID, *a.RemainingSamples
	e.Require(left <= most, "remainingSamples is %d, and maxCaptureSamplesRequiredForEnroll %d", left, most)
	for range mostSamples {
		if left == 0 {
			return
		}
		a = e.sample(e.next(id))
		good := *a.LastSampleStatus == ctap.SampleGood
		e.Require(*a.RemainingSamples < left || !good && *a.RemainingSamples == left, "remainingSamples was %d, and is %d after lastEnrollSampleStatus 0x%02X",
			left, *a.RemainingSamples, uint(*a.LastSampleStatus))
		left = *a.RemainingSamples
	}
	e.Fail("after %d samples remainingSamples is %d", mostSamples, left)
}

// mostFingers is more than any sensor keeps.
const mostFingers = 50

func full(e *enroller) {
	e.removeAll()
	for range mostFingers {
		p := e.do(ctap.EnrollBegin, nil)
		if p.Status != ctap.OK {
			p.Want(ctap.ErrFPDatabaseFull).Untouched()
			all := e.fingers()
			e.Require(len(all) > 0, "the database is full, and no finger is listed")
			e.remove(all[0].ID).OK()
			e.enroll()
			return
		}
		e.finish(e.sample(p))
	}
	e.Fail("%d fingers were enrolled, and the database is still not full", mostFingers)
}

// interruptions is about enrolments that do not become whole.
func interruptions() []conformance.Case {
	return conformance.Join(
		both("cancel", "6.7.5", "cancelCurrentEnrollment ends the enrolment, without a token", func(e *enroller) {
			a := e.begin()
			e.send(e.unsigned(ctap.CancelCurrentEnrollment, nil)).OK().Untouched().Empty()
			e.next(a.TemplateID).Want(ctap.ErrInvalidOption).Untouched()
			e.Require(e.finger(a.TemplateID) == nil, "the finger is listed")
		}),
		both("cancel.nothing", "6.7.5", "cancelCurrentEnrollment where nothing is being enrolled is no error", func(e *enroller) {
			e.send(e.unsigned(ctap.CancelCurrentEnrollment, nil)).OK()
		}),
		both("cancel.keeps-others", "6.7.5", "cancelCurrentEnrollment leaves fingers that are enrolled alone", func(e *enroller) {
			id := e.enroll()
			e.begin()
			e.send(e.unsigned(ctap.CancelCurrentEnrollment, nil)).OK()
			e.Require(e.finger(id) != nil, "a finger that was enrolled is gone")
		}),
		both("begin-again", "6.7.4", "enrollBegin cancels an enrolment that is under way", func(e *enroller) {
			first, second := e.begin(), e.begin()
			e.Require(!bytes.Equal(first.TemplateID, second.TemplateID), "both have the same templateId")
			e.next(first.TemplateID).Want(ctap.ErrInvalidOption).Untouched()
			e.Require(e.finger(e.finish(second)) != nil, "the second finger is not listed")
			e.Require(e.finger(first.TemplateID) == nil, "the first finger is listed")
		}),
		with(conformance.Ignore, both("timeout", "6.7.5", "where no finger comes within timeoutMilliseconds, lastEnrollSampleStatus says so, and the enrolment goes on", func(e *enroller) {
			a := e.begin()
			e.Plan(conformance.Ignore)
			before := e.Now()
			p := e.do(ctap.EnrollCaptureNextSample, conformance.M{templateID: a.TemplateID, timeout: 4000})
			took := e.Now().Sub(before).Seconds()
			e.Require(took >= 3 && took < 15, "with timeoutMilliseconds of 4000 it waits for %.1f seconds", took)
			e.Plan(conformance.Touch)
			if p.Tolerate(conformance.Deviates("some keys end with CTAP2_ERR_USER_ACTION_TIMEOUT", ctap.ErrUserActionTimeout)).OK().Status != ctap.OK {
				return
			}
			conformance.Equal(e.Run, "lastEnrollSampleStatus", *e.sample(p).LastSampleStatus, ctap.SampleNoUserActivity)
			conformance.Equal(e.Run, "remainingSamples", *e.sample(p).RemainingSamples, *a.RemainingSamples)
			e.Require(e.finger(e.finish(a)) != nil, "the finger is not listed")
		})),
		with(conformance.Wait, both("cancelled", "6.7.5", "CTAPHID_CANCEL while it waits for a finger is CTAP2_ERR_KEEPALIVE_CANCEL", func(e *enroller) {
			a := e.begin()
			e.Plan(conformance.Wait)
			e.SendCancelled(e.variant.command, e.signed(e.enrolls(), ctap.EnrollCaptureNextSample, conformance.M{templateID: a.TemplateID})).
				Want(ctap.ErrKeepaliveCancel)
			e.Plan(conformance.Touch)
			e.Require(e.finger(a.TemplateID) == nil, "the finger is listed")
		})),
		with(conformance.Replug, both("enroll.power-cycle", "6.7.5", "a power cycle ends an enrolment", func(e *enroller) {
			a := e.begin()
			e.PowerCycle()
			e.token = nil
			e.next(a.TemplateID).Want(ctap.ErrInvalidOption)
			e.Require(e.finger(a.TemplateID) == nil, "the finger is listed")
		})),
	)
}
