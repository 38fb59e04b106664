package state

import (
	"encoding/binary"
	"errors"
	"math"

	"go.etcd.io/bbolt"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// DeviceFormat is the format of the file of a device.
var DeviceFormat = Format{Kind: "device", Version: 1}

// The buckets of a device's file and what is in them. An order is a credential's
// time of creation and a number, 20 bytes, so that orders sort from old to new.
var (
	deviceBucket      = []byte("device")      // state: CBOR of the Device; counter, discoverable: uint32, big endian
	credentialsBucket = []byte("credentials") // order → EncodeCredential
	byIDBucket        = []byte("by id")       // credential id → order
	byRPBucket        = []byte("by rp")       // SHA-256 of the RP id ‖ order → nothing; discoverable ones
	byUserBucket      = []byte("by user")     // SHA-256 of the RP id ‖ user id → order; discoverable ones

	stateKey        = []byte("state")
	counterKey      = []byte("counter")
	discoverableKey = []byte("discoverable")
)

// DeviceFile is the file of one device: its state and its credentials. It belongs
// to this process until Close.
type DeviceFile struct{ *File }

// OpenDevice opens the file of a device, or makes one. Its errors are those of
// [Open].
func OpenDevice(path string) (DeviceFile, error) {
	f, err := Open(path, DeviceFormat)
	if err != nil {
		return DeviceFile{}, err
	}
	err = f.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{deviceBucket, credentialsBucket, byIDBucket, byRPBucket, byUserBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return DeviceFile{}, errors.Join(explain(path, err), f.Close())
	}
	return DeviceFile{f}, nil
}

// Device returns the device's state as the authenticator wants it.
func (f DeviceFile) Device() *Device { return &Device{f.File} }

// Credentials returns the device's credentials as the authenticator wants them,
// at most max discoverable ones, any number for 0.
func (f DeviceFile) Credentials(max int) *Credentials { return &Credentials{f.File, max} }

// Device implements [authenticator.DeviceState]. Each Save and each NextCounter
// is one durable transaction.
type Device struct{ file *File }

var _ authenticator.DeviceState = (*Device)(nil)

// Load implements [authenticator.DeviceState].
func (d *Device) Load() (authenticator.Device, error) {
	var device authenticator.Device
	err := d.file.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(deviceBucket)
		if saved := b.Get(stateKey); saved != nil {
			if err := ctap.DecodeLoose(saved, &device); err != nil {
				return d.file.Unreadable("the state of the device", err)
			}
		}
		var err error
		device.Counter, err = d.file.number(b, counterKey)
		return err
	})
	return device, err
}

// Save implements [authenticator.DeviceState].
func (d *Device) Save(device authenticator.Device) error {
	return d.file.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(deviceBucket)
		if err := putNumber(b, counterKey, device.Counter); err != nil {
			return err
		}
		device.Counter = 0 // it has a place of its own
		saved, err := ctap.Encode(device)
		if err != nil {
			return err
		}
		return b.Put(stateKey, saved)
	})
}

// NextCounter implements [authenticator.DeviceState]. A counter at its end stays
// there.
func (d *Device) NextCounter() (next uint32, err error) {
	err = d.file.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(deviceBucket)
		if next, err = d.file.number(b, counterKey); err != nil {
			return err
		}
		if next < math.MaxUint32 {
			next++
		}
		return putNumber(b, counterKey, next)
	})
	return next, err
}

// number reads a uint32; one that is not there is 0.
func (f *File) number(b *bbolt.Bucket, key []byte) (uint32, error) {
	switch v := b.Get(key); len(v) {
	case 0:
		return 0, nil
	case 4:
		return binary.BigEndian.Uint32(v), nil
	}
	return 0, f.Unreadable("the number "+string(key), nil)
}

func putNumber(b *bbolt.Bucket, key []byte, v uint32) error {
	return b.Put(key, binary.BigEndian.AppendUint32(nil, v))
}
