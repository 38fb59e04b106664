package reference

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"fido-emu/state"
)

// The files in the directory of a [State].
const (
	stateName   = "relying-party.db"
	processName = "process" // the number of the process that has the directory
)

// stateFormat is that of relying-party.db: a bucket for each of the constants below, of
// records that sealed makes.
var stateFormat = state.Format{Kind: "relying-party", Version: 1}

// The buckets, in the order in which they are read.
const (
	inSettings   = "settings"   // one record each, under the names below
	inNames      = "names"      // folded user name → nameRecord
	inSessions   = "sessions"   // hash of the token → sessionRecord
	inAudit      = "audit"      // numbered → Event
	inSignIns    = "sign-ins"   // numbered → rp.SignInEntry
	inRecoveries = "recoveries" // numbered → rp.RecoveryEvent
	inMessages   = "messages"   // numbered → rp.Message
)

// The records among the settings.
const (
	settingSite     = "site"     // siteRecord; the first to be written
	settingPolicies = "policies" // policiesRecord
	settingGroups   = "groups"   // []string
	settingMethods  = "methods"  // rp.MethodPolicy
	settingAccess   = "access"   // []rp.AccessRule
	settingMetadata = "metadata" // metadataRecord
	settingHolders  = "holders"  // map[string]string, by address
	settingRecovery = "recovery" // recovery.Snapshot
)

func buckets() []string {
	return []string{inSettings, inNames, inSessions, inAudit, inSignIns, inRecoveries, inMessages}
}

// State keeps a relying party in a directory ([Config].State), readable by its owner
// alone and in use by this process until Close.
//
// Everything is kept but what is under way: ceremonies that were begun and challenges of
// provisioning, sign-ins and resets with other methods, with their codes and requests, and
// open cases of account recovery end with the process. Sessions go on, as people expect
// of a site that was restarted.
//
// [Handler] answers when what its request changed is on the disk, and so is what
// it may have seen of other requests. What cannot be saved is answered with 503, and
// so is everything after it, because memory is ahead of the file then: [Serve] ends. What was
// answered with 503 did not happen, for whoever starts the relying party again.
type State struct {
	file *state.File
	mark string        // file with the number of this process
	lost chan struct{} // closed once something could not be saved

	mu     sync.Mutex // one transaction at a time
	sum    sum
	failed error // why something could not be saved
}

// OpenState opens the state in a directory, or makes one. The error is about the directory, or a
// [*state.Error], which names the file and says what to do; what is refused is left as it is.
func OpenState(dir string) (*State, error) {
	file, err := state.Open(filepath.Join(dir, stateName), stateFormat)
	s := &State{file: file, mark: filepath.Join(dir, processName), lost: make(chan struct{})}
	if err != nil {
		return nil, s.named(err)
	}
	if err := os.WriteFile(s.mark, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// named adds to an error about a file in use which process has it, as far as that is known.
func (s *State) named(err error) error {
	inUse, ok := errors.AsType[*state.Error](err)
	if !ok || inUse.Problem != state.InUse {
		return err
	}
	text, readErr := os.ReadFile(s.mark)
	if pid, numberErr := strconv.Atoi(strings.TrimSpace(string(text))); readErr == nil && numberErr == nil {
		inUse.Detail = fmt.Sprintf("process %d", pid)
	}
	inUse.Hint = "end that process, or name another directory"
	return inUse
}

// Close lets go of the directory. A nil State has none, nor has one that was closed.
func (s *State) Close() error {
	if s == nil {
		return nil
	}
	err := os.Remove(s.mark)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, s.file.Close())
}

// Path returns the file.
func (s *State) Path() string { return s.file.Path() }

// write is one record to be written; without a value, to be taken out.
type write struct {
	place
	value []byte
}

// commit writes records in one transaction, and what all records then come to.
func (s *State) commit(writes []write) error {
	sum := s.sum
	err := s.file.Update(func(tx *bbolt.Tx) error {
		for _, w := range writes {
			b, err := tx.CreateBucketIfNotExists([]byte(w.bucket))
			if err != nil {
				return err
			}
			sum.swap(b.Get([]byte(w.key)), w.value)
			if w.value == nil {
				err = b.Delete([]byte(w.key))
			} else {
				err = b.Put([]byte(w.key), w.value)
			}
			if err != nil {
				return err
			}
		}
		return sum.put(tx)
	})
	if err == nil {
		s.sum = sum
	}
	return err
}

// each reads all records, in the order of [buckets] and of their keys.
func (s *State) each(do func(p place, value []byte) error) error {
	return s.file.View(func(tx *bbolt.Tx) error {
		known := buckets()
		err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if b := string(name); b != "header" && b != inSum && !slices.Contains(known, b) {
				return s.file.Unreadable("the bucket "+strconv.Quote(b), nil)
			}
			return nil
		})
		s.sum = sum{}
		for _, name := range known {
			b := tx.Bucket([]byte(name))
			if b == nil || err != nil {
				continue
			}
			err = b.ForEach(func(k, v []byte) error {
				s.sum.swap(nil, v)
				return do(place{name, string(k)}, v)
			})
		}
		if err == nil && !s.sum.is(tx) {
			err = s.file.Unreadable("the whole", errors.New("there are not the records that there were"))
		}
		return err
	})
}

// sum is what all records come to, however they are ordered: that none is missing, and none
// is an older one. It is kept beside them as 12 bytes, big endian.
type sum struct {
	records uint64
	sums    uint32 // of their checksums, modulo 2³²
}

// inSum is the bucket of the sum, and its only key.
const inSum = "sum"

// swap takes a record out and puts one in; nil is none.
func (s *sum) swap(out, in []byte) {
	if len(out) >= checksumSize {
		s.records--
		s.sums -= binary.BigEndian.Uint32(out)
	}
	if len(in) >= checksumSize {
		s.records++
		s.sums += binary.BigEndian.Uint32(in)
	}
}

func (s sum) bytes() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, s.records), s.sums)
}

func (s sum) put(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists([]byte(inSum))
	if err != nil {
		return err
	}
	return b.Put([]byte(inSum), s.bytes())
}

// is tells whether this is the sum that is kept. Where nothing is kept there are no
// records.
func (s sum) is(tx *bbolt.Tx) bool {
	b := tx.Bucket([]byte(inSum))
	if b == nil {
		return s == sum{}
	}
	return bytes.Equal(b.Get([]byte(inSum)), s.bytes())
}
