package trace

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"
)

// The major types of RFC 8949, section 3.1.
const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// maxDepth is how deep data items may nest; CTAP allows 4.
const maxDepth = 16

// node is one data item, as much of it as could be read.
type node struct {
	major byte
	arg   uint64 // value, length or tag; for majorSimple the bits behind the head
	info  byte   // the low five bits of the head
	str   []byte // of majorBytes and majorText
	items []node // elements; of a map keys and values in turn; of a tag its content
	raw   []byte // the encoding
	err   error  // why reading stopped within the item, nil when it is whole
}

// reader reads data items; what it cannot read it leaves.
type reader struct {
	b   []byte
	pos int
}

// parse reads one data item and returns what is behind it.
func parse(b []byte) (n node, rest []byte) {
	r := reader{b: b}
	n = r.item(0)
	return n, b[r.pos:]
}

func (r *reader) fail(n *node, format string, args ...any) {
	n.err = fmt.Errorf("byte %d: %s", r.pos, fmt.Sprintf(format, args...))
}

func (r *reader) item(depth int) (n node) {
	start := r.pos
	defer func() { n.raw = r.b[start:r.pos] }()
	if depth > maxDepth {
		r.fail(&n, "nested deeper than %d", maxDepth)
		return n
	}
	indefinite := r.head(&n)
	if n.err != nil {
		return n
	}
	switch n.major {
	case majorBytes, majorText:
		r.str(&n, indefinite)
	case majorArray, majorMap, majorTag:
		r.nested(&n, indefinite, depth)
	}
	return n
}

// head reads the initial byte and its argument.
func (r *reader) head(n *node) (indefinite bool) {
	if r.pos >= len(r.b) {
		r.fail(n, "a data item is missing")
		return false
	}
	first := r.b[r.pos]
	n.major, n.info = first>>5, first&0x1F
	size := 0
	switch {
	case n.info < 24:
		n.arg = uint64(n.info)
	case n.info < 28:
		size = 1 << (n.info - 24)
	case n.info == 31 && n.major >= majorBytes && n.major <= majorMap:
		indefinite = true
	default:
		r.fail(n, "0x%02x begins no data item", first)
		return false
	}
	if len(r.b)-r.pos-1 < size {
		r.fail(n, "cut short")
		return false
	}
	var wide [8]byte
	copy(wide[8-size:], r.b[r.pos+1:r.pos+1+size])
	if size > 0 {
		n.arg = binary.BigEndian.Uint64(wide[:])
	}
	r.pos += 1 + size
	return indefinite
}

// str reads the content of a string; one of indefinite length is its chunks.
func (r *reader) str(n *node, indefinite bool) {
	if indefinite {
		for !r.atBreak() && n.err == nil {
			chunk := r.item(maxDepth)
			n.str, n.err = append(n.str, chunk.str...), chunk.err
		}
		return
	}
	left := r.b[r.pos:]
	if n.arg > uint64(len(left)) {
		r.fail(n, "%d bytes announced, %d there", n.arg, len(left))
		n.str = left
		r.pos = len(r.b)
		return
	}
	n.str = left[:n.arg]
	r.pos += int(n.arg)
}

// atBreak steps over a break.
func (r *reader) atBreak() bool {
	if r.pos < len(r.b) && r.b[r.pos] == 0xFF {
		r.pos++
		return true
	}
	return false
}

func (r *reader) nested(n *node, indefinite bool, depth int) {
	count := n.arg
	switch {
	case n.major == majorTag:
		count = 1
	case indefinite:
		count = math.MaxUint64
	case n.major == majorMap && count < math.MaxUint64/2:
		count *= 2
	}
	for i := uint64(0); i < count; i++ {
		if indefinite && r.atBreak() {
			if n.major == majorMap && i%2 == 1 {
				r.fail(n, "a key without a value")
			}
			return
		}
		item := r.item(depth + 1)
		if len(item.raw) > 0 {
			n.items = append(n.items, item)
		}
		if item.err != nil {
			n.err = item.err
			return
		}
	}
}

// told tells whether the reason why n stopped is told by its last item.
func (n node) told() bool {
	return len(n.items) > 0 && n.items[len(n.items)-1].err != nil
}

// isInt tells whether n is an integer that fits, and which.
func (n node) isInt() (int64, bool) {
	if n.err != nil || n.major > majorNegative || n.arg > math.MaxInt64 {
		return 0, false
	}
	if n.major == majorNegative {
		return -1 - int64(n.arg), true
	}
	return int64(n.arg), true
}

// get returns the value of a map under an integer key.
func (n node) get(key int64) (node, bool) {
	for i := 0; n.major == majorMap && i+1 < len(n.items); i += 2 {
		if k, ok := n.items[i].isInt(); ok && k == key {
			return n.items[i+1], true
		}
	}
	return node{}, false
}

// maxDiagnostic is how much diagnostic notation is shown of one item.
const maxDiagnostic = 160

// diagnostic returns n in diagnostic notation, or in hexadecimal if it is
// malformed.
func (n node) diagnostic() string {
	if n.err != nil {
		return Bytes(n.raw)
	}
	s, err := cbor.Diagnose(n.raw)
	if err != nil {
		return Bytes(n.raw)
	}
	return shorten(s)
}

func shorten(s string) string {
	if r := []rune(s); len(r) > maxDiagnostic {
		return string(r[:maxDiagnostic]) + "…"
	}
	return s
}
