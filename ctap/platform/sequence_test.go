package platform_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// pinModel is what an authenticator must remember of its PIN: section 6.5.1 and
// the steps of 6.5.5.6 and 6.5.5.7 that count tries.
type pinModel struct {
	pin   string
	left  uint // tries until it must be reset
	inRow uint // wrong PINs since the power came
}

// try is one PIN given, and the refusal that it must meet; OK for none.
func (m *pinModel) try(pin string) ctap.Status {
	switch {
	case m.pin == "":
		return ctap.ErrPINNotSet
	case m.left == 0:
		return ctap.ErrPINBlocked
	case m.inRow == 3:
		return ctap.ErrPINAuthBlocked
	case pin == m.pin:
		m.left, m.inRow = 8, 0
		return ctap.OK
	}
	m.left--
	m.inRow++
	switch {
	case m.left == 0:
		return ctap.ErrPINBlocked
	case m.inRow == 3:
		return ctap.ErrPINAuthBlocked
	}
	return ctap.ErrPINInvalid
}

func TestPINSequences(t *testing.T) {
	for name, p := range profiles() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				k, h := newKey(t, p)
				m := &pinModel{left: 8}
				pins := rapid.SampledFrom([]string{"1234", "5678", "пароль"})
				check := func(doing string, err error, want ctap.Status) {
					var got *platform.Refused
					if want == ctap.OK && err != nil || want != ctap.OK && (!errors.As(err, &got) || got.Status != want) {
						r.Fatalf("%s: %v, want %v", doing, err, want)
					}
				}
				r.Repeat(map[string]func(*rapid.T){
					"set": func(r *rapid.T) {
						pin := pins.Draw(r, "pin")
						if m.pin != "" {
							check("set a second time", h.SetPIN(t.Context(), pin), ctap.ErrPINAuthInvalid)
							return
						}
						check("set", h.SetPIN(t.Context(), pin), ctap.OK)
						m.pin = pin
					},
					"change": func(r *rapid.T) {
						old, pin := pins.Draw(r, "old"), pins.Draw(r, "new")
						want := m.try(old)
						check("change", h.ChangePIN(t.Context(), old, pin), want)
						if want == ctap.OK {
							m.pin = pin
						}
					},
					"token": func(r *rapid.T) {
						pin := pins.Draw(r, "pin")
						_, err := h.TokenUsingPIN(t.Context(), pin, need(ctap.PermGetAssertion))
						check("token", err, m.try(pin))
					},
					"power": func(*rapid.T) { k.PowerCycle(); m.inRow = 0 },
					"reset": func(*rapid.T) {
						k.PowerCycle()
						check("reset", h.Reset(t.Context()), ctap.OK)
						*m = pinModel{left: 8}
					},
					"": func(r *rapid.T) {
						got, err := h.PINRetries(t.Context())
						if err != nil || got.Left != m.left {
							r.Fatalf("%+v, %v, want %+v", got, err, m)
						}
					},
				})
			})
		})
	}
}
