package descriptor

import (
	"encoding/binary"
	"fmt"
)

// Item tags with the size bits cleared (HID 1.11, sections 6.2.2.4, 6.2.2.7, 6.2.2.8).
const (
	itemInput         = 0x80
	itemOutput        = 0x90
	itemCollection    = 0xa0
	itemEndCollection = 0xc0

	itemUsagePage   = 0x04
	itemReportSize  = 0x74
	itemReportID    = 0x84
	itemReportCount = 0x94
	itemPush        = 0xa4
	itemPop         = 0xb4

	itemUsage = 0x08

	itemLong = 0xfe // HID 1.11, section 6.2.2.3
)

// maxPushed bounds the stack of global items, as Linux does
// (HID_GLOBAL_STACK_SIZE).
const maxPushed = 4

// globals is the part of the item state table that Push saves (HID 1.11, section
// 6.2.2.7), as far as it matters here.
type globals struct {
	page        uint32
	size, count uint64 // of a field: bits, and how many
	id          byte
}

// parser is the state of a walk over a descriptor.
type parser struct {
	globals
	pushed  []globals
	usage   uint32 // the first usage since the last main item, with its page
	depth   int    // of open collections
	inFIDO  bool
	found   bool
	input   uint64 // bits
	output  uint64 // bits
	reports Reports
}

// Parse returns the reports of the first FIDO collection in a report descriptor. The
// error wraps ErrMalformed or is ErrNotFIDO.
func Parse(d []byte) (Reports, error) {
	if len(d) > MaxSize {
		return Reports{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrMalformed, len(d), MaxSize)
	}
	var p parser
	for at := 0; at < len(d); {
		tag, value, length, err := item(d[at:])
		if err != nil {
			return Reports{}, fmt.Errorf("%w: at byte %d: %w", ErrMalformed, at, err)
		}
		if err := p.take(tag, value, length-1); err != nil {
			return Reports{}, fmt.Errorf("%w: at byte %d: %w", ErrMalformed, at, err)
		}
		at += length
	}
	return p.finish()
}

// item reads the item at the start of d: its tag, its value, and its length with the
// prefix.
func item(d []byte) (tag byte, value uint32, length int, err error) {
	if d[0] == itemLong {
		if len(d) < 3 || len(d) < 3+int(d[1]) {
			return 0, 0, 0, fmt.Errorf("a long item is cut off")
		}
		return itemLong, 0, 3 + int(d[1]), nil
	}
	size := []int{0, 1, 2, 4}[d[0]&3]
	if len(d) < 1+size {
		return 0, 0, 0, fmt.Errorf("an item of %d bytes is cut off", size)
	}
	var four [4]byte
	copy(four[:], d[1:1+size])
	return d[0] &^ 3, binary.LittleEndian.Uint32(four[:]), 1 + size, nil
}

// take does what an item says; size is the length of its value in bytes.
func (p *parser) take(tag byte, value uint32, size int) error {
	switch tag {
	case itemUsagePage:
		p.page = value
	case itemReportSize:
		p.size = uint64(value)
	case itemReportCount:
		p.count = uint64(value)
	case itemReportID:
		return p.number(value)
	case itemPush:
		return p.push()
	case itemPop:
		return p.pop()
	case itemUsage:
		p.use(value, size)
	case itemInput, itemOutput, itemCollection, itemEndCollection:
		return p.main(tag)
	}
	return nil
}

func (p *parser) number(id uint32) error {
	if id == 0 || id > 255 {
		return fmt.Errorf("report number %d; allowed are 1 to 255", id)
	}
	p.id = byte(id)
	return nil
}

func (p *parser) push() error {
	if len(p.pushed) == maxPushed {
		return fmt.Errorf("more than %d items pushed", maxPushed)
	}
	p.pushed = append(p.pushed, p.globals)
	return nil
}

func (p *parser) pop() error {
	if len(p.pushed) == 0 {
		return fmt.Errorf("pop without push")
	}
	last := len(p.pushed) - 1
	p.globals, p.pushed = p.pushed[last], p.pushed[:last]
	return nil
}

// use remembers the first usage before a main item. A usage of four bytes carries
// its own page (HID 1.11, section 6.2.2.8).
func (p *parser) use(value uint32, size int) {
	if size < 4 {
		value |= p.page << 16
	}
	if p.usage == 0 {
		p.usage = value
	}
}

// main does what a main item says and forgets the local items.
func (p *parser) main(tag byte) error {
	usage := p.usage
	p.usage = 0
	switch tag {
	case itemCollection:
		if p.depth == 0 && !p.found && usage == usageCTAPHID {
			p.inFIDO, p.found = true, true
		}
		p.depth++
	case itemEndCollection:
		if p.depth == 0 {
			return fmt.Errorf("end of a collection that was not begun")
		}
		if p.depth--; p.depth == 0 {
			p.inFIDO = false
		}
	case itemInput:
		return p.field(&p.input, &p.reports.InputID)
	case itemOutput:
		return p.field(&p.output, &p.reports.OutputID)
	}
	return nil
}

// field adds a field to the first report of its kind in the FIDO collection.
func (p *parser) field(bits *uint64, id *byte) error {
	if !p.inFIDO {
		return nil
	}
	if *bits == 0 {
		*id = p.id
	} else if *id != p.id {
		return nil
	}
	if p.size > 8*maxReport || p.count > 8*maxReport || *bits+p.size*p.count > 8*maxReport {
		return fmt.Errorf("a report of more than %d bytes", maxReport)
	}
	*bits += p.size * p.count
	return nil
}

// finish checks what was found.
func (p *parser) finish() (Reports, error) {
	if !p.found {
		return Reports{}, ErrNotFIDO
	}
	if p.depth != 0 {
		return Reports{}, fmt.Errorf("%w: a collection is not ended", ErrMalformed)
	}
	if p.input == 0 || p.output == 0 {
		return Reports{}, fmt.Errorf("%w: the FIDO collection needs an input and an output report, it has %d and %d bits", ErrMalformed, p.input, p.output)
	}
	r := p.reports
	r.Input, r.Output = int(p.input+7)/8, int(p.output+7)/8
	r.Numbered = r.InputID != 0 || r.OutputID != 0
	return r, nil
}
