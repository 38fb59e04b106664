package descriptor_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"fido-emu/hid/descriptor"
)

// keyboard is the descriptor of a boot keyboard (HID 1.11, appendix B.1).
const keyboard = "05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503910395067508150025650507190029658100c0"

const fido = "06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0"

func TestParse(t *testing.T) {
	both := descriptor.Reports{Input: 64, Output: 64}
	for _, c := range []struct {
		name, hex string
		want      descriptor.Reports
		err       error
	}{
		{"as printed", fido, both, nil},
		{"after a keyboard", keyboard + fido, both, nil},
		{"usage with its own page", "0b0100d0f1a101 7508 9540 8102 9102 c0", both, nil},
		{"page pushed and popped", "06d0f1 a4 0501 b4 0901 a101 7508 9540 8102 9102 c0", both, nil},
		{"two fields", "06d0f1 0901 a101 7508 951f 8102 9521 8102 9540 9102 c0", both, nil},
		{"long item", "fe0210aabb" + fido, both, nil},
		{"numbered", "06d0f1 0901 a101 8503 7508 953f 8102 8504 9510 9102 c0", descriptor.Reports{Input: 63, Output: 16, Numbered: true, InputID: 3, OutputID: 4}, nil},
		{"second report of the same kind", "06d0f1 0901 a101 8501 7508 9540 8102 9102 8502 8102 c0", descriptor.Reports{Input: 64, Output: 64, Numbered: true, InputID: 1, OutputID: 1}, nil},
		{"collection inside", "06d0f1 0901 a101 0902 a100 7508 9540 8102 c0 9102 c0", both, nil},
		{"empty", "", descriptor.Reports{}, descriptor.ErrNotFIDO},
		{"keyboard alone", keyboard, descriptor.Reports{}, descriptor.ErrNotFIDO},
		{"FIDO usage not at the top", "0501 0906 a101 06d0f1 0901 a101 7508 9540 8102 9102 c0 c0", descriptor.Reports{}, descriptor.ErrNotFIDO},
		{"another usage of the page", "06d0f1 0902 a101 7508 9540 8102 9102 c0", descriptor.Reports{}, descriptor.ErrNotFIDO},
		{"cut off", fido[:len(fido)-4], descriptor.Reports{}, descriptor.ErrMalformed},
		{"long item cut off", "fe05", descriptor.Reports{}, descriptor.ErrMalformed},
		{"collection not ended", fido[:len(fido)-2], descriptor.Reports{}, descriptor.ErrMalformed},
		{"ended twice", fido + "c0", descriptor.Reports{}, descriptor.ErrMalformed},
		{"pop without push", "b4" + fido, descriptor.Reports{}, descriptor.ErrMalformed},
		{"pushed too often", "a4a4a4a4a4" + fido, descriptor.Reports{}, descriptor.ErrMalformed},
		{"no output", "06d0f1 0901 a101 7508 9540 8102 c0", descriptor.Reports{}, descriptor.ErrMalformed},
		{"report number 0", "06d0f1 0901 a101 8500 c0", descriptor.Reports{}, descriptor.ErrMalformed},
		{"report of gigabytes", "06d0f1 0901 a101 77ffffffff 97ffffffff 8102 9102 c0", descriptor.Reports{}, descriptor.ErrMalformed},
		{"longer than any", strings.Repeat("05", 4097), descriptor.Reports{}, descriptor.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			got, err := descriptor.Parse(d)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("Parse = %+v, %v; want %+v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestFIDO(t *testing.T) {
	if got := hex.EncodeToString(descriptor.FIDO(64)); got != fido {
		t.Errorf("FIDO(64) = %s, want %s", got, fido)
	}
	if got, err := descriptor.Parse(descriptor.FIDO(8)); err != nil || got.Input != 8 || got.Output != 8 {
		t.Errorf("Parse(FIDO(8)) = %+v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(descriptor.FIDO(64))
	f.Add([]byte{0xfe, 2, 0, 0, 0, 0xa4, 0xb4})
	f.Fuzz(func(t *testing.T, d []byte) {
		r, err := descriptor.Parse(d)
		if (err == nil) != (r.Input > 0 && r.Input <= 1024 && r.Output > 0 && r.Output <= 1024) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
