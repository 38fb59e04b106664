package services

import (
	"bytes"
	"path/filepath"

	"go.etcd.io/bbolt"

	"fido-emu/state"
)

// storeFormat is the newest format of a store.
var storeFormat = state.Format{Kind: "identity-services", Version: 1}

var partsBucket = []byte("parts")

// Store keeps services in a directory, which belongs to this process until Close. Its
// methods are for Config.Save and Config.Kept. Errors are *state.Error.
type Store struct{ file *state.File }

// OpenStore opens what is kept in a directory, or makes it.
func OpenStore(dir string) (*Store, error) {
	file, err := state.Open(filepath.Join(dir, "identity.db"), storeFormat)
	if err != nil {
		return nil, err
	}
	return &Store{file}, nil
}

// Path returns where the file is.
func (s *Store) Path() string { return s.file.Path() }

// Save keeps a part in place of what was kept of it. It is on the disk when Save returns.
func (s *Store) Save(part string, snapshot []byte) error {
	return s.file.Update(func(tx *bbolt.Tx) error {
		parts, err := tx.CreateBucketIfNotExists(partsBucket)
		if err != nil {
			return err
		}
		return parts.Put([]byte(part), snapshot)
	})
}

// Kept returns all parts.
func (s *Store) Kept() (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.file.View(func(tx *bbolt.Tx) error {
		parts := tx.Bucket(partsBucket)
		if parts == nil {
			return nil
		}
		return parts.ForEach(func(part, snapshot []byte) error {
			all[string(part)] = bytes.Clone(snapshot)
			return nil
		})
	})
	return all, err
}

// Close lets go of the directory.
func (s *Store) Close() error { return s.file.Close() }
