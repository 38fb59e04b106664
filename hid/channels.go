package hid

import (
	"slices"
	"time"
)

// channels are the channels that a device has allocated (section 11.2.3), the
// least recently used first. When all are taken the least recently used one is
// recycled: a host that still has it is told ERR_INVALID_CHANNEL.
type channels struct {
	ids   []uint32
	limit int
	next  uint32 // the id to hand out next
}

// touch marks a channel as used just now and tells whether it is allocated.
func (c *channels) touch(id uint32) bool {
	i := slices.Index(c.ids, id)
	if i < 0 {
		return false
	}
	copy(c.ids[i:], c.ids[i+1:])
	c.ids[len(c.ids)-1] = id
	return true
}

// allocate hands out a channel; keep are channels that must not be recycled.
func (c *channels) allocate(keep ...uint32) uint32 {
	if len(c.ids) >= c.limit {
		i := slices.IndexFunc(c.ids, func(id uint32) bool { return !slices.Contains(keep, id) })
		if i >= 0 {
			c.ids = slices.Delete(c.ids, i, i+1)
		}
	}
	for c.next == 0 || c.next == Broadcast || slices.Contains(c.ids, c.next) {
		c.next++
	}
	c.ids = append(c.ids, c.next)
	c.next++
	return c.ids[len(c.ids)-1]
}

// maxLock is the longest time that a channel can lock the device for (section
// 11.2.9.2.2).
const maxLock = 10 * time.Second

// lock is the channel lock (section 11.2.6).
type lock struct {
	owner uint32
	until time.Time
}

// owned returns the channel that holds the lock, 0 when none does.
func (l *lock) owned() uint32 {
	if l.owner != 0 && !time.Now().Before(l.until) {
		*l = lock{}
	}
	return l.owner
}

// hold gives the lock to a channel for a time; no time releases it.
func (l *lock) hold(owner uint32, d time.Duration) {
	*l = lock{owner: owner, until: time.Now().Add(d)}
	if d == 0 {
		*l = lock{}
	}
}
