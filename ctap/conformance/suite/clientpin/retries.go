package clientpin

import (
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// maxTries is how many tries there are at most (section 6.5.2.3).
const maxTries = 8

// spends is a case that begins with all tries and spends some.
func spends(id, section, why string, run func(r *conformance.Run, all uint)) conformance.Case {
	return conformance.Case{
		ID: "clientpin.retries." + id, Rule: conformance.Since20(section), Start: conformance.WithPIN, Destructive: true,
		Hands: conformance.Replug, Needs: ceremoniesByPIN, Why: why,
		Run: func(r *conformance.Run) {
			all, _ := r.PINRetries()
			r.Require(all >= 4, "pinRetries is %d, where no wrong PIN was sent", all)
			run(r, all)
		},
	}
}

// left checks how many tries there are.
func left(r *conformance.Run, want uint) {
	n, _ := r.PINRetries()
	conformance.Equal(r, "pinRetries", n, want)
}

// miss sends a wrong PIN, which is not the last that is taken.
func miss(r *conformance.Run) {
	enter(r, r.Protocol(), conformance.WrongPIN).Want(ctap.ErrPINInvalid)
}

// hit sends the right PIN.
func hit(r *conformance.Run) *conformance.Reply { return enter(r, r.Protocol(), r.PIN()) }

// evenUnset tolerates that getPINRetries has no counter to tell where no PIN is set.
func evenUnset(r *conformance.Run, reply *conformance.Reply) *conformance.Reply {
	if !r.Info().Options["clientPin"] {
		reply.Tolerate(conformance.RetriesAs35)
	}
	return reply
}

// tries is about the count of tries (sections 6.5.5.2 and 6.5.5.6).
func tries() []conformance.Case {
	return conformance.Join(conformance.One(
		conformance.Case{
			ID: "clientpin.retries.at-most-eight", Rule: conformance.Since20("6.5.5.2"), Needs: []conformance.Need{conformance.CanPIN()},
			Why: "getPINRetries says a number of tries, of which there are at most 8",
			Run: func(r *conformance.Run) {
				reply := evenUnset(r, r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: ctap.GetPINRetries}))
				if reply.Want(ctap.OK).Status != ctap.OK {
					return
				}
				n := reply.Only(3, 4).Uint(3)
				r.Require(n <= maxTries, "pinRetries is %d", n)
			},
		},
		conformance.Case{
			ID: "clientpin.retries.no-protocol", Rule: conformance.Since21("6.5.5.2"), Needs: []conformance.Need{conformance.CanPIN()},
			Why: "getPINRetries needs no pinUvAuthProtocol",
			Run: func(r *conformance.Run) {
				evenUnset(r, r.Send(ctap.ClientPIN, conformance.M{2: ctap.GetPINRetries})).
					Tolerate(conformance.Deviates("CTAP 2.0 requires pinUvAuthProtocol with every subcommand", ctap.ErrMissingParameter)).OK()
			},
		},
		spends("told", "6.5.5.2", "getPINRetries says how many tries are left after wrong PINs", func(r *conformance.Run, all uint) {
			miss(r)
			left(r, all-1)
			miss(r)
			left(r, all-2)
		}),
		spends("counted", "6.5.5.6", "every wrong PIN is CTAP2_ERR_PIN_INVALID and costs a try", func(r *conformance.Run, all uint) {
			miss(r)
			miss(r)
			left(r, all-2)
		}),
		spends("restored", "6.5.5.6", "the right PIN gives all tries back", func(r *conformance.Run, all uint) {
			miss(r)
			miss(r)
			hit(r).OK()
			left(r, all)
		}),
		spends("power-cycle", "6.5.5.6", "a power cycle gives no tries back", func(r *conformance.Run, all uint) {
			miss(r)
			r.PowerCycle()
			left(r, all-1)
			hit(r).OK()
			left(r, all)
		}),
		spends("not-decrypted", "6.5.5.6", "a pinHashEnc that holds more than a PIN's hash is a wrong PIN", func(r *conformance.Run, all uint) {
			s := r.Agree(r.Protocol())
			enc := s.Encrypt(append(conformance.HashPIN(r.PIN()), make([]byte, 16)...))
			reply := r.Send(ctap.ClientPIN, asks(r, s, r.PIN()).With(6, enc))
			if reply.Tolerate(conformance.Deviates("some keys look at the length first", ctap.ErrInvalidParameter, ctap.ErrInvalidLength)).
				Want(ctap.ErrPINInvalid).Status == ctap.ErrPINInvalid {
				left(r, all-1)
			}
		}),
	), bothCount())
}

// bothCount has the protocols share one count.
func bothCount() []conformance.Case {
	return conformance.BothProtocols(conformance.Case{
		ID: "clientpin.retries.shared", Rule: conformance.Since20("6.5.5.6"), Start: conformance.WithPIN, Destructive: true, Needs: ceremoniesByPIN,
		Why: "every protocol counts the same tries",
	}, func(r *conformance.Run, p pinuv.Protocol) {
		all, _ := r.PINRetries()
		enter(r, p, conformance.WrongPIN).Want(ctap.ErrPINInvalid)
		left(r, all-1)
	})
}

// threeWrong sends three wrong PINs in a row.
func threeWrong(r *conformance.Run) {
	miss(r)
	miss(r)
	enter(r, r.Protocol(), conformance.WrongPIN).Want(ctap.ErrPINAuthBlocked)
}

// latch is about three wrong PINs in a row, after which only a power cycle helps.
func latch() []conformance.Case {
	const section = "6.5.5.6"
	return conformance.One(
		spends("latch.third", section, "the third wrong PIN in a row is CTAP2_ERR_PIN_AUTH_BLOCKED", func(r *conformance.Run, all uint) {
			threeWrong(r)
			left(r, all-3)
		}),
		spends("latch.right-pin", section, "after three wrong PINs in a row not even the right one is taken", func(r *conformance.Run, _ uint) {
			threeWrong(r)
			hit(r).Want(ctap.ErrPINAuthBlocked)
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(r.PIN(), fresh)).Want(ctap.ErrPINAuthBlocked)
		}),
		spends("latch.costs-nothing", section, "while a power cycle is needed, PINs cost no tries", func(r *conformance.Run, all uint) {
			threeWrong(r)
			for range 3 {
				enter(r, r.Protocol(), conformance.WrongPIN).Want(ctap.ErrPINAuthBlocked)
			}
			left(r, all-3)
		}),
		spends("latch.told", "6.5.5.2", "powerCycleState says whether a power cycle is needed", func(r *conformance.Run, _ uint) {
			_, needed := r.PINRetries()
			r.Require(!needed, "powerCycleState is true, where no PIN was sent")
			threeWrong(r)
			reply := r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: ctap.GetPINRetries}).OK()
			state, there := reply.Members()[4]
			if !there {
				r.Tolerate("powerCycleState is optional (section 6.5.5.2)", "it has no powerCycleState")
				return
			}
			conformance.Equal(r, "powerCycleState", fmt.Sprintf("%x", []byte(state)), "f5")
			r.PowerCycle()
			_, needed = r.PINRetries()
			r.Require(!needed, "powerCycleState is true after a power cycle")
		}),
	)
}

// latchEnds is about what ends that, and what counts for it.
func latchEnds() []conformance.Case {
	const section = "6.5.5.6"
	return conformance.One(
		spends("latch.power-cycle", section, "after a power cycle the right PIN is taken again", func(r *conformance.Run, all uint) {
			threeWrong(r)
			r.PowerCycle()
			hit(r).OK()
			left(r, all)
		}),
		spends("latch.new-connection", section, "another connection is no power cycle", func(r *conformance.Run, _ uint) {
			threeWrong(r)
			r.Raw().Close()
			hit(r).Want(ctap.ErrPINAuthBlocked)
		}),
		spends("latch.in-a-row", section, "only wrong PINs in a row count for it: the right one between begins anew", func(r *conformance.Run, _ uint) {
			miss(r)
			miss(r)
			hit(r).OK()
			miss(r)
			miss(r)
			hit(r).OK()
		}),
		spends("latch.change-pin", section, "wrong PINs in changePIN count for it, too", func(r *conformance.Run, all uint) {
			miss(r)
			change := func() *conformance.Reply {
				return r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(conformance.WrongPIN, fresh))
			}
			change().Want(ctap.ErrPINInvalid)
			change().Want(ctap.ErrPINAuthBlocked)
			left(r, all-3)
		}),
	)
}

// exhaust spends all tries, with a power cycle wherever one is needed.
func exhaust(r *conformance.Run, all uint) {
	for n := all; n > 1; n-- {
		reply := enter(r, r.Protocol(), conformance.WrongPIN)
		if (all-n)%3 == 2 {
			reply.Want(ctap.ErrPINAuthBlocked)
			r.PowerCycle()
		} else {
			reply.Want(ctap.ErrPINInvalid)
		}
		left(r, n-1)
	}
	enter(r, r.Protocol(), conformance.WrongPIN).Want(ctap.ErrPINBlocked)
	left(r, 0)
}

// blocked is about no tries being left, after which only a reset helps.
func blocked() []conformance.Case {
	const section = "6.5.5.6"
	return conformance.One(
		spends("blocked", section, "when no try is left, every PIN is CTAP2_ERR_PIN_BLOCKED, the right one, too", func(r *conformance.Run, all uint) {
			exhaust(r, all)
			hit(r).Want(ctap.ErrPINBlocked)
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(r.PIN(), fresh)).Want(ctap.ErrPINBlocked)
		}),
		spends("blocked.power-cycle", section, "when no try is left, a power cycle does not help", func(r *conformance.Run, all uint) {
			exhaust(r, all)
			r.PowerCycle()
			left(r, 0)
			hit(r).Want(ctap.ErrPINBlocked)
		}),
		spends("blocked.set-pin", section, "when no try is left, the PIN cannot be set anew", func(r *conformance.Run, all uint) {
			exhaust(r, all)
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).SetPINParams(fresh)).Want(ctap.ErrPINAuthInvalid, ctap.ErrPINBlocked)
			hit(r).Want(ctap.ErrPINBlocked)
		}),
		spends("blocked.first", section, "that no try is left is told before the key agreement key is looked at", func(r *conformance.Run, all uint) {
			exhaust(r, all)
			s := r.Agree(r.Protocol())
			m := asks(r, s, r.PIN()).With(3, bad(r, s))
			r.Send(ctap.ClientPIN, m).Tolerate(conformance.Deviates("CTAP 2.0 leaves the order open", ctap.ErrInvalidParameter)).Want(ctap.ErrPINBlocked)
		}),
	)
}
