package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// decodeJSON reads one JSON value; numbers stay as they were written.
func decodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("not JSON: more after the end")
	}
	return v, nil
}

// at returns what a JSON pointer (RFC 6901) points to, and whether it is there.
func at(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(pointer, "/")[1:] {
		token = unescape.Replace(token)
		switch in := v.(type) {
		case map[string]any:
			member, ok := in[token]
			if !ok {
				return nil, false
			}
			v = member
		case []any:
			i, err := strconv.ParseUint(token, 10, 31)
			if err != nil || int(i) >= len(in) || token != strconv.FormatUint(i, 10) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// checkPointer tells what is wrong with a JSON pointer.
func checkPointer(p string) error {
	if p != "" && !strings.HasPrefix(p, "/") {
		return fmt.Errorf("%q is no JSON pointer: it begins with /, as in /user/id", p)
	}
	for rest := p; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			return nil
		}
		if !strings.HasPrefix(after, "0") && !strings.HasPrefix(after, "1") {
			return fmt.Errorf("%q is no JSON pointer: ~ is written ~0, and / within a name ~1", p)
		}
		rest = after
	}
}
