package attestation

import "testing"

func FuzzNone(f *testing.F)       { fuzzFormat(f, FormatNone) }
func FuzzPacked(f *testing.F)     { fuzzFormat(f, FormatPacked) }
func FuzzTPM(f *testing.F)        { fuzzFormat(f, FormatTPM) }
func FuzzAndroidKey(f *testing.F) { fuzzFormat(f, FormatAndroidKey) }
func FuzzU2F(f *testing.F)        { fuzzFormat(f, FormatU2F) }
func FuzzApple(f *testing.F)      { fuzzFormat(f, FormatApple) }
func FuzzCompound(f *testing.F)   { fuzzFormat(f, FormatCompound) }

// fuzzFormat begins with the vectors and with our own statements of a format, and
// with each as the member of a compound one. Nobody signed for a hash of zeros.
func fuzzFormat(f *testing.F, format string) {
	for _, s := range statements(f) {
		if s.Format == format {
			f.Add([]byte(s.Statement), s.AuthData)
		}
	}
	f.Fuzz(func(t *testing.T, statement, authData []byte) {
		r, err := Verify(format, statement, authData, make([]byte, 32))
		if err == nil && r.Type != None {
			t.Errorf("%s verifies over a hash that nobody signed", format)
		}
	})
}

func statements(f *testing.F) (all []object) {
	vectors, _ := readVectors(f)
	for _, v := range vectors {
		o, _ := v.open(f)
		all = append(all, o)
	}
	for _, m := range makers {
		keys := softKeys()
		maker, err := m.make(authority(f, 1), keys)
		if err != nil {
			f.Fatal(err)
		}
		r := credential(f, keys, m.alg, m.aaguid)
		format, statement, err := maker.Attest(r)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, object{format, statement, r.AuthData})
	}
	return all
}

func FuzzKeyDescription(f *testing.F) {
	d := &KeyDescription{Challenge: []byte{1}, Hardware: AuthorizationList{Purpose: []int{2}, Origin: []int{0}, AllApplications: true}}
	b, err := d.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ParseKeyDescription(b); err == nil {
			if _, err := d.Marshal(); err != nil {
				t.Error(err)
			}
		}
	})
}
