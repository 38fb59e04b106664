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

// note enters an event, which tells, too, that what is kept of its person has changed;
// the caller holds the lock.
func (c *Core) note(e Event) {
	c.notify(e)
	c.changedName(e.Person)
	e.Seq, e.Time = c.audit.last+1, c.now()
	enter(c, &c.audit, inAudit, c.config.AuditCapacity, e)
}

// Audit returns at most limit of the events after the one numbered after, oldest
// first. Events older than Config.AuditCapacity are gone.
func (c *Core) Audit(after uint64, limit int) []Event {
	c.mu.RLock()
	defer c.mu.RUnlock()
	found := []Event{}
	for n := max(after+1, c.audit.oldest()); n <= c.audit.last && len(found) < limit; n++ {
		e, _ := c.audit.at(n)
		found = append(found, e)
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
