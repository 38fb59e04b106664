package trace

import (
	"encoding/hex"
	"fmt"
	"strings"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// A show turns a data item into what a field shows of it. Each takes any item: one
// of another type than the specification's is shown as it is.
type show func(node) (value string, fields []Field)

// wholeBytes is the longest byte string that is shown whole.
const wholeBytes = 32

// Bytes returns b in hexadecimal with its length, the middle of a long one left
// out: "0a1b2c… (64 bytes)".
func Bytes(b []byte) string {
	switch {
	case len(b) == 0:
		return "(0 bytes)"
	case len(b) == 1:
		return hex.EncodeToString(b) + " (1 byte)"
	case len(b) <= wholeBytes:
		return fmt.Sprintf("%x (%d bytes)", b, len(b))
	}
	return fmt.Sprintf("%x…%x (%d bytes)", b[:wholeBytes-8], b[len(b)-4:], len(b))
}

// field shows n under name, and why n could not be read to its end.
func (s show) field(name string, n node) Field {
	value, fields := s(n)
	f := Field{Name: name, Value: value, Fields: fields}
	if n.err != nil && n.major != majorArray && n.major != majorMap {
		f.Fields = append(f.Fields, malformed(n.err))
	}
	return f
}

func malformed(err error) Field { return Field{Name: "malformed", Value: err.Error()} }

// plain shows an item by its type alone.
func plain(n node) (string, []Field) {
	switch n.major {
	case majorBytes:
		return Bytes(n.str), nil
	case majorText:
		return text(n.str), nil
	case majorArray:
		return list(plain)(n)
	case majorMap:
		return members(nil)(n)
	}
	return n.diagnostic(), nil
}

// text shows a string as it is, or quoted where quotes tell more.
func text(b []byte) string {
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	if s == "" {
		return `""`
	}
	return shorten(s)
}

// list shows an array: scalars in one line, others one by one.
func list(element show) show {
	return func(n node) (string, []Field) {
		if n.major != majorArray {
			return plain(n)
		}
		var fields []Field
		var line []string
		flat := true
		for i, item := range n.items {
			f := element.field(fmt.Sprintf("[%d]", i), item)
			fields = append(fields, f)
			line = append(line, f.Value)
			flat = flat && f.Fields == nil
		}
		if flat && n.err == nil {
			return lineOr(line, "[]"), nil
		}
		if n.err != nil && !n.told() {
			fields = append(fields, malformed(n.err))
		}
		return "", fields
	}
}

func lineOr(parts []string, empty string) string {
	if len(parts) == 0 {
		return empty
	}
	return strings.Join(parts, ", ")
}

// options shows a map of scalars in one line: "rk=true uv=false".
func options(n node) (string, []Field) {
	value, fields := members(nil)(n)
	var parts []string
	for _, f := range fields {
		if f.Fields != nil || f.Name == "malformed" {
			return value, fields
		}
		parts = append(parts, f.Name+"="+f.Value)
	}
	if parts == nil {
		return value, nil
	}
	return strings.Join(parts, " "), nil
}

// enum shows an integer by name: "changePIN (4)".
func enum(names map[int64]string) show {
	return func(n node) (string, []Field) {
		if v, ok := n.isInt(); ok {
			if name, known := names[v]; known {
				return fmt.Sprintf("%s (%d)", name, v), nil
			}
		}
		return plain(n)
	}
}

// bits shows an integer by the names of its bits: "mc ga (0x03)".
func bits(names ...string) show {
	return func(n node) (string, []Field) {
		v, ok := n.isInt()
		if !ok || v < 0 {
			return plain(n)
		}
		var set []string
		for i := range 63 {
			switch {
			case v>>i&1 == 0:
			case i < len(names):
				set = append(set, names[i])
			default:
				set = append(set, fmt.Sprintf("bit %d", i))
			}
		}
		return fmt.Sprintf("%s (0x%02x)", lineOr([]string{strings.Join(set, " ")}, ""), v), nil
	}
}

// algorithm shows a COSE algorithm: "ES256 (-7)".
func algorithm(n node) (string, []Field) {
	v, ok := n.isInt()
	if !ok || v < -1<<31 || v > 1<<31-1 {
		return plain(n)
	}
	name := cose.Algorithm(v).String()
	if strings.HasPrefix(name, "COSE") {
		return name, nil
	}
	return fmt.Sprintf("%s (%d)", name, v), nil
}

// parameters shows a PublicKeyCredentialParameters in one line.
func parameters(n node) (string, []Field) {
	if n.major != majorMap || n.err != nil || len(n.items) != 4 {
		return named(map[string]show{"alg": algorithm})(n)
	}
	value, fields := named(map[string]show{"alg": algorithm})(n)
	if len(fields) == 2 && fields[0].Name == "alg" && fields[1].Value == ctap.PublicKeyCredential {
		return fields[0].Value, nil
	}
	return value, fields
}

// aaguid shows 16 bytes in the form with dashes.
func aaguid(n node) (string, []Field) {
	if n.major == majorBytes && len(n.str) == 16 {
		return ctap.AAGUID(n.str).String(), nil
	}
	return plain(n)
}
