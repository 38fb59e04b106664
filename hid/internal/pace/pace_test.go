package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(3)
		write := func(reports int) time.Duration {
			began := time.Now()
			for range reports {
				p.Wait()
			}
			return time.Since(began)
		}
		for _, step := range []struct {
			name    string
			before  func()
			reports int
			want    time.Duration
		}{
			{"a burst goes at once", func() {}, 3, 0},
			{"more goes at the pace of USB", func() {}, 10, 10 * time.Millisecond},
			{"a delay is not made up for", func() { time.Sleep(lull - interval) }, 1, time.Millisecond},
			{"after a lull there is room", func() { time.Sleep(lull + 1) }, 3, 0},
			{"but not for more", func() {}, 1, time.Millisecond},
			{"an answer makes room", p.Answered, 3, 0},
			{"and no more than a burst", func() { time.Sleep(time.Hour) }, 4, time.Millisecond},
		} {
			step.before()
			if got := write(step.reports); got != step.want {
				t.Errorf("%s: %d reports took %v, want %v", step.name, step.reports, got, step.want)
			}
		}
	})
}
