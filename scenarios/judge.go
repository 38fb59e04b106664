package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fido-emu/ctap/platform"
	"fido-emu/hid"
	"fido-emu/report"
	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
	"fido-emu/scenarios/world"
)

// judge tells from a step's error, and from what the scenario expected, how the
// step ended.
func judge(ctx context.Context, call language.Call, err error) verdict {
	if missing, ok := errors.AsType[*world.Missing](err); ok {
		return verdict{outcome: report.Skipped, text: missing.Reason}
	}
	if lacks, ok := errors.AsType[*rp.Unsupported](err); ok {
		return verdict{outcome: report.Skipped, text: lacks.Error()}
	}
	if away, ok := errors.AsType[*rp.Unreachable](err); ok {
		return verdict{outcome: report.Error, failure: &report.Failure{Message: away.Error(), Location: call.At, Hint: away.Hint()}}
	}
	if unmet, ok := errors.AsType[*steps.Unmet](err); ok {
		return failed(call, unmet.Error(), unmet.Hint, unmet.Device)
	}
	if err != nil && ctx.Err() != nil {
		return overtaken(ctx, call)
	}
	if err == nil {
		if call.Refused {
			return failed(call, "a refusal was expected ("+strings.TrimPrefix(call.Expected(), "refused: ")+"), but it succeeded", "", "")
		}
		return verdict{outcome: report.Passed}
	}
	if r := world.AsRefusal(err); r != nil {
		if errors.Is(err, hid.ErrUnplugged) && !call.Refused {
			return fault(call.At, err)
		}
		return refusal(call, r)
	}
	if wrong := defect(err); wrong != "" {
		return failed(call, wrong, "", "")
	}
	return fault(call.At, err)
}

// refusal judges a refusal against the one that was expected.
func refusal(call language.Call, r *world.Refusal) verdict {
	switch {
	case !call.Refused:
		return failed(call, r.Error(), "if this is what should happen, add expect: refused and reason: "+first(r.Reasons)+" to the step", "")
	case !call.Reason.MatchAny(append(r.Reasons, r.Message)...):
		return failed(call, fmt.Sprintf("refused as expected, but for another reason: %v; expected %s", r, strings.TrimPrefix(call.Expected(), "refused: ")), "", "")
	}
	return verdict{outcome: report.Passed}
}

// defect recognises a party that does not work as it must.
func defect(err error) string {
	if b, ok := errors.AsType[*rp.Broken](err); ok {
		return b.Error()
	}
	if b, ok := errors.AsType[*platform.Broken](err); ok {
		return "the device gave a broken answer: " + b.Error()
	}
	return ""
}

// overtaken judges a step whose context ended before it did.
func overtaken(ctx context.Context, call language.Call) verdict {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		v := failed(call, "it took too long", "", "")
		v.outcome = report.Timeout
		return v
	}
	return aborted()
}

func aborted() verdict { return verdict{outcome: report.Aborted, text: "the run was interrupted"} }

func failed(call language.Call, message, hint, device string) verdict {
	return verdict{outcome: report.Failed, failure: &report.Failure{Message: message, Location: call.At, Hint: hint, Device: device}}
}

func fault(at report.Location, err error) verdict {
	return verdict{outcome: report.Error, failure: &report.Failure{Message: err.Error(), Location: at, Hint: "this is a fault of the bench or the harness, not of what is tested"}}
}

func first(reasons []string) string {
	if len(reasons) == 0 {
		return "\"*\""
	}
	return reasons[0]
}
