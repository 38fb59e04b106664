package document

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// latin returns both identifiers as a zone has them, with fillers between words.
func (d Data) latin() (primary, secondary string, err error) {
	if primary, err = latinOr(d.LatinFamily, d.Family, d.Issuer); err == nil {
		secondary, err = latinOr(d.LatinGiven, d.Given, d.Issuer)
	}
	return primary, secondary, err
}

// LatinNames returns given and family name as they are printed, or, where that is not in
// Latin letters, as the zone has them, with capitals at the beginning of words only.
func (d Data) LatinNames() (given, family string) {
	other := func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }
	if strings.IndexFunc(d.Name(), other) < 0 {
		return d.Given, d.Family
	}
	primary, secondary, err := d.latin()
	if err != nil { // no zone could have been made either
		return d.Given, d.Family
	}
	return capitalised(secondary), capitalised(primary)
}

func capitalised(words string) string {
	fields := strings.FieldsFunc(words, func(r rune) bool { return r == filler })
	for i, f := range fields {
		fields[i] = f[:1] + strings.ToLower(f[1:])
	}
	return strings.Join(fields, " ")
}

// latinOr prefers what the passport office wrote to the tables.
func latinOr(given, name, issuer string) (string, error) {
	if given != "" {
		name = given
	}
	return Transliterate(name, issuer)
}

// Transliterate writes a name as zones have it (ICAO Doc 9303-3, section 6): capitals
// from A to Z, fillers for spaces and hyphens, nothing for apostrophes. issuer matters
// where a table has several readings. Of the tables, those of Latin and Cyrillic
// letters are here; another letter is an error.
func Transliterate(name, issuer string) (string, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(norm.NFC.String(strings.TrimSpace(name))) {
		s, ok := letter(r, issuer)
		if !ok {
			return "", fmt.Errorf("the name %q has %q, for which there is no transliteration here: write the passport's own under latin", name, string(r))
		}
		b.WriteString(s)
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == filler }), string(filler)), nil
}

// letter transliterates a capital.
func letter(r rune, issuer string) (string, bool) {
	switch {
	case r >= 'A' && r <= 'Z':
		return string(r), true
	case r == ' ' || r == '-' || r == '\u00A0' || r == '‑':
		return string(filler), true
	case strings.ContainsRune("'’ʼ`.,", r):
		return "", true
	}
	if issuer == "UKR" {
		if s, ok := map[rune]string{'Г': "H", 'И': "Y"}[r]; ok {
			return s, true
		}
	}
	if s, ok := tables()[r]; ok {
		return s, true
	}
	base := []rune(norm.NFD.String(string(r)))
	if len(base) > 1 && base[0] >= 'A' && base[0] <= 'Z' && unicode.Is(unicode.Mn, base[1]) {
		return string(base[0]), true
	}
	return "", false
}

// tables are the letters of tables A and B that are not their base letter alone.
func tables() map[rune]string {
	return map[rune]string{
		'Ä': "AE", 'Å': "AA", 'Æ': "AE", 'Ð': "D", 'Đ': "D", 'Ħ': "H", 'Ĳ': "IJ", 'Ł': "L", 'Ŋ': "N", 'Ö': "OE", 'Ø': "OE", 'Œ': "OE",
		'Ŧ': "T", 'Ü': "UE", 'Þ': "TH", 'ß': "SS", 'ẞ': "SS", 'Ŀ': "L", 'ĸ': "Q", 'ŉ': "N",
		'А': "A", 'Б': "B", 'В': "V", 'Г': "G", 'Ґ': "G", 'Д': "D", 'Е': "E", 'Ё': "E", 'Є': "IE", 'Ж': "ZH", 'З': "Z", 'И': "I", 'І': "I", 'Ї': "I", 'Й': "I",
		'К': "K", 'Л': "L", 'М': "M", 'Н': "N", 'О': "O", 'П': "P", 'Р': "R", 'С': "S", 'Т': "T", 'У': "U", 'Ў': "U", 'Ф': "F", 'Х': "KH", 'Ц': "TS", 'Ч': "CH",
		'Ш': "SH", 'Щ': "SHCH", 'Ъ': "IE", 'Ы': "Y", 'Ь': "", 'Э': "E", 'Ю': "IU", 'Я': "IA",
	}
}
