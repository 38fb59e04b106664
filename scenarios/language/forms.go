package language

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"fido-emu/grammar"
)

var durationPart = regexp.MustCompile(`^\s*(\d{1,6})\s*([a-z]+)\s*`)

// ParseDuration reads durations as people write them: "10 minutes", "30 s",
// "1 hour 30 minutes", "90s", "2 days".
func ParseDuration(text string) (time.Duration, error) {
	var sum time.Duration
	rest := strings.ToLower(text)
	for first := true; first || rest != ""; first = false {
		m := durationPart.FindStringSubmatch(rest)
		if m == nil {
			return 0, fmt.Errorf("%q is no duration; write 10 minutes, 30 seconds, 2 days", grammar.Shorten(text))
		}
		unit := unitOf(m[2])
		if unit == 0 {
			return 0, fmt.Errorf("%q: no unit of time is called %q; write seconds, minutes, hours, days", grammar.Shorten(text), m[2])
		}
		n, _ := strconv.Atoi(m[1]) // at most six digits
		sum += time.Duration(n) * unit
		rest = rest[len(m[0]):]
	}
	if sum > 100*365*24*time.Hour || sum < 0 {
		return 0, fmt.Errorf("%q is longer than a hundred years", grammar.Shorten(text))
	}
	return sum, nil
}

func unitOf(name string) time.Duration {
	switch name {
	case "ms", "millisecond", "milliseconds":
		return time.Millisecond
	case "s", "second", "seconds":
		return time.Second
	case "m", "min", "minute", "minutes":
		return time.Minute
	case "h", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return 24 * time.Hour
	case "w", "week", "weeks":
		return 7 * 24 * time.Hour
	}
	return 0
}

func parseNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1e6 {
		return 0, fmt.Errorf("%q is no whole number from 0 to 1000000", grammar.Shorten(text))
	}
	return n, nil
}

// Comparison is a claim about a number.
type Comparison struct {
	op   string
	want uint64
}

// ParseComparison reads a number, or a number behind at least, at most, more
// than, less than or not, for which >=, <=, >, < and != stand too.
func ParseComparison(text string) (Comparison, error) {
	op, digits := "", strings.TrimSpace(text)
	for _, word := range []struct{ word, op string }{
		{"at least ", ">="}, {"at most ", "<="}, {"more than ", ">"}, {"less than ", "<"}, {"not ", "!="},
		{">=", ">="}, {"<=", "<="}, {"!=", "!="}, {">", ">"}, {"<", "<"},
	} {
		if rest, ok := strings.CutPrefix(digits, word.word); ok {
			op, digits = word.op, strings.TrimSpace(rest)
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return Comparison{}, fmt.Errorf("%q is neither a number nor a comparison such as at least 3", grammar.Shorten(text))
	}
	return Comparison{op, n}, nil
}

// Holds tells whether the claim is true of n.
func (c Comparison) Holds(n uint64) bool {
	switch c.op {
	case ">=":
		return n >= c.want
	case "<=":
		return n <= c.want
	case ">":
		return n > c.want
	case "<":
		return n < c.want
	case "!=":
		return n != c.want
	}
	return n == c.want
}

// Matcher is a pattern for reasons and texts.
type Matcher struct{ expr *regexp.Regexp }

// NewMatcher reads a pattern: text in which * stands for any characters and ? for
// one, or a regular expression between slashes. Case does not matter.
func NewMatcher(pattern string) (Matcher, error) {
	source := ""
	if inner, ok := strings.CutPrefix(pattern, "/"); ok && strings.HasSuffix(inner, "/") {
		source = "(?is)" + strings.TrimSuffix(inner, "/")
	} else {
		quoted := regexp.QuoteMeta(pattern)
		quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, ".*"), `\?`, ".")
		source = "(?is)^" + quoted + "$"
	}
	expr, err := regexp.Compile(source)
	if err != nil {
		return Matcher{}, fmt.Errorf("%q is no regular expression: %w", grammar.Shorten(pattern), err)
	}
	return Matcher{expr}, nil
}

// MatchAny tells whether the pattern fits one of the texts. The zero Matcher fits
// everything.
func (m Matcher) MatchAny(texts ...string) bool {
	if m.expr == nil {
		return true
	}
	for _, t := range texts {
		if m.expr.MatchString(t) {
			return true
		}
	}
	return false
}

func checkOrigin(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("no origin: " + grammar.Shorten(err.Error()))
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Path != "", u.RawQuery != "", u.Fragment != "", u.User != nil:
		return fmt.Errorf("%q is no origin; write scheme, host and port, as in https://login.example.com", grammar.Shorten(text))
	}
	return nil
}
