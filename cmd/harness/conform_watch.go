package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"fido-emu/ctap/conformance"
)

// realRand is the randomness of runs on keys that are not emulated here.
var realRand io.Reader = rand.Reader

// conformSinks is told how a run goes on: it writes results to files, to standard
// output with --json, and keeps a line on a terminal up to date.
type conformSinks struct {
	writers []io.Writer
	files   []*os.File
	line    *progressLine // nil where there is no terminal
	done    map[string]conformance.Result
	err     error
}

func (f conformFlags) openSinks(u ui, _ []conformance.Group) (*conformSinks, error) {
	done, err := f.resumed()
	if err != nil {
		return nil, err
	}
	files, err := f.files()
	if err != nil {
		return nil, err
	}
	s := &conformSinks{files: files, done: done}
	for _, file := range files {
		s.writers = append(s.writers, file)
	}
	if f.json {
		s.writers = append(s.writers, u.out)
	}
	if isTerminal(u.err) {
		s.line = &progressLine{w: u.err, began: time.Now()}
	}
	return s, nil
}

// Begins implements [conformance.Observer].
func (s *conformSinks) Begins(c *conformance.Case, number, of int) {
	if s.line != nil {
		s.line.show(fmt.Sprintf("%d of %d: %s", number, of, c.ID))
	}
}

// Ends implements [conformance.Observer].
func (s *conformSinks) Ends(r *conformance.Result) {
	for _, w := range s.writers {
		s.err = errors.Join(s.err, conformance.WriteResult(w, r))
	}
}

func (s *conformSinks) close() error {
	if s.line != nil {
		s.line.clear()
	}
	for _, f := range s.files {
		s.err = errors.Join(s.err, f.Close())
	}
	return s.err
}

// progressLine is a line on a terminal that is written over; it shows when something
// takes longer than two seconds.
type progressLine struct {
	w     io.Writer
	began time.Time
	last  time.Time
	shown bool
}

// What a line on a terminal waits for: before it first shows, and between two.
const (
	progressAfter = 2 * time.Second
	progressEvery = 100 * time.Millisecond
)

func (p *progressLine) show(text string) {
	now := time.Now()
	if now.Sub(p.began) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r\x1b[K%s", text)
}

func (p *progressLine) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
