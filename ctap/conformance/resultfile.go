package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteResult writes a result as a line of JSON.
func WriteResult(w io.Writer, r *Result) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// ReadResults reads what [WriteResult] wrote, by id; the last one of an id counts. A
// last line that was cut short is left out.
func ReadResults(r io.Reader) (map[string]Result, error) {
	results := map[string]Result{}
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, err
		}
		var result Result
		if err := json.Unmarshal(line, &result); err != nil || result.ID == "" {
			return nil, fmt.Errorf("line %d is no result of a conformance case: %w", n, err)
		}
		results[result.ID] = result
	}
}

// compareSections orders by document, and then by the numbers of the section.
func compareSections(a, b Coverage) int {
	if a.Document != b.Document {
		return strings.Compare(string(a.Document), string(b.Document))
	}
	as, bs := strings.Split(a.Section, "."), strings.Split(b.Section, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.Atoi(as[i])
		y, errY := strconv.Atoi(bs[i])
		switch {
		case errX == nil && errY == nil && x != y:
			return x - y
		case as[i] != bs[i] && (errX != nil || errY != nil):
			return strings.Compare(as[i], bs[i])
		}
	}
	return len(as) - len(bs)
}
