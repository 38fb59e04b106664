package recovery

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// spellings returns the ways to write a word in upper case: as it is, as a passport
// has it, and without diacritics.
func spellings(word string) []string {
	return []string{word, latin(word, passportLetters), latin(word, bareLetters)}
}

// latin replaces letters and then takes the marks off the Latin ones that have some.
func latin(word string, letters *strings.Replacer) string {
	bare := false
	return strings.Map(func(r rune) rune {
		if !unicode.Is(unicode.Mn, r) {
			bare = unicode.Is(unicode.Latin, r)
		} else if bare {
			return -1
		}
		return r
	}, norm.NFD.String(letters.Replace(word)))
}

// alike are Latin letters that no mark makes, and what stands for them in a
// passport and elsewhere (ICAO Doc 9303 part 3, section 6, table A).
var alike = []string{
	"Æ", "AE", "Œ", "OE", "ẞ", "SS", "ß", "SS", "Þ", "TH", "Ð", "D", "Đ", "D",
	"Ħ", "H", "Ł", "L", "Ŋ", "N", "Ŧ", "T", "ı", "I", "Ĳ", "IJ", "Ə", "E",
}

var (
	// passportLetters are the recommended transliterations: a passport writes Å as
	// AA and Ö as OE.
	passportLetters = strings.NewReplacer(append([]string{"Ä", "AE", "Ö", "OE", "Ü", "UE", "Å", "AA", "Ø", "OE"}, alike...)...)
	// bareLetters are those for which dropping the mark does not do.
	bareLetters = strings.NewReplacer(append([]string{"Ø", "O"}, alike...)...)
)
