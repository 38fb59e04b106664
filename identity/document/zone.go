package document

import (
	"fmt"
	"strings"

	"fido-emu/identity/person"
)

// filler stands where a zone has nothing to say.
const filler = '<'

// The widths of zones.
const (
	td3Width = 44 // ICAO Doc 9303-4, section 4.2
	td1Width = 30 // ICAO Doc 9303-5, section 4.2
)

// CheckDigit returns the check digit of a text of digits, capitals and fillers: the
// weights are 7, 3, 1 (ICAO Doc 9303-3, section 4.9). Other characters count nothing.
func CheckDigit(text string) byte {
	sum := 0
	for i := range len(text) {
		v := 0
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}

// Zone returns the machine-readable zone of a document: two lines of 44 for passports
// (TD3), three of 30 for identity cards (TD1), none for driving licences. A name that
// cannot be transliterated is an error that says where to write it in Latin letters.
func Zone(d Data) ([]string, error) {
	primary, secondary, err := d.latin()
	if err != nil {
		return nil, err
	}
	number := pad(d.Number, 9)
	number += string(CheckDigit(number))
	birth := d.Birth.Six() + string(CheckDigit(d.Birth.Six()))
	expires := d.Expires.Six() + string(CheckDigit(d.Expires.Six()))
	sex := strings.ReplaceAll(d.Sex, "X", "<")
	switch d.Kind {
	case person.Passport:
		second := number + pad(d.Nationality, 3) + birth + sex + expires + pad("", 14) + "0"
		return []string{
			"P<" + pad(d.Issuer, 3) + names(primary, secondary, td3Width-5),
			second + string(CheckDigit(composite3(second))),
		}, nil
	case person.IdentityCard:
		first := "I<" + pad(d.Issuer, 3) + number + pad("", 15)
		second := birth + sex + expires + pad(d.Nationality, 3) + pad("", 11)
		return []string{first, second + string(CheckDigit(composite1(first, second))), names(primary, secondary, td1Width)}, nil
	}
	return nil, nil
}

// composite3 is what the last digit of a TD3 zone checks (9303-4, section 4.2.2):
// positions 1 to 10, 14 to 20 and 22 to 43 of its lower line.
func composite3(lower string) string { return lower[0:10] + lower[13:20] + lower[21:43] }

// composite1 is what the digit at the end of a TD1 zone's middle line checks (9303-5,
// section 4.2.2): 6 to 30 of the upper line; 1 to 7, 9 to 15 and 19 to 29 of the middle.
func composite1(upper, middle string) string {
	return upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29]
}

func pad(s string, width int) string {
	return (s + strings.Repeat(string(filler), width))[:width]
}

// names lays out both identifiers in a field. What is too long is cut so that the last
// position has a letter, which says that the name goes on (9303-4, section 4.2.3), and
// the secondary identifier keeps at least its first letter.
func names(primary, secondary string, width int) string {
	if secondary == "" {
		return pad(cut(primary, width), width)
	}
	if len(primary)+2+len(secondary) <= width {
		return pad(primary+"<<"+secondary, width)
	}
	primary = strings.TrimRight(cut(primary, width-3), "<")
	return pad(primary+"<<"+cut(secondary, width-2-len(primary)), width)
}

// cut shortens words between fillers to a width that ends in a letter. Where a filler
// would stand last, the word before gives up a letter for the first of the next.
func cut(words string, width int) string {
	if len(words) <= width {
		return words
	}
	if s := words[:width]; s[width-1] != filler || width < 3 {
		return s
	}
	return words[:width-2] + "<" + words[width:width+1]
}

// ZoneError is a check digit that does not fit.
type ZoneError struct {
	What       string // the field: document number, date of birth, date of expiry, composite
	Digit      byte
	Calculated byte
}

func (e ZoneError) Error() string {
	return fmt.Sprintf("check digit of the %s is %c, calculated %c", e.What, e.Digit, e.Calculated)
}

// ReadZone takes a zone apart: TD3 if it has two lines of 44, TD1 if three of 30. Wrong
// check digits are listed; other lines, and characters that a zone has not, are an error.
// Years of birth are those of the last century where the year would be after now's, two
// digits; of expiry, always of this one.
func ReadZone(lines []string, yearNow int) (Data, []ZoneError, error) {
	for _, l := range lines {
		if i := strings.IndexFunc(l, func(r rune) bool { return r != filler && (r < '0' || r > '9') && (r < 'A' || r > 'Z') }); i >= 0 {
			return Data{}, nil, fmt.Errorf("machine-readable zone: %q has a character that zones have not", l)
		}
	}
	var d Data
	var upperNumber, middle, nameField, wholeChecked string
	var composite byte
	switch {
	case len(lines) == 2 && len(lines[0]) == td3Width && len(lines[1]) == td3Width:
		lower := lines[1]
		d.Kind, nameField, upperNumber = person.Passport, lines[0][5:], lower[:10]
		middle, d.Nationality = lower[13:28], unpad(lower[10:13])
		wholeChecked, composite = composite3(lower), lower[43]
	case len(lines) == 3 && len(lines[0]) == td1Width && len(lines[1]) == td1Width && len(lines[2]) == td1Width:
		d.Kind, nameField, upperNumber = person.IdentityCard, lines[2], lines[0][5:15]
		middle, d.Nationality = lines[1][:15], unpad(lines[1][15:18])
		wholeChecked, composite = composite1(lines[0], lines[1]), lines[1][29]
	default:
		return Data{}, nil, fmt.Errorf("machine-readable zone: neither two lines of %d nor three of %d characters", td3Width, td1Width)
	}
	d.Issuer, d.Number = unpad(lines[0][2:5]), unpad(upperNumber[:9])
	d.Birth, d.Expires = longDate(middle[:6], yearNow), longDate(middle[8:14], 99)
	d.Sex = strings.ReplaceAll(middle[7:8], "<", "X")
	d.Family, d.Given = splitNames(nameField)
	var wrong []ZoneError
	check := func(what, text string, digit byte) {
		if c := CheckDigit(text); c != digit {
			wrong = append(wrong, ZoneError{what, digit, c})
		}
	}
	check("document number", upperNumber[:9], upperNumber[9])
	check("date of birth", middle[:6], middle[6])
	check("date of expiry", middle[8:14], middle[14])
	check("composite", wholeChecked, composite)
	return d, wrong, nil
}

func unpad(s string) string { return strings.TrimRight(s, "<") }

func splitNames(field string) (primary, secondary string) {
	primary, secondary, _ = strings.Cut(strings.TrimRight(field, "<"), "<<")
	return strings.ReplaceAll(primary, "<", " "), strings.ReplaceAll(secondary, "<", " ")
}

// longDate writes YYMMDD out. Years after lastOfThis are those of the last century.
func longDate(six string, lastOfThis int) person.Date {
	var year int
	if _, err := fmt.Sscanf(six[:2], "%2d", &year); err != nil {
		return ""
	}
	year += 2000
	if year > 2000+lastOfThis%100 {
		year -= 100
	}
	return person.Date(fmt.Sprintf("%04d-%s-%s", year, six[2:4], six[4:6]))
}
