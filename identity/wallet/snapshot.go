package wallet

import (
	"encoding/json"
	"errors"
	"fmt"

	"fido-emu/identity/credential"
)

// snapshotVersion is that of the format.
const snapshotVersion = 1

type state struct {
	Version int    `json:"version"`
	Key     []byte `json:"key,omitempty"` // private, in the clear
	Held    []Held `json:"held"`
}

// Snapshot returns what the phone keeps, with its private key in the clear: a file of
// it is for its owner alone. It is what survives switching off, not a backup.
func (w *Wallet) Snapshot() ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := state{Version: snapshotVersion, Held: w.held}
	if w.key != nil {
		scalar, err := w.key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("wallet: snapshot: %w", err)
		}
		s.Key = scalar
	}
	return json.Marshal(s)
}

// Restore returns the wallet of which a snapshot was taken.
func Restore(config Config, snapshot []byte) (*Wallet, error) {
	var s state
	err := json.Unmarshal(snapshot, &s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("wallet: restore: the snapshot is damaged: %w", err)
	case s.Version != snapshotVersion:
		return nil, fmt.Errorf("wallet: restore: the snapshot has version %d, and %d is known", s.Version, snapshotVersion)
	case s.Key == nil:
		return nil, fmt.Errorf("wallet: restore: %w", errors.Join(ErrMoved, errors.New("the snapshot has no key")))
	}
	key, err := credential.ParseKey(s.Key)
	if err != nil {
		return nil, fmt.Errorf("wallet: restore: %w", err)
	}
	return with(config, key, s.Held), nil
}
