package credential

import (
	"maps"
	"slices"
	"sync"
)

// Nonces remembers which nonces were spent. The zero value is ready; it is safe for
// concurrent use.
type Nonces struct {
	mu    sync.Mutex
	spent map[string]bool
}

// Spend spends a nonce, and tells whether it was there to be spent.
func (n *Nonces) Spend(nonce string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spent[nonce] {
		return false
	}
	if n.spent == nil {
		n.spent = map[string]bool{}
	}
	n.spent[nonce] = true
	return true
}

// All returns the spent nonces in order, for a snapshot; Spend brings them back.
func (n *Nonces) All() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.spent))
}
