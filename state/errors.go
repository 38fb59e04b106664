package state

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"
)

// Problem is what is wrong with a file, for programs. It is an error for
// errors.Is:
//
//	errors.Is(err, state.InUse)
type Problem string

// The problems of an [Error].
const (
	NotState  Problem = "not a state file"
	Truncated Problem = "truncated"
	Damaged   Problem = "damaged"
	Newer     Problem = "of a newer version"
	OtherKind Problem = "of another kind"
	InUse     Problem = "in use by another process"
	DiskFull  Problem = "disk full"
	Failed    Problem = "failed" // Err says how
)

// Error returns the problem.
func (p Problem) Error() string { return string(p) }

// Error is a file that cannot be opened, read or written.
type Error struct {
	Path    string
	Problem Problem
	Detail  string // more about it; may be empty
	Hint    string // what to do; may be empty
	Err     error  // what lies beneath; may be nil
}

// Error returns the path, what is wrong with it and what to do.
func (e *Error) Error() string {
	s := fmt.Sprintf("state file %s: %s", e.Path, e.Problem)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the problem and what lies beneath.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Problem}
	}
	return []error{e.Problem, e.Err}
}

const restoreHint = "restore it from a backup, or move it away to begin with a new one"

// damage is what is wrong inside a file, before its path is known.
type damage struct {
	problem Problem
	detail  string
}

func (d *damage) Error() string { return string(d.problem) + ": " + d.detail }

func damaged(format string, args ...any) error {
	return &damage{Damaged, fmt.Sprintf(format, args...)}
}

// explain makes an *Error of what opening or writing a file ended with.
func explain(path string, err error) error {
	var known *Error
	var inside *damage
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.As(err, &inside):
		hint := restoreHint
		if inside.problem == NotState {
			hint = "was another file meant? It was left as it is"
		}
		return &Error{Path: path, Problem: inside.problem, Detail: inside.detail, Hint: hint}
	case isFull(err):
		return &Error{Path: path, Problem: DiskFull, Hint: "the change was not made; make room and try again", Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &Error{Path: path, Problem: Failed, Hint: "its owner must be able to read and to write it", Err: err}
	}
	return &Error{Path: path, Problem: Failed, Err: err}
}

// isFull tells whether there was no room. bbolt tells of some failures in words
// alone.
func isFull(err error) bool {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) || strings.Contains(err.Error(), full.Error()) {
			return true
		}
	}
	return errors.Is(err, berrors.ErrMaxSizeReached)
}

// Unreadable is the error for something in a sound file that makes no sense: what, such
// as "a credential", and why.
func (f *File) Unreadable(what string, err error) error {
	return &Error{Path: f.path, Problem: Damaged, Detail: what + " cannot be read", Hint: restoreHint, Err: err}
}
