package reference

import "time"

// expiring holds values for a time. It forgets as it takes in, at a cost of what
// there is to forget, and holds at most max values: the oldest make room.
type expiring[V any] struct {
	max    int
	items  map[string]expiringItem[V]
	queue  []expiringKey // in the order of put; keys may be gone already
	forgot func(V)       // told of each value that time or lack of room removed
}

type expiringItem[V any] struct {
	value  V
	serial uint64
}

type expiringKey struct {
	key    string
	serial uint64
	until  time.Time
}

func newExpiring[V any](limit int, forgot func(V)) *expiring[V] {
	return &expiring[V]{max: limit, items: map[string]expiringItem[V]{}, forgot: forgot}
}

func (e *expiring[V]) put(key string, v V, now, until time.Time) {
	e.sweep(now)
	var serial uint64 = 1
	if n := len(e.queue); n > 0 {
		serial = e.queue[n-1].serial + 1
	}
	e.items[key] = expiringItem[V]{v, serial}
	e.queue = append(e.queue, expiringKey{key, serial, until})
}

func (e *expiring[V]) get(key string) (V, bool) {
	item, ok := e.items[key]
	return item.value, ok
}

func (e *expiring[V]) take(key string) (V, bool) {
	item, ok := e.items[key]
	delete(e.items, key)
	return item.value, ok
}

// sweep forgets from the front of the queue what is out of date, gone or too much.
func (e *expiring[V]) sweep(now time.Time) {
	for len(e.queue) > 0 {
		first := e.queue[0]
		item, ok := e.items[first.key]
		current := ok && item.serial == first.serial
		if current && now.Before(first.until) && len(e.items) < e.max {
			return
		}
		e.queue = e.queue[1:]
		if current {
			delete(e.items, first.key)
			e.forgot(item.value)
		}
	}
}
