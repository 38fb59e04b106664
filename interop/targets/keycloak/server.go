package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// distribution is the folder that the distribution was unpacked in.
type distribution string

// unpacked finds the distribution below the working directory.
func unpacked() (distribution, error) {
	found, err := filepath.Glob("keycloak-*/bin/kc.sh")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%d distributions of Keycloak are here, want one: %w", len(found), err)
	}
	return distribution(filepath.Dir(filepath.Dir(found[0]))), nil
}

func (d distribution) data() string { return filepath.Join(string(d), "data") }

// command is kc.sh in a process group of its own, with the program that it starts.
func (d distribution) command(ctx context.Context, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(string(d), "bin", "kc.sh")}, arguments...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // all it had is a copy
	c.Env = append(os.Environ(), "JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1")
	c.Stderr = os.Stderr
	return c
}

// build has Keycloak make itself ready for options that hold for all starts: a database
// in a file, and no cluster.
func (d distribution) build(ctx context.Context) error {
	c := d.command(ctx, "build", "--db=dev-file", "--cache=local")
	c.Stdout = os.Stderr
	return c.Run()
}

// server is Keycloak that runs.
type server struct {
	port    string
	command *exec.Cmd
	said    chan error // that what it says has ended
}

// started is what it says when it listens.
var started = regexp.MustCompile(`Listening on: http://127\.0\.0\.1:\d+`)

// start starts the server on loopback and waits until it listens.
func (d distribution) start(ctx context.Context, more ...string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c := d.command(ctx, append([]string{"start", "--optimized", "--http-enabled=true", "--http-host=127.0.0.1", "--http-port=" + port, "--hostname-strict=false"}, more...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	s := &server{port: port, command: c, said: make(chan error, 1)}
	listens := make(chan struct{})
	go func() { s.said <- follow(out, listens) }()
	select {
	case <-listens:
		return s, nil
	case err := <-s.said:
		return nil, errors.Join(errors.New("it ended before it listened"), err, c.Wait(), ctx.Err())
	}
}

// follow passes on what the server says, and tells when it listens.
func follow(out io.Reader, listens chan<- struct{}) error {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(os.Stderr, lines.Text())
		if listens != nil && started.Match(lines.Bytes()) {
			close(listens)
			listens = nil
		}
	}
	return lines.Err()
}

// wait waits until the server ends.
func (s *server) wait() error {
	err := <-s.said
	return errors.Join(err, s.command.Wait())
}

// end has the server end by itself, so that its database is whole.
func (s *server) end() error {
	if err := syscall.Kill(-s.command.Process.Pid, syscall.SIGTERM); err != nil {
		return err
	}
	late := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL) })
	err := s.wait()
	if !late.Stop() {
		return errors.New("it did not end within a minute")
	}
	if status, ok := errors.AsType[*exec.ExitError](err); ok && status.ExitCode() == 128+int(syscall.SIGTERM) {
		return nil // as asked
	}
	return err
}

// freePort returns a port of loopback where nobody listens.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
