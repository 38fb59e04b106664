package conformance

import (
	"context"
	"strings"
	"time"

	"fido-emu/hid"
)

// Target is an authenticator and the bench that it stands on.
type Target interface {
	// Connect opens a connection to the authenticator, after whatever was open before
	// was closed. It is not a power cycle.
	Connect(ctx context.Context) (hid.Conn, error)
	// PowerCycle takes the power away and gives it back. The connection was closed
	// before.
	PowerCycle(ctx context.Context) error
	// Can tells which gestures the bench can make.
	Can(Gesture) bool
	// Plan says what whoever is in front of the authenticator does from now on when
	// it asks for something: one of Touch, Ignore, Wait, Deny, Stranger, LongTouch, Smudge.
	Plan(ctx context.Context, g Gesture) error
	// Asked is called when the authenticator asks for its user; done is called when it
	// does no more.
	Asked() (done func())
	// Now is the time that the authenticator lives in.
	Now() time.Time
	// Sleep lets d pass for the authenticator; an emulated one needs no real time for
	// it. The error is ctx's.
	Sleep(ctx context.Context, d time.Duration) error
	// WireTime is how much real time stands for d of CTAPHID's time-outs, which are
	// shorter on an emulated authenticator so that nobody has to wait.
	WireTime(d time.Duration) time.Duration
	// About says how the authenticator is reached.
	About() string
}

// Keeper is a Target that can put an authenticator back into a state without the
// authenticator's help, which is faster than a reset.
type Keeper interface {
	Save(ctx context.Context) (state any, err error)
	// Restore puts a state back, as after a power cycle; the connection stays.
	Restore(ctx context.Context, state any) error
}

// Gesture is what a hand does at the bench. Several are a set.
type Gesture uint

// The gestures.
const (
	Touch     Gesture = 1 << iota // touch, or lay on a known finger, when asked
	Ignore                        // let the time run out when asked
	Wait                          // do nothing when asked, until the platform cancels
	Deny                          // decline when asked
	Stranger                      // lay on a finger that is not known when asked for one
	LongTouch                     // touch for more than ten seconds when asked
	Replug                        // cut the power and give it back
	Smudge                        // lay a finger on badly when one is captured
)

var gestureNames = []string{"touch", "let the time run out", "wait", "decline", "lay on an unknown finger", "touch for ten seconds", "cut the power", "lay a finger on badly"}

// String names the gestures of the set.
func (g Gesture) String() string {
	var names []string
	for i, name := range gestureNames {
		if g&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// lacks returns the gestures of the set that the target cannot make.
func (g Gesture) lacks(t Target) (missing Gesture) {
	for i := range gestureNames {
		if one := Gesture(1 << i); g&one != 0 && !t.Can(one) {
			missing |= one
		}
	}
	return missing
}
