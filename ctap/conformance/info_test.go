package conformance_test

import (
	"bytes"
	"strings"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// What of getInfo cannot be read is told by the cases that need it, and by no others.
func TestInfoThatCannotBeRead(t *testing.T) {
	rk := conformance.Case{ID: "try.rk", Rule: conformance.Since20("6"), Why: "rk", Needs: []conformance.Need{conformance.Option("rk")}, Run: func(*conformance.Run) {}}
	later := conformance.Case{ID: "try.new", Rule: conformance.Since21("6"), Why: "new", Run: func(*conformance.Run) {}}
	whatever := plain("any", func(r *conformance.Run) { r.Send(ctap.Selection, nil).Want(ctap.ErrOperationDenied) })
	info := plain("info", func(r *conformance.Run) { r.Info() })
	cases := []conformance.Case{rk, later, whatever, info}
	for _, c := range []struct {
		name   string
		answer string
		want   string // the first letters of the outcomes
		says   string
	}{
		{"as it should be", "\x00\xa2\x01\x81\x68FIDO_2_1\x04\xa1\x62rk\xf5", "pppp", ""},
		{"a byte behind it", "\x00\xa2\x01\x81\x68FIDO_2_1\x04\xa1\x62rk\xf5\x00", "pppp", ""},
		{"of indefinite length", "\x00\xbf\x01\x81\x68FIDO_2_1\x04\xa1\x62rk\xf5\xff", "pppp", ""},
		{"an option that is a number", "\x00\xa2\x01\x81\x68FIDO_2_1\x04\xa2\x62rk\x01\x62up\xf5", "nppp", "option rk"},
		{"a member of another type", "\x00\xa2\x01\x68FIDO_2_1\x04\xa1\x62rk\xf5", "pnpp", "versions"},
		{"no map", "\x00\x61a", "nnpf", "6161"},
		{"nothing", "\x00", "nnpf", "cannot be read"},
		{"an error", "\x7f", "nnpf", "CTAP1_ERR_OTHER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &scripted{answer: denies, info: []byte(c.answer)}
			report := execute(t, s, conformance.Options{}, cases...)
			var got, lines bytes.Buffer
			for i := range report.Results {
				got.WriteString(string(report.Results[i].Outcome[:1]))
				if err := conformance.WriteResult(&lines, &report.Results[i]); err != nil {
					t.Fatal(err)
				}
			}
			if got.String() != c.want || !strings.Contains(lines.String(), c.says) {
				t.Errorf("%s, want %s with %q: %s", got.String(), c.want, c.says, lines.String())
			}
		})
	}
}
