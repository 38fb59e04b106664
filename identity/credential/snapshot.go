package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// snapshotVersion is that of the format.
const snapshotVersion = 1

// issuerState is all that an issuer must not forget.
type issuerState struct {
	Version int               `json:"version"`
	Key     []byte            `json:"key"` // private, in the clear
	Issued  map[string]int    `json:"issued"`
	Status  string            `json:"status"` // the list, as it is published
	Offers  map[string]*offer `json:"offers"`
}

// Snapshot returns the state of the issuer, with its private key and open offers in the
// clear: a file of it is for its owner alone.
func (i *Issuer) Snapshot() ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	scalar, err := i.key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("issuer %s: snapshot: %w", i.did, err)
	}
	list, err := EncodeStatusList(i.bits)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: snapshot: %w", i.did, err)
	}
	return json.Marshal(issuerState{snapshotVersion, scalar, i.issued, list, i.offers})
}

// RestoreIssuer returns the issuer of which a snapshot was taken, with its key, what it
// issued and revoked, and the offers that stand. The key of the configuration does not
// count.
func RestoreIssuer(config IssuerConfig, snapshot []byte) (*Issuer, error) {
	i, err := restoreIssuer(config, snapshot)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: restore: %w", config.BaseURL, err)
	}
	return i, nil
}

func restoreIssuer(config IssuerConfig, snapshot []byte) (*Issuer, error) {
	var s issuerState
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return nil, fmt.Errorf("the snapshot is damaged: %w", err)
	}
	if s.Version != snapshotVersion {
		return nil, fmt.Errorf("the snapshot has version %d, and %d is known", s.Version, snapshotVersion)
	}
	bits, err := DecodeStatusList(s.Status)
	if err != nil {
		return nil, err
	}
	if config.Key, err = ParseKey(s.Key); err != nil {
		return nil, err
	}
	i, err := NewIssuer(config)
	if err != nil {
		return nil, err
	}
	if len(bits) != len(i.bits) {
		return nil, fmt.Errorf("its status list has %d bytes, and %d is the size here", len(bits), len(i.bits))
	}
	i.bits = bits
	maps.Copy(i.issued, s.Issued)
	for id, index := range s.Issued {
		if index < 0 || index >= statusEntries {
			return nil, fmt.Errorf("credential %s has entry %d of the status list", id, index)
		}
		i.used[index] = true
	}
	for id, o := range s.Offers {
		if o == nil {
			return nil, errors.New("it has an empty offer")
		}
		i.offers[id] = o
	}
	return i, nil
}
