package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// bbolt trusts its file: it maps it and follows what it finds, so that a damaged
// one ends the process. check follows the same things with bounds before that.
// The layout is that of bbolt's internal/common: pages with a header of 16 bytes
// (id, flags, count, overflow), two meta pages, and trees of branch and leaf
// pages, in the byte order of the machine.

const (
	pageHeader = 16
	metaSize   = 64
	boltMagic  = 0xED0CDAED
	boltFormat = 2

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf element

	noFreelist  = ^uint64(0)
	bucketSize  = 16
	elementSize = 16
	maxDepth    = 64
)

var order = binary.NativeEndian

// meta is a meta page.
type meta struct {
	pageSize  uint64
	root      uint64
	freelist  uint64
	highWater uint64 // first page id that was never used
	txid      uint64
}

// checker walks a file.
type checker struct {
	meta
	file io.ReaderAt
	used []bool // pages that something refers to
}

// check refuses a file that is not a sound bbolt database.
func check(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return checkDatabase(file, info.Size())
}

func checkDatabase(file io.ReaderAt, size int64) error {
	if size == 0 {
		return &damage{Truncated, "it is empty"}
	}
	m, err := findMeta(file, size)
	if err != nil {
		return err
	}
	if have := uint64(size) / m.pageSize; have < m.highWater {
		return &damage{Truncated, fmt.Sprintf("it has %d pages of %d bytes and should have %d", have, m.pageSize, m.highWater)}
	}
	c := &checker{meta: m, file: file, used: make([]bool, m.highWater)}
	if err := c.bucket(m.root, 0); err != nil {
		return err
	}
	return c.checkFreelist()
}

// findMeta returns the meta page that counts: of those that are valid the one
// with the higher transaction id. The second stands at the page size, which only
// the first tells.
func findMeta(file io.ReaderAt, size int64) (meta, error) {
	first, firstErr := readMeta(file, 0)
	for at := uint64(1024); at <= 1<<16 && at < uint64(size); at *= 2 {
		if firstErr == nil && at != first.pageSize {
			continue
		}
		second, err := readMeta(file, int64(at))
		if err != nil || second.pageSize != at {
			continue
		}
		if firstErr == nil && first.txid >= second.txid {
			return first, nil
		}
		return second, nil
	}
	if firstErr != nil {
		return meta{}, firstErr
	}
	if first.pageSize < 1024 || first.pageSize > 1<<16 || first.pageSize&(first.pageSize-1) != 0 {
		return meta{}, damaged("its pages have %d bytes", first.pageSize)
	}
	return first, nil
}

func readMeta(file io.ReaderAt, at int64) (meta, error) {
	b := make([]byte, pageHeader+metaSize)
	if _, err := file.ReadAt(b, at); err != nil {
		return meta{}, &damage{NotState, "it is too short to be one"}
	}
	b = b[pageHeader:]
	if order.Uint32(b) != boltMagic || order.Uint32(b[4:]) != boltFormat {
		return meta{}, &damage{NotState, "it does not begin like one"}
	}
	sum := fnv.New64a()
	sum.Write(b[:56])
	if sum.Sum64() != order.Uint64(b[56:]) {
		return meta{}, damaged("the checksum of its first pages is wrong")
	}
	return meta{
		pageSize: uint64(order.Uint32(b[8:])), root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]),
		highWater: order.Uint64(b[40:]), txid: order.Uint64(b[48:]),
	}, nil
}

// page reads a page with its overflow and marks it as used.
func (c *checker) page(id uint64) (page, error) {
	if id < 2 || id >= c.highWater {
		return page{}, damaged("it refers to page %d of %d", id, c.highWater)
	}
	head := make([]byte, pageHeader)
	if _, err := c.file.ReadAt(head, int64(id*c.pageSize)); err != nil {
		return page{}, err
	}
	overflow := uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != id || overflow >= c.highWater-id {
		return page{}, damaged("page %d is not one", id)
	}
	for i := id; i <= id+overflow; i++ {
		if c.used[i] {
			return page{}, damaged("page %d is used twice", i)
		}
		c.used[i] = true
	}
	data := make([]byte, (overflow+1)*c.pageSize)
	if _, err := c.file.ReadAt(data, int64(id*c.pageSize)); err != nil {
		return page{}, err
	}
	return page{id, data}, nil
}

// bucket walks the tree of a bucket.
func (c *checker) bucket(root uint64, depth int) error {
	var last []byte
	return c.tree(root, depth, &last)
}

// tree walks a page and what is below it. last is the last leaf key so far.
func (c *checker) tree(id uint64, depth int, last *[]byte) error {
	if depth > maxDepth {
		return damaged("its trees are too deep")
	}
	p, err := c.page(id)
	if err != nil {
		return err
	}
	switch p.flags() {
	case flagBranch:
		return c.branch(p, depth, last)
	case flagLeaf:
		return c.leaf(p, depth, last)
	}
	return damaged("page %d is no part of a tree", id)
}

func (c *checker) branch(p page, depth int, last *[]byte) error {
	if p.count() == 0 {
		return damaged("page %d has no branches", p.id)
	}
	var before []byte
	for i := range p.count() {
		at, err := p.element(i)
		if err != nil {
			return err
		}
		pos, size := order.Uint32(p.data[at:]), order.Uint32(p.data[at+4:])
		key, err := p.slice(uint64(at)+uint64(pos), uint64(size))
		if err != nil {
			return err
		}
		if len(key) == 0 || bytes.Compare(before, key) >= 0 {
			return damaged("the keys of page %d are out of order", p.id)
		}
		before = key
		if err := c.tree(order.Uint64(p.data[at+8:]), depth+1, last); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) leaf(p page, depth int, last *[]byte) error {
	for i := range p.count() {
		flags, key, value, err := p.leafElement(i)
		if err != nil {
			return err
		}
		if len(key) == 0 || bytes.Compare(*last, key) >= 0 {
			return damaged("the keys of page %d are out of order", p.id)
		}
		*last = key
		if flags == flagBucket {
			err = c.nested(p, value, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nested walks a bucket within a leaf: a small one stands right there, as a page
// without buckets of its own.
func (c *checker) nested(p page, value []byte, depth int) error {
	if len(value) < bucketSize {
		return damaged("a bucket in page %d is too short", p.id)
	}
	if root := order.Uint64(value); root != 0 {
		return c.bucket(root, depth+1)
	}
	inline := page{p.id, value[bucketSize:]}
	if len(inline.data) < pageHeader || inline.flags() != flagLeaf {
		return damaged("a bucket in page %d is not one", p.id)
	}
	var last []byte
	for i := range inline.count() {
		flags, key, _, err := inline.leafElement(i)
		if err != nil {
			return err
		}
		if flags != 0 || len(key) == 0 || bytes.Compare(last, key) >= 0 {
			return damaged("a bucket in page %d is out of order", p.id)
		}
		last = key
	}
	return nil
}

// checkFreelist makes sure that what is free is not used: it would be written
// over.
func (c *checker) checkFreelist() error {
	if c.freelist == noFreelist {
		return &damage{NotState, "a database of another program"}
	}
	p, err := c.page(c.freelist)
	if err != nil {
		return err
	}
	if p.flags() != flagFreelist {
		return damaged("page %d is no freelist", p.id)
	}
	ids := p.data[pageHeader:]
	count := uint64(p.count())
	if count == 0xFFFF { // the number itself stands first
		count, ids = order.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids))/8 {
		return damaged("the freelist is too long")
	}
	for i := range count {
		id := order.Uint64(ids[8*i:])
		if id < 2 || id >= c.highWater || c.used[id] {
			return damaged("page %d is free and used", id)
		}
		c.used[id] = true
	}
	return nil
}

// page is a page in memory.
type page struct {
	id   uint64
	data []byte
}

func (p page) flags() uint16 { return order.Uint16(p.data[8:]) }
func (p page) count() int    { return int(order.Uint16(p.data[10:])) }

// element returns where element i stands.
func (p page) element(i int) (int, error) {
	at := pageHeader + i*elementSize
	if at+elementSize > len(p.data) {
		return 0, damaged("page %d has too many elements", p.id)
	}
	return at, nil
}

func (p page) slice(at, size uint64) ([]byte, error) {
	if at+size > uint64(len(p.data)) {
		return nil, damaged("an element of page %d lies outside", p.id)
	}
	return p.data[at : at+size], nil
}

func (p page) leafElement(i int) (flags uint32, key, value []byte, err error) {
	at, err := p.element(i)
	if err != nil {
		return 0, nil, nil, err
	}
	flags = order.Uint32(p.data[at:])
	pos, ksize, vsize := order.Uint32(p.data[at+4:]), order.Uint32(p.data[at+8:]), order.Uint32(p.data[at+12:])
	if flags&^flagBucket != 0 {
		return 0, nil, nil, damaged("an element of page %d is of no known kind", p.id)
	}
	start := uint64(at) + uint64(pos)
	if key, err = p.slice(start, uint64(ksize)); err != nil {
		return 0, nil, nil, err
	}
	value, err = p.slice(start+uint64(ksize), uint64(vsize))
	return flags, key, value, err
}
