package reference

import "encoding/binary"

// journal is a log of which the last entries are kept, under numbers that count from 1.
// The zero value is empty. Core.mu guards it.
type journal[E any] struct {
	last    uint64 // number of the newest entry
	entries []E    // oldest first
}

// enter adds an entry, drops the oldest where there are more than limit then, and notes
// both as changes of a bucket; the caller holds the lock.
func enter[E any](c *Core, j *journal[E], bucket string, limit int, e E) {
	j.last++
	j.entries = append(j.entries, e)
	c.changed(bucket, numbered(j.last))
	for len(j.entries) > limit {
		c.changed(bucket, numbered(j.oldest()))
		j.entries = j.entries[1:]
	}
}

// oldest returns the number of the oldest entry that is kept, last+1 where there is
// none.
func (j *journal[E]) oldest() uint64 { return j.last - uint64(len(j.entries)) + 1 }

// at returns the entry with a number, if it is kept.
func (j *journal[E]) at(n uint64) (e E, ok bool) {
	if n < j.oldest() || n > j.last {
		return e, false
	}
	return j.entries[n-j.oldest()], true
}

// numbered is the key of an entry: keys sort as numbers do.
func numbered(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
