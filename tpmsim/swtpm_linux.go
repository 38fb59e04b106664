package tpmsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"golang.org/x/sys/unix"
)

// swtpmPatience is how long swtpm has to end by itself once its socket is closed.
const swtpmPatience = 5 * time.Second

// swtpm is a TPM in a process of its own. They share one socket pair, so that
// nothing in the file system leads to the TPM, and swtpm ends when this process
// does, whatever its end is.
type swtpm struct {
	transport.TPM
	program   string
	dir       string
	temporary bool // dir is ours to remove
	process   *exec.Cmd
	conn      net.Conn
	messages  *bytes.Buffer // standard error; read it once the process has ended
}

func openSwtpm(ctx context.Context, dir string) (backend, error) {
	program, err := exec.LookPath("swtpm")
	if err != nil {
		return nil, fmt.Errorf("%w: the program swtpm is missing; install Debian's package swtpm", ErrUnavailable)
	}
	s := &swtpm{program: program, dir: dir}
	if dir == "" {
		if s.dir, err = os.MkdirTemp("", "tpmsim-"); err != nil {
			return nil, err
		}
		s.temporary = true
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// start runs the process and waits for its first answer.
func (s *swtpm) start(ctx context.Context) error {
	ours, theirs, err := socketPair()
	if err != nil {
		return fmt.Errorf("swtpm: %w", err)
	}
	s.conn, s.messages = ours, &bytes.Buffer{}
	s.TPM = transport.FromReadWriter(ours)
	s.process = exec.Command(s.program, "socket", "--tpm2", "--fd", "3", // the first of ExtraFiles
		"--tpmstate", "dir="+s.dir+",mode=0600", "--flags", "not-need-init,startup-clear")
	s.process.ExtraFiles = []*os.File{theirs}
	s.process.Stderr = s.messages
	err = s.process.Start()
	theirs.Close() // the process has its own
	if err != nil {
		ours.Close()
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return s.greet(ctx)
}

// greet waits until the TPM answers, or says why it does not.
func (s *swtpm) greet(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.process.Process.Kill() })
	defer stop()
	_, err := tpm2.GetRandom{BytesRequested: 1}.Execute(s)
	if err == nil {
		return nil
	}
	s.end()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said := strings.Join(strings.Fields(s.messages.String()), " ")
	if strings.Contains(said, "lock") {
		return fmt.Errorf("%w: another swtpm has %s open; end it or choose another directory (%s)", ErrInUse, s.dir, said)
	}
	return fmt.Errorf("%w: swtpm does not start with %s; move the directory's content away to start with a new TPM (%w; %s)", ErrState, s.dir, err, said)
}

// socketPair returns two connected sockets: a connection, and a file for another
// process.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "swtpm"), os.NewFile(uintptr(fds[1]), "swtpm")
	conn, err := net.FileConn(ours) // has a descriptor of its own
	ours.Close()
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

// restart ends the process and starts it again with the same state.
func (s *swtpm) restart(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	return s.start(ctx)
}

// save has nothing to do: swtpm writes its state before it answers.
func (s *swtpm) save() error { return nil }

func (s *swtpm) shutdown() error { return errors.Join(s.stop(), s.remove()) }

// stop ends the TPM in good order.
func (s *swtpm) stop() error {
	_, err := tpm2.Shutdown{ShutdownType: tpm2.TPMSUClear}.Execute(s)
	s.end()
	if err != nil {
		return fmt.Errorf("swtpm: TPM2_Shutdown: %w", err)
	}
	return nil
}

// end closes the socket, at which swtpm ends, and sees to it that it does.
func (s *swtpm) end() {
	s.conn.Close()
	late := time.AfterFunc(swtpmPatience, func() { s.process.Process.Kill() })
	defer late.Stop()
	// How it ended does not matter: its state is written, and it is gone.
	_ = s.process.Wait()
}

func (s *swtpm) remove() error {
	if !s.temporary {
		return nil
	}
	return os.RemoveAll(s.dir)
}
