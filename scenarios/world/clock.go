package world

import (
	"sync"
	"time"
)

// Clock is the time of a scenario. It stands still but for [Clock.Advance], so
// that waiting an hour takes no time and a seeded run is the same every time.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the time of the scenario.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// seededStart is when every seeded scenario begins.
func seededStart() time.Time { return time.Date(2026, time.September, 1, 9, 0, 0, 0, time.UTC) }
