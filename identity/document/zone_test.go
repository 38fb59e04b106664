package document

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/identity/person"
)

// utopian is the specimen of ICAO Doc 9303, parts 4 and 5, appendix B.
var utopian = Data{
	Kind: person.Passport, Issuer: "UTO", Number: "L898902C3", Family: "Eriksson", Given: "Anna Maria",
	Nationality: "UTO", Birth: "1974-08-12", Sex: "F", Expires: "2012-04-15",
}

func TestZoneOfTheSpecimens(t *testing.T) {
	card := utopian
	card.Kind, card.Number = person.IdentityCard, "D23145890"
	for name, test := range map[string]struct {
		data Data
		want []string
	}{
		// The specimen's passport has a personal number, ZE184226B, which is not used here.
		"TD3": {utopian, []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159<<<<<<<<<<<<<<08"}},
		"TD1": {card, []string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}},
	} {
		got, err := Zone(test.data)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q %v, want %q", name, got, err, test.want)
		}
	}
}

// The specimens as they are published, personal number and all.
func TestReadSpecimens(t *testing.T) {
	for name, lines := range map[string][]string{
		"TD3": {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
		"TD1": {"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
	} {
		d, wrong, err := ReadZone(lines, 2012)
		if err != nil || len(wrong) > 0 || d.Family != "ERIKSSON" || d.Given != "ANNA MARIA" || d.Birth != "1974-08-12" || d.Expires != "2012-04-15" || d.Issuer != "UTO" {
			t.Errorf("%s: %+v %v %v", name, d, wrong, err)
		}
		lines[1] = "8" + lines[1][1:]
		if _, wrong, err := ReadZone(lines, 2012); err != nil || len(wrong) == 0 {
			t.Errorf("%s with another digit: %v %v", name, wrong, err)
		}
	}
	for _, lines := range [][]string{nil, {"P<"}, {strings.Repeat("a", 44), strings.Repeat("<", 44)}} {
		if _, _, err := ReadZone(lines, 2012); err == nil {
			t.Errorf("%q was read", lines)
		}
	}
}

// TestEveryCheckDigit: each is found by its name when it is another, in passports and cards.
func TestEveryCheckDigit(t *testing.T) {
	for _, c := range []struct {
		lines []string
		line  int
		at    map[string]int
	}{
		{[]string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159<<<<<<<<<<<<<<08"}, 1, map[string]int{"document number": 9, "date of birth": 19, "date of expiry": 27, "composite": 43}},
		{[]string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}, 0, map[string]int{"document number": 14}},
		{[]string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}, 1, map[string]int{"date of birth": 6, "date of expiry": 14, "composite": 29}},
	} {
		for what, at := range c.at {
			lines := slices.Clone(c.lines)
			lines[c.line] = lines[c.line][:at] + string('0'+(lines[c.line][at]-'0'+1)%10) + lines[c.line][at+1:]
			_, wrong, err := ReadZone(lines, 2026)
			if err != nil || !slices.ContainsFunc(wrong, func(e ZoneError) bool { return e.What == what }) {
				t.Errorf("%q: the %s is another: %v, %v", lines, what, wrong, err)
			}
		}
	}
}

// TestValid: from its issue to its last day, and not when it is stolen.
func TestValid(t *testing.T) {
	for _, c := range []struct {
		today, number string
		want          Code
	}{
		{"2020-01-01", "A1", ""}, {"2030-01-01", "A1", ""}, {"2019-12-31", "A1", DocumentTooEarly}, {"2030-01-02", "A1", DocumentExpired},
		{"2025-01-01", "S1", DocumentStolen}, {"2031-01-01", "", ""},
	} {
		s := &inspection{Inspector: &Inspector{
			Now:    func() time.Time { day, _ := time.Parse(time.DateOnly, c.today); return day },
			Stolen: func(_, number string) bool { return number == "S1" },
		}}
		s.Data = Data{Number: c.number, Issued: "2020-01-01", Expires: "2030-01-01"}
		s.valid()
		if got := len(s.Findings); (got == 0) != (c.want == "") || got > 0 && s.Findings[0].Code != c.want {
			t.Errorf("%s on %s: %v, want %q", c.number, c.today, s.Findings, c.want)
		}
	}
}

func TestNamesThatAreTooLong(t *testing.T) {
	for _, test := range []struct {
		primary, secondary, want string
		width                    int
	}{
		{"NILAVADHANANANDA", "CHAYAPA<DEJTHAMRONG<KRASUANG", "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", 39}, // 9303-4, section 4.2.3
		{"BENNELONG<WOOLOOMOOLOO<WARRANDYTE<WARNAMBOOL", "DINGO<POTOROO", "BENNELONG<WOOLOOMOOLOO<WARRANDYTE<WA<<D", 39},
		{"ARKFREITH", "", "ARKFREITH<<<", 12},
		{"ABCDEFGHIJKLM", "", "ABCDEFGHIJKL", 12},
		{"AB", "CDEFGH<IJ<K", "AB<<CDEFG<I", 11}, // would end in a filler
	} {
		if got := names(test.primary, test.secondary, test.width); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.primary, test.secondary, got, test.want)
		}
	}
}

func TestTransliterate(t *testing.T) {
	for _, test := range [][3]string{
		{"Müller-Strauß", "D", "MUELLER<STRAUSS"}, {"Søren Ærø", "DNK", "SOEREN<AEROE"}, {"Ørsted-Ågård", "DNK", "OERSTED<AAGAARD"},
		{"José Ángel", "ESP", "JOSE<ANGEL"}, {"Núñez", "ESP", "NUNEZ"}, {"O'Connor", "IRL", "OCONNOR"}, {"Олена", "UKR", "OLENA"},
		{"Горбачёв", "UTO", "GORBACHEV"}, {"Гринько", "UKR", "HRYNKO"}, {"Ştefan Țepeș", "UTO", "STEFAN<TEPES"}, {"Łukasz", "POL", "LUKASZ"},
		{"Zoe\u0308", "D", "ZOE"}, // decomposed
	} {
		if got, err := Transliterate(test[0], test[1]); err != nil || got != test[2] {
			t.Errorf("%s: %q %v, want %s", test[0], got, err, test[2])
		}
	}
	if _, err := Transliterate("张伟", "CHN"); err == nil || !strings.Contains(err.Error(), "under latin") {
		t.Errorf("Chinese: %v", err)
	}
}

// Every zone has its width, fitting check digits, and reads as it was written.
func TestZoneReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Data{
			Kind:   rapid.SampledFrom([]person.Kind{person.Passport, person.IdentityCard}).Draw(t, "kind"),
			Issuer: "UTO", Nationality: "D", Number: rapid.StringMatching(`[A-Z0-9]{1,9}`).Draw(t, "number"),
			Family: rapid.StringMatching(`[A-Z]{1,20}([ -][A-Z]{1,20}){0,3}`).Draw(t, "family"), Given: rapid.StringMatching(`([A-Z]{1,20}( [A-Z]{1,20}){0,3})?`).Draw(t, "given"),
			Birth: "1999-02-28", Sex: rapid.SampledFrom([]string{"F", "M", "X"}).Draw(t, "sex"), Expires: "2031-01-01",
		}
		lines, err := Zone(d)
		if err != nil {
			t.Fatal(err)
		}
		got, wrong, err := ReadZone(lines, 2026)
		if err != nil || len(wrong) > 0 {
			t.Fatalf("%q: %v %v", lines, wrong, err)
		}
		if got.Number != d.Number || got.Birth != d.Birth || got.Expires != d.Expires || got.Sex != d.Sex || got.Nationality != "D" || (got.Given == "") != (d.Given == "") {
			t.Fatalf("%q: %+v", lines, got)
		}
	})
}

func TestGlyphsAreFarApart(t *testing.T) {
	for i := range alphabet {
		for j := range i {
			if d := glyphOf(alphabet[i]).distance(glyphOf(alphabet[j])); d < 3 {
				t.Errorf("%c and %c differ by %d pixels", alphabet[i], alphabet[j], d)
			}
		}
	}
}

func FuzzReadZone(f *testing.F) {
	f.Add("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10")
	f.Fuzz(func(t *testing.T, s string) {
		if d, _, err := ReadZone(strings.Split(s, "\n"), 2026); err == nil && d.Kind == "" {
			t.Error("read without a kind")
		}
	})
}
