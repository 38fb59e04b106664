package recovery

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The two levels of match confidence.
const (
	Exact   = "exact"   // first name as first name, last name as last name
	Relaxed = "relaxed" // word by word, across both fields
)

// Names are a first name or names and a last name or names. One may be empty: some
// people have one name.
type Names struct{ Given, Family string }

// Match tells whether the names of a Verified ID are those of an account.
//
// Exact: both fields are the same, letter for letter. How a letter is composed
// (Unicode NFC) and how many spaces stand between words does not count.
//
// Relaxed ("How relaxed matching works"): every word of the account's first name is
// a word of the Verified ID's first or last name, and so is every word of its last
// name. The Verified ID may have more words. Beyond what the document says:
//
//   - A word of the Verified ID stands for one word of the account.
//   - Words end at spaces and hyphens. Apostrophes and full stops do not count, nor
//     does case.
//   - A Latin letter with a diacritic is the same as what a passport writes for it
//     (ICAO Doc 9303 part 3, section 6), and as the letter without it: Müller is
//     Mueller and Muller, which are not each other. In other scripts a mark may be a
//     vowel or make another letter, and counts.
//   - An account with one name matches a Verified ID with one name only, in
//     whichever field. Otherwise "Maria" alone would be every Maria.
//   - Short forms (Jon for Jonathan) and initials never match.
func Match(confidence string, account, verified Names) bool {
	if account.empty() || verified.empty() {
		return false
	}
	if confidence == Relaxed {
		return relaxed(account, verified)
	}
	return plain(account.Given) == plain(verified.Given) && plain(account.Family) == plain(verified.Family)
}

func (n Names) empty() bool { return plain(n.Given) == "" && plain(n.Family) == "" }

// plain composes letters and makes every gap one space.
func plain(s string) string { return strings.Join(strings.Fields(norm.NFC.String(s)), " ") }

func relaxed(account, verified Names) bool {
	want := slices.Concat(words(account.Given), words(account.Family))
	have := slices.Concat(words(verified.Given), words(verified.Family))
	if len(words(account.Given)) == 0 || len(words(account.Family)) == 0 {
		return len(want) == 1 && len(have) == 1 && same(want[0], have[0])
	}
	return len(have) <= maxWords && assign(want, have)
}

// maxWords bounds the words of a Verified ID that are looked at, and so the cost of
// [assign].
const maxWords = 32

// assign tells whether every wanted word can have another one of those there are: a
// matching in a bipartite graph, grown along augmenting paths.
func assign(want, have []string) bool {
	taken := make([]int, len(have)) // by which wanted word, counted from 1; 0 for none
	for w := range want {
		if !place(w+1, want, have, taken, make([]bool, len(have))) {
			return false
		}
	}
	return true
}

// place finds a word for a wanted one, where need be by moving others.
func place(w int, want, have []string, taken []int, tried []bool) bool {
	for i := range have {
		if tried[i] || !same(want[w-1], have[i]) {
			continue
		}
		tried[i] = true
		if taken[i] == 0 || place(taken[i], want, have, taken, tried) {
			taken[i] = w
			return true
		}
	}
	return false
}

// words splits a name at spaces and hyphens and drops what does not count.
func words(name string) []string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("'’ʼ`´.", r):
			return -1
		case unicode.Is(unicode.Pd, r):
			return ' '
		}
		return r
	}, norm.NFC.String(name))
	return strings.Fields(strings.ToUpper(kept))
}

// same tells whether two words, in upper case, have a spelling in common.
func same(a, b string) bool {
	other := spellings(b)
	return slices.ContainsFunc(spellings(a), func(s string) bool { return slices.Contains(other, s) })
}
