package reference

import "time"

// The outcomes of events.
const (
	Done    = "done"
	Refused = "refused"
)

// Event is one entry of the audit log.
type Event struct {
	Seq        uint64    `json:"seq"` // 1, 2, 3 …
	Time       time.Time `json:"time"`
	Action     string    `json:"action"`               // such as sign-in, register, issue-pass
	Person     string    `json:"person,omitempty"`     // user name; empty when unknown
	Method     string    `json:"method,omitempty"`     // MethodPasskey or MethodPass
	Credential []byte    `json:"credential,omitempty"` // id
	Outcome    string    `json:"outcome"`              // Done or Refused
	Reason     string    `json:"reason,omitempty"`     // code of the refusal
	Detail     string    `json:"detail,omitempty"`     // for people
}

// auditLog keeps the last events; Core.mu guards it.
type auditLog struct {
	capacity int
	last     uint64
	events   []Event // ring: event n is at (n-1) % capacity
}

// note enters an event; the caller holds the lock.
func (c *Core) note(e Event) {
	c.notify(e)
	l := &c.audit
	l.last++
	e.Seq, e.Time = l.last, c.now()
	if len(l.events) < l.capacity {
		l.events = append(l.events, e)
		return
	}
	l.events[(e.Seq-1)%uint64(l.capacity)] = e
}

// Audit returns at most limit of the events after the one numbered after, oldest
// first. Events older than Config.AuditCapacity are gone.
func (c *Core) Audit(after uint64, limit int) []Event {
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := &c.audit
	if oldest := l.last - uint64(len(l.events)); after < oldest {
		after = oldest
	}
	found := []Event{}
	for n := after + 1; n <= l.last && len(found) < limit; n++ {
		found = append(found, l.events[(n-1)%uint64(l.capacity)])
	}
	return found
}

// Latest returns the last events, at most n, oldest first.
func (c *Core) Latest(n int) []Event {
	c.mu.RLock()
	last := c.audit.last
	c.mu.RUnlock()
	return c.Audit(last-min(last, uint64(n)), n)
}
