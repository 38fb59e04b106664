package memory

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// What was asked for last is made once, and what nobody asked for longest is forgotten.
func TestForgetsWhatNobodyAsksFor(t *testing.T) {
	m := New[string, string](2)
	made := map[string]int{}
	for _, key := range []string{"a", "b", "a", "a", "c", "a", "b"} {
		got, err := m.Of(key, func() (string, error) { made[key]++; return "result " + key, nil })
		if got != "result "+key || err != nil {
			t.Errorf("of %s: %s %v", key, got, err)
		}
	}
	for key, want := range map[string]int{"a": 1, "b": 2, "c": 1} {
		if made[key] != want {
			t.Errorf("%s was made %d times, want %d", key, made[key], want)
		}
	}
	if len(m.results) != 2 || len(m.used) != 2 {
		t.Errorf("%d results, %v", len(m.results), m.used)
	}
}

func TestMakesOnceForMany(t *testing.T) {
	m := New[int, int](1)
	var made atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if v, err := m.Of(7, func() (int, error) { return int(made.Add(1)), nil }); v != 1 || err != nil {
				t.Error(v, err)
			}
		})
	}
	all.Wait()
}

func TestErrorsAndNil(t *testing.T) {
	broken := errors.New("broken")
	m, calls := New[int, int](1), 0
	fail := func() (int, error) { calls++; return 0, broken }
	for range 2 {
		if _, err := m.Of(1, fail); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
	var none *Memory[int, int]
	for range 2 {
		if _, err := none.Of(1, fail); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	if calls != 3 {
		t.Errorf("%d calls, as of nobody who remembers", calls)
	}
}
