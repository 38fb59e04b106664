package request

import (
	"encoding/json"
	"fmt"

	"fido-emu/identity/credential"
)

// snapshotVersion is that of the format.
const snapshotVersion = 1

// state is all that a service must not forget.
type state struct {
	Version  int               `json:"version"`
	Keys     map[string][]byte `json:"keys"` // of tenants, by name: private, in the clear
	Sessions []*session        `json:"sessions"`
	Outbox   []*delivery       `json:"outbox"`
}

// snapshot returns the state; s.mu is held.
func (s *Service) snapshot() state {
	keys := map[string][]byte{}
	for _, t := range s.tenants {
		if b, err := t.Key.Bytes(); err == nil {
			keys[t.Name] = b
		}
	}
	return state{snapshotVersion, keys, s.sessions, s.outbox}
}

// Snapshot returns the state of the service, with the tenants' private keys in the
// clear: a file of it is for its owner alone.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := json.Marshal(s.snapshot())
	if err != nil {
		return nil, fmt.Errorf("request service: snapshot: %w", err)
	}
	return b, nil
}

// Restore returns the service of which a snapshot was taken, with the tenants of the
// configuration. Callbacks that were on their way are sent again.
func Restore(config Config, snapshot []byte) (*Service, error) {
	var from state
	if err := json.Unmarshal(snapshot, &from); err != nil {
		return nil, fmt.Errorf("request service: restore: the snapshot is damaged: %w", err)
	}
	if from.Version != snapshotVersion {
		return nil, fmt.Errorf("request service: restore: the snapshot has version %d, and %d is known", from.Version, snapshotVersion)
	}
	tenants := make([]Tenant, len(config.Tenants))
	for i, t := range config.Tenants {
		if scalar, ok := from.Keys[t.Name]; ok && t.Key == nil {
			key, err := credential.ParseKey(scalar)
			if err != nil {
				return nil, fmt.Errorf("request service: restore: key of tenant %q: %w", t.Name, err)
			}
			t.Key = key
		}
		tenants[i] = t
	}
	config.Tenants = tenants
	s, err := New(config)
	if err != nil {
		return nil, err
	}
	for _, x := range from.Sessions {
		if x == nil || s.Authority(x.Tenant) == "" || x.Request.Callback == nil || x.Request.Registration == nil {
			return nil, fmt.Errorf("request service: restore: the snapshot has a request of no tenant here")
		}
	}
	for _, d := range from.Outbox {
		if d == nil {
			return nil, fmt.Errorf("request service: restore: the snapshot has an empty callback")
		}
	}
	s.sessions, s.outbox = from.Sessions, from.Outbox
	return s, nil
}
