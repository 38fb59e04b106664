package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// Credentials implements [authenticator.Credentials] in a device's file. Each
// change is one durable transaction.
type Credentials struct {
	file *File
	max  int // discoverable ones; 0 for no limit
}

var _ authenticator.Credentials = (*Credentials)(nil)

// indexes is the buckets of a transaction.
type indexes struct {
	file                                    *File
	device, credentials, byID, byRP, byUser *bbolt.Bucket
}

func (c *Credentials) indexes(tx *bbolt.Tx) indexes {
	return indexes{
		file: c.file, device: tx.Bucket(deviceBucket), credentials: tx.Bucket(credentialsBucket),
		byID: tx.Bucket(byIDBucket), byRP: tx.Bucket(byRPBucket), byUser: tx.Bucket(byUserBucket),
	}
}

// ByID implements [authenticator.Credentials].
func (c *Credentials) ByID(id []byte) (found *authenticator.Credential, err error) {
	if len(id) == 0 {
		return nil, nil
	}
	err = c.file.View(func(tx *bbolt.Tx) error {
		x := c.indexes(tx)
		if order := x.byID.Get(id); order != nil {
			found, err = x.get(order)
		}
		return err
	})
	return found, err
}

// ByRP implements [authenticator.Credentials].
func (c *Credentials) ByRP(rpIDHash [32]byte) (found []*authenticator.Credential, err error) {
	err = c.file.View(func(tx *bbolt.Tx) error {
		x := c.indexes(tx)
		cursor := x.byRP.Cursor()
		for k, _ := cursor.Seek(rpIDHash[:]); bytes.HasPrefix(k, rpIDHash[:]); k, _ = cursor.Next() {
			credential, err := x.get(k[len(rpIDHash):])
			if err != nil {
				return err
			}
			found = append(found, credential)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(found)
	return found, nil
}

// Put implements [authenticator.Credentials].
func (c *Credentials) Put(credential *authenticator.Credential) error {
	if len(credential.ID) == 0 {
		return errors.New("state: a credential without an id")
	}
	return c.file.Update(func(tx *bbolt.Tx) error { return c.indexes(tx).put(credential, c.max) })
}

// Delete implements [authenticator.Credentials].
func (c *Credentials) Delete(id []byte) error {
	if len(id) == 0 {
		return nil
	}
	return c.file.Update(func(tx *bbolt.Tx) error {
		x := c.indexes(tx)
		return x.remove(x.byID.Get(id))
	})
}

// Count implements [authenticator.Credentials].
func (c *Credentials) Count() (n int, err error) {
	err = c.file.View(func(tx *bbolt.Tx) error {
		count, err := c.file.number(tx.Bucket(deviceBucket), discoverableKey)
		n = int(count)
		return err
	})
	return n, err
}

// All implements [authenticator.Credentials].
func (c *Credentials) All() (all []*authenticator.Credential, err error) {
	err = c.file.View(func(tx *bbolt.Tx) error {
		x := c.indexes(tx)
		return x.credentials.ForEach(func(order, _ []byte) error {
			credential, err := x.get(order)
			if err != nil {
				return err
			}
			all = append(all, credential)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Clear implements [authenticator.Credentials].
func (c *Credentials) Clear() error {
	return c.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{credentialsBucket, byIDBucket, byRPBucket, byUserBucket} {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return putNumber(tx.Bucket(deviceBucket), discoverableKey, 0)
	})
}

func (x indexes) get(order []byte) (*authenticator.Credential, error) {
	credential, err := DecodeCredential(x.credentials.Get(order))
	if err != nil {
		return nil, x.file.Unreadable("a credential", err)
	}
	return credential, nil
}

// put adds c in the place of those that it replaces. One with the same id and time
// of creation keeps its order.
func (x indexes) put(c *authenticator.Credential, max int) error {
	order, err := x.replace(c)
	if err != nil {
		return err
	}
	if err := x.count(c, max); err != nil {
		return err // nothing of the transaction happens
	}
	encoded, err := EncodeCredential(c)
	if err != nil {
		return err
	}
	if err := x.credentials.Put(order, encoded); err != nil {
		return err
	}
	if err := x.byID.Put(c.ID, order); err != nil {
		return err
	}
	if !c.Discoverable {
		return nil
	}
	rp := sha256.Sum256([]byte(c.RP.ID))
	if err := x.byRP.Put(slices.Concat(rp[:], order), []byte{}); err != nil {
		return err
	}
	return x.byUser.Put(slices.Concat(rp[:], c.User.ID), order)
}

// replace removes what c takes the place of and returns the order that c gets.
func (x indexes) replace(c *authenticator.Credential) ([]byte, error) {
	number, err := x.credentials.NextSequence()
	if err != nil {
		return nil, err
	}
	order := orderOf(c, number)
	if old := slices.Clone(x.byID.Get(c.ID)); old != nil {
		if len(old) == len(order) && bytes.Equal(old[:createdLen], order[:createdLen]) {
			order = old
		}
		if err := x.remove(old); err != nil {
			return nil, err
		}
	}
	if !c.Discoverable {
		return order, nil
	}
	rp := sha256.Sum256([]byte(c.RP.ID))
	return order, x.remove(slices.Clone(x.byUser.Get(slices.Concat(rp[:], c.User.ID))))
}

// count counts a discoverable c, if there is room for it.
func (x indexes) count(c *authenticator.Credential, max int) error {
	if !c.Discoverable {
		return nil
	}
	n, err := x.file.number(x.device, discoverableKey)
	if err != nil {
		return err
	}
	if max > 0 && int(n) >= max {
		return ctap.ErrKeyStoreFull
	}
	return putNumber(x.device, discoverableKey, n+1)
}

// remove removes the credential with this order from everywhere; nil is none.
func (x indexes) remove(order []byte) error {
	if order == nil {
		return nil
	}
	c, err := x.get(order)
	if err != nil {
		return err
	}
	rp := sha256.Sum256([]byte(c.RP.ID))
	err = errors.Join(x.byID.Delete(c.ID), x.credentials.Delete(order))
	if err != nil || !c.Discoverable {
		return err
	}
	n, err := x.file.number(x.device, discoverableKey)
	if err != nil || n == 0 {
		return errors.Join(err, x.file.Unreadable("the count of credentials", nil))
	}
	return errors.Join(
		x.byRP.Delete(slices.Concat(rp[:], order)),
		x.byUser.Delete(slices.Concat(rp[:], c.User.ID)),
		putNumber(x.device, discoverableKey, n-1),
	)
}

// createdLen is the length of the time of creation at the start of an order.
const createdLen = 12

// orderOf returns the order of a new credential: seconds and nanoseconds of its
// creation, then a number that makes it unique.
func orderOf(c *authenticator.Credential, number uint64) []byte {
	const sign = 1 << 63 // so that times before 1970 sort first
	b := binary.BigEndian.AppendUint64(nil, uint64(c.CreatedAt.Unix())^sign)
	b = binary.BigEndian.AppendUint32(b, uint32(c.CreatedAt.Nanosecond()))
	return binary.BigEndian.AppendUint64(b, number)
}
