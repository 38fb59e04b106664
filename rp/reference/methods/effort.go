package methods

import "time"

// Act is one thing that a person does to sign in.
type Act struct {
	What string
	Time time.Duration
}

// The times are those of the keystroke-level model (Card, Moran and Newell, "The
// Keystroke-Level Model for User Performance Time with Interactive Systems",
// Communications of the ACM 23(7), 1980): 0.28 s a key for an average typist, 1.1 s
// to point at something, 1.35 s to think. How long a message is under way is an
// assumption of ours.
func keys(n int) Act {
	return Act{"type", time.Duration(n) * 280 * time.Millisecond}
}

func read(wait time.Duration) Act { return Act{"wait and read", wait} }

func tap() Act   { return Act{"tap", 1100 * time.Millisecond} }
func think() Act { return Act{"think", 1350 * time.Millisecond} }

func acts(all ...Act) []Act { return all }

// Effort sums up what methods together cost their user: how many acts, and how
// long they take.
func Effort(kinds ...string) (steps int, took time.Duration) {
	for _, kind := range kinds {
		f, _ := About(kind)
		steps += len(f.Acts)
		for _, a := range f.Acts {
			took += a.Time
		}
	}
	return steps, took
}
