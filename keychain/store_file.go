package keychain

import (
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"fido-emu/state"
)

// The formats of the files of a service and of a device.
var (
	serviceFormat = state.Format{Kind: "keychain-service", Version: 1}
	deviceFormat  = state.Format{Kind: "keychain-device", Version: 1}
)

var recordsBucket = []byte("records")

// FileStore is a [Store] in a file. It belongs to this process until Close.
type FileStore struct{ file *state.File }

// OpenStore opens the file of a service, or makes one. Its errors are those of
// [state.Open].
func OpenStore(path string) (*FileStore, error) { return openStore(path, serviceFormat) }

// OpenDeviceStore opens the file of a device, or makes one. Its errors are those
// of [state.Open].
func OpenDeviceStore(path string) (*FileStore, error) { return openStore(path, deviceFormat) }

func openStore(path string, format state.Format) (*FileStore, error) {
	file, err := state.Open(path, format)
	if err != nil {
		return nil, err
	}
	err = file.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(recordsBucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &FileStore{file}, nil
}

// Load implements [Store].
func (f *FileStore) Load(each func(Record) error) error {
	return f.file.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(recordsBucket).ForEach(func(k, v []byte) error {
			return each(Record{string(k), slices.Clone(v)})
		})
	})
}

// Commit implements [Store].
func (f *FileStore) Commit(records []Record) error {
	return f.file.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(recordsBucket)
		for _, r := range records {
			var err error
			if r.Value == nil {
				err = b.Delete([]byte(r.Key))
			} else {
				err = b.Put([]byte(r.Key), r.Value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Close lets go of the file.
func (f *FileStore) Close() error { return f.file.Close() }
