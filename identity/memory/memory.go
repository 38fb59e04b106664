// Package memory remembers what costs much to work out and is the same every time:
// drawings, and what was read from pictures.
//
// A Memory is handed down to those who may share it. It is no place for what has a life
// of its own: whoever asks gets the very result that others have, and changes nothing
// in it.
package memory

import (
	"slices"
	"sync"
)

// Memory remembers results by what they were made from. It is safe for concurrent use;
// who asks for a result that is being made waits for it. A nil Memory remembers nothing.
type Memory[K comparable, V any] struct {
	most int

	mu      sync.Mutex
	results map[K]func() (V, error)
	used    []K // the one that nobody asked for longest first
}

// New returns a Memory of the results that were asked for last, so many at most.
func New[K comparable, V any](most int) *Memory[K, V] {
	return &Memory[K, V]{most: most, results: map[K]func() (V, error){}}
}

// Of returns the result for a key, and makes it where it is not remembered. Errors are
// remembered, too: of the same key, the same comes.
func (m *Memory[K, V]) Of(key K, make func() (V, error)) (V, error) {
	if m == nil {
		return make()
	}
	return m.recall(key, make)()
}

func (m *Memory[K, V]) recall(key K, make func() (V, error)) func() (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	result, known := m.results[key]
	if !known {
		result = sync.OnceValues(make)
		m.results[key] = result
	} else {
		m.used = slices.DeleteFunc(m.used, func(k K) bool { return k == key })
	}
	m.used = append(m.used, key)
	if len(m.used) > m.most {
		delete(m.results, m.used[0])
		m.used = m.used[1:]
	}
	return result
}
