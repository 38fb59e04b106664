package credential

import (
	"maps"
	"sync"
	"time"
)

// Nonces remembers which nonces were spent, each for as long as somebody could present
// it again. The zero value is ready; it is safe for concurrent use.
type Nonces struct {
	mu    sync.Mutex
	spent map[string]time.Time // until when they are remembered
	sweep time.Time            // when to forget the next time
}

// nonceSweep is how often what is over is forgotten: sooner, every nonce would cost a
// walk through all.
const nonceSweep = time.Minute

// Spend spends a nonce, and tells whether it was there to be spent. It is remembered
// until a time, after which everything with this nonce is refused for its age.
func (n *Nonces) Spend(nonce string, now, until time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !now.Before(n.sweep) {
		maps.DeleteFunc(n.spent, func(_ string, until time.Time) bool { return now.After(until) })
		n.sweep = now.Add(nonceSweep)
	}
	if _, again := n.spent[nonce]; again {
		return false
	}
	if n.spent == nil {
		n.spent = map[string]time.Time{}
	}
	n.spent[nonce] = until
	return true
}
