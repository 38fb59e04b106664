package interop

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// patience is how long a host may take to say where it listens, unless its target says
// otherwise; goodbye is how long it may take to end.
const (
	patience = 30 * time.Second
	goodbye  = 5 * time.Second
)

// Host is a server that runs.
type Host struct {
	Target  Target
	Address string // such as http://localhost:40123

	input io.Closer
	kill  context.CancelFunc
	ended chan error
	said  *lastWords
}

// Start starts a server that was fetched, with these environment variables besides its
// own. It ends with Stop, with ctx, and when this process ends however it does: its
// standard input is a pipe from here.
func (t Target) Start(ctx context.Context, root, cache string, env ...string) (*Host, error) {
	is, err := t.fetched(root, cache)
	if err != nil {
		return nil, err
	}
	if program := t.missing(); !is || program != "" {
		return nil, &Absent{t, "it was not fetched; make interop does that"}
	}
	ctx, kill := context.WithCancel(ctx)
	c := exec.CommandContext(ctx, t.Command[0], t.Command[1:]...)
	c.Dir, c.Env, c.WaitDelay = t.folder(cache), append(os.Environ(), env...), goodbye
	h := &Host{Target: t, kill: kill, ended: make(chan error, 1), said: &lastWords{}}
	c.Stderr = h.said
	in, err := c.StdinPipe()
	if err != nil {
		kill()
		return nil, err
	}
	h.input = in
	c.Cancel = in.Close // as Stop does: a host may have programs of its own to end
	found := make(chan string, 1)
	c.Stdout = &announcement{found: found, rest: h.said}
	if err := c.Start(); err != nil {
		kill()
		return nil, err
	}
	go func() { h.ended <- c.Wait() }()
	return h, h.wait(ctx, found)
}

// wait waits until the host says where it listens.
func (h *Host) wait(ctx context.Context, found <-chan string) error {
	limit := cmp.Or(h.Target.Patience, patience)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var why error
	select {
	case h.Address = <-found:
		return nil
	case err := <-h.ended:
		h.ended <- err
		why = fmt.Errorf("ended: %w", errors.Join(err, ctx.Err()))
	case <-timer.C:
		why = fmt.Errorf("did not say where it listens within %v", limit)
	case <-ctx.Done():
		why = ctx.Err()
	}
	h.Stop()
	return fmt.Errorf("the host of %s %w\n%s", h.Target.Library, why, h.said)
}

// Stop ends the server: it is asked to by closing its input, and killed if it does not.
func (h *Host) Stop() {
	_ = h.input.Close() // already closed when the host ended by itself
	defer h.kill()
	select {
	case <-h.ended:
	case <-time.After(goodbye):
		h.kill()
		<-h.ended
	}
}

// Said returns the end of what the host wrote, for a report on what went wrong.
func (h *Host) Said() string { return h.said.String() }

// announcement finds the line with the address in what a host writes.
type announcement struct {
	found chan<- string
	line  bytes.Buffer
	done  bool
	rest  io.Writer
}

func (a *announcement) Write(p []byte) (int, error) {
	if a.done {
		return a.rest.Write(p)
	}
	a.line.Write(p)
	for s := bufio.NewScanner(bytes.NewReader(a.line.Bytes())); s.Scan(); {
		if address, ok := strings.CutPrefix(s.Text(), ready); ok && strings.HasSuffix(a.line.String(), "\n") {
			a.done = true
			a.found <- strings.TrimSpace(address)
			break
		}
	}
	return len(p), nil
}

// lastWords keeps the end of what is written to it.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - 8<<10; over > 0 {
		l.text = append([]byte(nil), l.text[over:]...)
	}
	return len(p), nil
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return tail(string(l.text), 20)
}
