package largeblobs

import (
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// writing is about whole arrays.
func writing() []conformance.Case {
	return conformance.One(
		as("set.read-back", "6.10.2", "what was written is read, byte for byte", func(w *writer) {
			array := w.array(300)
			w.write(array)
			w.holds(array)
		}),
		as("set.untouched", "6.10.2", "writing needs no touch, and answers with nothing", func(w *writer) {
			array := w.array(60)
			w.put(fragmentParams(array, 0, 60)).OK().Untouched().Empty()
		}),
		as("set.replaces", "6.10.2", "an array takes the place of the one before, also where it is shorter", func(w *writer) {
			w.write(w.array(400))
			array := w.array(90)
			w.write(array)
			w.holds(array)
		}),
		as("set.smallest", "6.10.2", "17 bytes, an empty array and its hash, can be written", func(w *writer) {
			w.write(w.array(200))
			w.write([]byte(initial))
			w.holds([]byte(initial))
		}),
		as("set.any-content", "6.10.2", "the authenticator does not look into the array: what is no CBOR is kept as well, if its hash is right", func(w *writer) {
			array := sealed(w.Bytes(70))
			w.write(array)
			w.holds(array)
		}),
		as("set.largest", "6.10.2", "an array of maxSerializedLargeBlobArray bytes can be written", func(w *writer) {
			array := w.array(w.capacity())
			w.write(array)
			w.holds(array)
		}),
		as("set.too-large", "6.10.2", "a larger one is CTAP2_ERR_LARGE_BLOB_STORAGE_FULL with its first fragment, and the old one stays", func(w *writer) {
			old := w.array(100)
			w.write(old)
			for _, n := range []uint{w.capacity() + 1, w.capacity() + 5000, 1 << 31} {
				m := conformance.M{set: make([]byte, 64), offset: uint(0), length: n}
				w.put(m).Want(ctap.ErrLargeBlobStorageFull)
			}
			w.holds(old)
		}),
		as("set.hash", "6.10.2", "an array whose hash is wrong is CTAP2_ERR_INTEGRITY_FAILURE, and the old one stays", func(w *writer) {
			old, array := w.array(100), w.array(120)
			w.write(old)
			for _, i := range []int{0, 50, 104, 119} {
				wrong := slices.Clone(array)
				wrong[i] ^= 1
				w.put(fragmentParams(wrong, 0, 120)).Want(ctap.ErrIntegrityFailure)
			}
			w.holds(old)
		}),
		as("set.hash-of-fragments", "6.10.2", "the hash is checked also where the array came in fragments", func(w *writer) {
			old, array := w.array(100), w.array(120)
			w.write(old)
			array[10] ^= 1
			w.put(fragmentParams(array, 0, 60)).OK()
			w.put(fragmentParams(array, 60, 120)).Want(ctap.ErrIntegrityFailure)
			w.holds(old)
		}),
	)
}

// sequences is about fragments.
func sequences() []conformance.Case {
	return conformance.One(
		as("fragments.many", "6.10.2", "an array can come in fragments, the last shorter than the others", func(w *writer) {
			array := w.array(250)
			w.writeBy(array, 40)
			w.holds(array)
		}),
		as("fragments.largest", "6.10.2", "a fragment of maxMsgSize - 64 bytes is taken", func(w *writer) {
			n := min(w.fragment(), w.capacity())
			array := w.array(n)
			w.put(fragmentParams(array, 0, n)).OK()
			w.holds(array)
		}),
		as("fragments.too-large", "6.10.2", "a longer fragment is CTAP1_ERR_INVALID_LENGTH", func(w *writer) {
			old := w.array(100)
			w.write(old)
			n := w.fragment() + 1
			array := sealed(make([]byte, max(n, 100)-hashSize))
			w.put(fragmentParams(array, 0, n)).Want(ctap.ErrInvalidLength)
			w.holds(old)
		}, conformance.When(func(i *ctap.Info) bool { return i.MaxSerializedLargeBlobArray > i.MaxMsgSize-64 }, "no array is longer than a fragment")),
		as("fragments.old-until-whole", "6.10.2", "until the last fragment is there, the old array is read, from the same connection as well", func(w *writer) {
			old, array := w.array(100), w.array(150)
			w.write(old)
			w.put(fragmentParams(array, 0, 80)).OK()
			w.holds(old)
			w.put(fragmentParams(array, 80, 150)).OK()
			w.holds(array)
		}),
		as("fragments.gap", "6.10.2", "a fragment that is not the next is CTAP1_ERR_INVALID_SEQ, and the old array stays", func(w *writer) {
			old, array := w.array(100), w.array(150)
			w.write(old)
			w.put(fragmentParams(array, 0, 50)).OK()
			w.put(fragmentParams(array, 60, 150)).Want(ctap.ErrInvalidSeq)
			w.holds(old)
		}),
		as("fragments.repeated", "6.10.2", "a fragment that was there already is CTAP1_ERR_INVALID_SEQ", func(w *writer) {
			array := w.array(150)
			w.put(fragmentParams(array, 0, 50)).OK()
			w.put(fragmentParams(array, 50, 100)).OK()
			w.put(fragmentParams(array, 50, 100)).Want(ctap.ErrInvalidSeq)
		}),
		as("fragments.without-first", "6.10.2", "a later fragment without a first is CTAP1_ERR_INVALID_SEQ", func(w *writer) {
			w.put(fragmentParams(w.array(150), 50, 150)).Want(ctap.ErrInvalidSeq)
		}),
		as("fragments.after-last", "6.10.2", "after the last fragment there is no more: CTAP1_ERR_INVALID_SEQ", func(w *writer) {
			array := w.array(100)
			w.write(array)
			w.put(conformance.M{set: make([]byte, 20), offset: uint(100)}).Want(ctap.ErrInvalidSeq)
			w.holds(array)
		}),
		as("fragments.overrun", "6.10.2", "a fragment that goes beyond length is CTAP1_ERR_INVALID_PARAMETER", func(w *writer) {
			old, array := w.array(100), w.array(150)
			w.write(old)
			w.put(fragmentParams(array, 0, 100)).OK()
			w.put(conformance.M{set: make([]byte, 51), offset: uint(100)}).Want(ctap.ErrInvalidParameter)
			w.put(conformance.M{set: array, offset: uint(0), length: 149}).Want(ctap.ErrInvalidParameter)
			w.holds(old)
		}),
		as("fragments.restart", "6.10.2", "a fragment at offset 0 begins again, whatever came before", func(w *writer) {
			first, second := w.array(150), w.array(130)
			w.put(fragmentParams(first, 0, 50)).OK()
			w.put(fragmentParams(second, 0, 50)).OK()
			w.put(fragmentParams(second, 50, 130)).OK()
			w.holds(second)
		}),
		with(conformance.Replug, as("fragments.power-cycle", "6.10.2", "a power cycle ends a write that is not whole: the next fragment is CTAP1_ERR_INVALID_SEQ", func(w *writer) {
			old, array := w.array(100), w.array(150)
			w.write(old)
			w.put(fragmentParams(array, 0, 80)).OK()
			w.PowerCycle()
			w.token = nil
			w.put(fragmentParams(array, 80, 150)).Want(ctap.ErrInvalidSeq)
			w.holds(old)
		})),
		as("fragments.channel", "6.10.2", "another CTAPHID channel does not go on with a write", otherChannel),
		as("fragments.another-command", "6.10.2", "another command between fragments leaves either a write that goes on or the old array, never half of both", func(w *writer) {
			old, array := w.array(100), w.array(150)
			w.write(old)
			w.put(fragmentParams(array, 0, 80)).OK()
			w.Send(ctap.GetInfo, nil).OK()
			if w.put(fragmentParams(array, 80, 150)).Want(ctap.OK, ctap.ErrInvalidSeq).Status == ctap.OK {
				w.holds(array)
				return
			}
			w.holds(old)
		}),
	)
}

// otherChannel sends the second fragment on another channel.
func otherChannel(w *writer) {
	old, array := w.array(100), w.array(150)
	w.write(old)
	first, second := w.Encode(w.sign(fragmentParams(array, 0, 80))), w.Encode(w.sign(fragmentParams(array, 80, 150)))
	raw := w.Raw()
	mine, other := raw.NewChannel(), raw.NewChannel()
	call := func(channel uint32, params []byte) []byte {
		return raw.Call(channel, hid.CBOR, append([]byte{byte(ctap.LargeBlobs)}, params...)).Payload
	}
	answer := call(mine, first)
	w.Require(len(answer) == 1 && answer[0] == byte(ctap.OK), "the first fragment is answered %x", answer)
	answer = call(other, second)
	w.Require(len(answer) == 1 && answer[0] == byte(ctap.ErrInvalidSeq), "the second fragment, on another channel, is answered %x, not CTAP1_ERR_INVALID_SEQ", answer)
	raw.Close()
	w.holds(old)
}

// lasting is about what ends an array, and what does not.
func lasting() []conformance.Case {
	return conformance.One(
		with(conformance.Replug, as("lasts.power-cycle", "6.10", "the array lasts over a power cycle", func(w *writer) {
			array := w.array(200)
			w.write(array)
			w.PowerCycle()
			w.holds(array)
		})),
		with(conformance.Replug|conformance.Touch|conformance.LongTouch, as("lasts.reset", "6.6", "a reset puts the array back to the initial one", func(w *writer) {
			w.write(w.array(200))
			w.PowerCycle()
			w.Plan(conformance.Touch)
			if long := w.Info().LongTouchForReset; long != nil && *long {
				w.Plan(conformance.LongTouch)
			}
			w.Send(ctap.Reset, nil).OK()
			w.holds([]byte(initial))
		})),
		as("lasts.pin-change", "6.10", "a change of the PIN leaves the array as it is", func(w *writer) {
			array := w.array(200)
			w.write(array)
			w.ChangePIN(w.PIN(), "8264-19375")
			w.holds(array)
		}),
		as("lasts.time", "6.10", "a write goes on after a pause within the life of its token", func(w *writer) {
			array := w.array(150)
			w.put(fragmentParams(array, 0, 80)).OK()
			w.Sleep(5 * time.Second)
			w.put(fragmentParams(array, 80, 150)).OK()
			w.holds(array)
		}),
	)
}
