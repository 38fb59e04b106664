package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Kind is what a file holds, such as "device".
type Kind string

// Format is a kind and the newest version of it that the program knows. Versions
// count from 1.
type Format struct {
	Kind    Kind
	Version uint32
}

// lockTimeout is how long opening waits for another process to let go.
const lockTimeout = 300 * time.Millisecond

var (
	headerBucket = []byte("header")
	kindKey      = []byte("kind")
	versionKey   = []byte("version")
)

// File is an open state file. It belongs to this process until Close. It is safe
// for concurrent use.
type File struct {
	path    string
	version uint32
	db      *bbolt.DB
}

// Open opens the file at path, or makes a new one where there is none. Its error
// is an [*Error]; a file that is refused is left as it is.
func Open(path string, format Format) (*File, error) {
	for range 8 { // another process may make the file, or take it away, at the same time
		f, err := openExisting(path, format)
		if errors.Is(err, fs.ErrNotExist) {
			f, err = create(path, format)
		}
		if !errors.Is(err, errRaced) {
			return f, explain(path, err)
		}
	}
	return nil, explain(path, errRaced)
}

var errRaced = errors.New("other processes keep making and removing the file")

// Path returns where the file is.
func (f *File) Path() string { return f.path }

// Version returns the version of the format that the file is in, which may be
// older than the newest.
func (f *File) Version() uint32 { return f.version }

// Close lets go of the file.
func (f *File) Close() error { return explain(f.path, f.db.Close()) }

// View reads within one consistent state. An error of do is returned as it is.
func (f *File) View(do func(tx *bbolt.Tx) error) error {
	return f.transact(f.db.View, do)
}

// Update changes the file in one transaction: when it returns nil the change is
// on the disk, otherwise nothing has changed. An error of do is returned as it is.
func (f *File) Update(do func(tx *bbolt.Tx) error) error {
	return f.transact(f.db.Update, do)
}

func (f *File) transact(run func(func(*bbolt.Tx) error) error, do func(*bbolt.Tx) error) error {
	var own error
	err := run(func(tx *bbolt.Tx) error {
		own = do(tx)
		return own
	})
	if own != nil {
		return own
	}
	return explain(f.path, err)
}

// openExisting opens a file that is there. It is locked and looked at before
// bbolt maps it.
func openExisting(path string, format Format) (*File, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		NoStatistics: true,
		OpenFile: func(string, int, os.FileMode) (*os.File, error) {
			return openFile(path, os.O_RDWR, lockTimeout, check)
		},
	})
	if err != nil {
		return nil, err
	}
	f := &File{path: path, db: db}
	err = f.View(func(tx *bbolt.Tx) error { return f.readHeader(tx, format) })
	if err == nil {
		err = restrict(path)
	}
	if err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	return f, nil
}

// restrict takes away what rights others have to a file.
func restrict(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return os.Chmod(path, 0o600)
}

// openFile opens and locks a file and lets look decide about it.
func openFile(path string, flag int, patience time.Duration, look func(*os.File) error) (*os.File, error) {
	file, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err = lock(file, path, patience); err == nil {
		err = look(file)
	}
	if err != nil {
		return nil, errors.Join(explainSame(path, err), file.Close())
	}
	return file, nil
}

// explainSame explains what is known to be about the file and passes on what
// Open has to see itself.
func explainSame(path string, err error) error {
	if errors.Is(err, errRaced) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return explain(path, err)
}

// create makes a new file under a name of its own, and gives it the name it is to
// have once it is complete. Whoever waits for the same lock finds the other name
// gone then, and starts again.
func create(path string, format Format) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	temporary := path + ".new"
	db, err := bbolt.Open(temporary, 0o600, &bbolt.Options{
		NoStatistics: true,
		OpenFile: func(string, int, os.FileMode) (*os.File, error) {
			return openFile(temporary, os.O_RDWR|os.O_CREATE, lockTimeout, func(file *os.File) error { return claim(file, path, temporary) })
		},
	})
	if err != nil {
		return nil, err
	}
	f := &File{path: path, version: format.Version, db: db}
	if err = f.Update(func(tx *bbolt.Tx) error { return writeHeader(tx, format) }); err == nil {
		err = publish(temporary, path)
	}
	if err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	return f, nil
}

// claim makes sure that a locked temporary file is still the one of that name and
// still needed, and empties it.
func claim(file *os.File, path, temporary string) error {
	mine, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(temporary)
	if err != nil || !os.SameFile(mine, named) {
		return errRaced
	}
	if _, err := os.Stat(path); err == nil {
		return errors.Join(errRaced, os.Remove(temporary))
	}
	return file.Truncate(0)
}

// publish gives a complete file its name, durably.
func publish(temporary, path string) error {
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

func writeHeader(tx *bbolt.Tx, format Format) error {
	header, err := tx.CreateBucket(headerBucket)
	if err != nil {
		return err
	}
	if err := header.Put(kindKey, []byte(format.Kind)); err != nil {
		return err
	}
	return header.Put(versionKey, binary.BigEndian.AppendUint32(nil, format.Version))
}

// readHeader checks that the file is of a format that is known.
func (f *File) readHeader(tx *bbolt.Tx, format Format) error {
	header := tx.Bucket(headerBucket)
	if header == nil {
		return &damage{NotState, "a database without a header"}
	}
	kind, version := Kind(header.Get(kindKey)), header.Get(versionKey)
	if kind != format.Kind {
		return &Error{
			Path: f.path, Problem: OtherKind, Detail: fmt.Sprintf("it holds a %q, not a %q", kind, format.Kind),
			Hint: "name another file",
		}
	}
	if len(version) != 4 || binary.BigEndian.Uint32(version) == 0 {
		return damaged("its version is not a number")
	}
	f.version = binary.BigEndian.Uint32(version)
	if f.version > format.Version {
		return &Error{
			Path: f.path, Problem: Newer, Detail: fmt.Sprintf("version %d; this program knows up to %d", f.version, format.Version),
			Hint: "use the program that wrote it, or a newer one",
		}
	}
	return nil
}
