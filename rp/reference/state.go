package reference

import (
	"errors"
	"fmt"
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
	failed error      // why something could not be saved
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

// Close lets go of the directory. A nil State has none.
func (s *State) Close() error {
	if s == nil {
		return nil
	}
	return errors.Join(os.Remove(s.mark), s.file.Close())
}

// Path returns the file.
func (s *State) Path() string { return s.file.Path() }

// write is one record to be written; without a value, to be taken out.
type write struct {
	place
	value []byte
}

// commit writes records in one transaction.
func (s *State) commit(writes []write) error {
	return s.file.Update(func(tx *bbolt.Tx) error {
		for _, w := range writes {
			b, err := tx.CreateBucketIfNotExists([]byte(w.bucket))
			if err != nil {
				return err
			}
			if w.value == nil {
				err = b.Delete([]byte(w.key))
			} else {
				err = b.Put([]byte(w.key), w.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// each reads all records, in the order of [buckets] and of their keys.
func (s *State) each(do func(p place, value []byte) error) error {
	return s.file.View(func(tx *bbolt.Tx) error {
		known := buckets()
		err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if b := string(name); b != "header" && !slices.Contains(known, b) {
				return s.file.Unreadable("the bucket "+strconv.Quote(b), nil)
			}
			return nil
		})
		for _, name := range known {
			b := tx.Bucket([]byte(name))
			if b == nil || err != nil {
				continue
			}
			err = b.ForEach(func(k, v []byte) error { return do(place{name, string(k)}, v) })
		}
		return err
	})
}
