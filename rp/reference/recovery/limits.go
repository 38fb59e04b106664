package recovery

import "time"

// The limits on starts, for each account and for each client. What a person may
// need in an hour (a blurry photo, another document, a dead battery) fits.
const (
	StartsPerAccount = 5
	StartsPerClient  = 20
	StartWindow      = time.Hour
)

// limiter counts events by key in windows of time.
type limiter struct {
	counts map[string]*window
}

type window struct {
	Count int       `json:"count"`
	Until time.Time `json:"until"`
}

func newLimiter() *limiter { return &limiter{counts: map[string]*window{}} }

// take counts one event, or tells until when there may be no more.
func (l *limiter) take(key string, limit int, now time.Time) (until time.Time, ok bool) {
	l.sweep(now)
	w := l.counts[key]
	if w == nil {
		w = &window{Until: now.Add(StartWindow)}
		l.counts[key] = w
	}
	if w.Count >= limit {
		return w.Until, false
	}
	w.Count++
	return w.Until, true
}

// give takes back an event that came to nothing through no fault of the client's.
func (l *limiter) give(key string) {
	if w := l.counts[key]; w != nil && w.Count > 0 {
		w.Count--
	}
}

func (l *limiter) sweep(now time.Time) {
	for key, w := range l.counts {
		if !now.Before(w.Until) {
			delete(l.counts, key)
		}
	}
}
