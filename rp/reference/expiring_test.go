package reference

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestExpiring compares the store with a map that is scanned whole.
func TestExpiring(t *testing.T) {
	const most = 5
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		forgotten := map[string]bool{}
		e := newExpiring(most, func(v string) { forgotten[v] = true })
		until, taken := map[string]time.Time{}, map[string]bool{} // by value
		latest := map[string]string{}                             // key to value
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				n++
				key, v := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "key")), fmt.Sprint("v", n)
				until[v] = now.Add(10 * time.Second)
				latest[key] = v
				e.put(key, v, now, until[v])
			},
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 12).Draw(t, "seconds")) * time.Second) },
			"take": func(t *rapid.T) {
				key := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "key"))
				if v, ok := e.take(key); ok {
					if v != latest[key] || taken[v] || forgotten[v] {
						t.Fatalf("took %s of key %s, latest %s", v, key, latest[key])
					}
					taken[v] = true
				}
			},
			"": func(t *rapid.T) {
				if len(e.items) > most || len(e.queue) > n {
					t.Fatalf("%d items and %d in the queue", len(e.items), len(e.queue))
				}
				e.sweep(now)
				for key, v := range latest {
					got, ok := e.get(key)
					if gone := taken[v] || forgotten[v]; ok == gone || ok && got != v {
						t.Fatalf("key %s: got %q, %t; want %q, gone: %t", key, got, ok, v, gone)
					}
					if ok && !now.Before(until[v]) {
						t.Fatalf("%s is still there at %s", v, now)
					}
				}
			},
		})
	})
}
