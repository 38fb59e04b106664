package ctap

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// maxNesting is how deep maps and arrays of a message may nest (section 8).
const maxNesting = 4

// CheckCanonical reports whether b is exactly one data item in the CTAP2
// canonical CBOR encoding form (section 8): shortest integers and lengths,
// definite lengths, map keys sorted and without duplicates, no tags, at most four
// levels of maps and arrays, and nothing behind it. The error is
// ErrInvalidCBOR, or ErrCBORUnexpectedType for null and undefined, which are
// well formed but stand for nothing that a message holds.
func CheckCanonical(b []byte) error {
	c := checker{b: b}
	if err := c.item(0); err != nil {
		return err
	}
	if len(c.b) != 0 {
		return ErrInvalidCBOR
	}
	if c.null {
		return ErrCBORUnexpectedType
	}
	return nil
}

type checker struct {
	b    []byte // what is still unread
	null bool   // a null or undefined went by
}

// item reads one data item that stands below depth maps and arrays.
func (c *checker) item(depth int) error {
	major, arg, err := c.head()
	if err != nil {
		return err
	}
	switch major {
	case 0, 1, 7:
		return nil
	case 2, 3:
		return c.str(major, arg)
	case 4, 5:
		if depth == maxNesting {
			return ErrInvalidCBOR
		}
		if major == 4 {
			return c.array(arg, depth+1)
		}
		return c.pairs(arg, depth+1)
	}
	return ErrInvalidCBOR // a tag
}

// head reads an initial byte and its argument.
func (c *checker) head() (major byte, arg uint64, err error) {
	if len(c.b) == 0 {
		return 0, 0, ErrInvalidCBOR
	}
	major, info := c.b[0]>>5, c.b[0]&0x1F
	c.b = c.b[1:]
	if info < 24 {
		if major == 7 {
			return major, 0, c.simple(info)
		}
		return major, uint64(info), nil
	}
	if info > 27 { // reserved, or of indefinite length
		return 0, 0, ErrInvalidCBOR
	}
	size := 1 << (info - 24)
	if len(c.b) < size {
		return 0, 0, ErrInvalidCBOR
	}
	raw := c.b[:size]
	c.b = c.b[size:]
	if major == 7 { // floating point; the one-byte simple values are reserved
		if info == 24 {
			return 0, 0, ErrInvalidCBOR
		}
		return major, 0, nil
	}
	arg, shortest := argument(raw)
	if !shortest {
		return 0, 0, ErrInvalidCBOR
	}
	return major, arg, nil
}

// argument reads a 1, 2, 4 or 8 byte integer and tells whether a shorter form
// would not have done.
func argument(raw []byte) (v uint64, shortest bool) {
	switch len(raw) {
	case 1:
		return uint64(raw[0]), raw[0] >= 24
	case 2:
		v = uint64(binary.BigEndian.Uint16(raw))
		return v, v > 0xFF
	case 4:
		v = uint64(binary.BigEndian.Uint32(raw))
		return v, v > 0xFFFF
	}
	v = binary.BigEndian.Uint64(raw)
	return v, v > 0xFFFFFFFF
}

func (c *checker) simple(info byte) error {
	switch info {
	case 20, 21: // false, true
		return nil
	case 22, 23: // null, undefined
		c.null = true
		return nil
	}
	return ErrInvalidCBOR
}

func (c *checker) str(major byte, n uint64) error {
	if n > uint64(len(c.b)) {
		return ErrInvalidCBOR
	}
	s := c.b[:n]
	c.b = c.b[n:]
	if major == 3 && !utf8.Valid(s) {
		return ErrInvalidCBOR
	}
	return nil
}

func (c *checker) array(n uint64, depth int) error {
	if n > uint64(len(c.b)) {
		return ErrInvalidCBOR
	}
	for range n {
		if err := c.item(depth); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) pairs(n uint64, depth int) error {
	if n > uint64(len(c.b)) {
		return ErrInvalidCBOR
	}
	var last []byte
	for range n {
		start := c.b
		if err := c.item(depth); err != nil {
			return err
		}
		key := start[:len(start)-len(c.b)]
		if last != nil && !keyLess(last, key) {
			return ErrInvalidCBOR
		}
		last = key
		if err := c.item(depth); err != nil {
			return err
		}
	}
	return nil
}

// keyLess orders encoded map keys: by major type, then the shorter, then by
// bytes.
func keyLess(a, b []byte) bool {
	if am, bm := a[0]>>5, b[0]>>5; am != bm {
		return am < bm
	}
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return bytes.Compare(a, b) < 0
}
