// Command keycloak is Keycloak's distribution with the realms of realm.json: one for each
// attestation conveyance, named after it. It works in the folder that the distribution
// was unpacked in.
//
//	keycloak prepare   builds the server, and a database that has its tables
//	keycloak           serves a copy of that database; listens on loopback, says where,
//	                   and ends with its standard input
//
// INTEROP_MAIL names the host and port to which it sends mail.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := serve
	if len(os.Args) > 1 && os.Args[1] == "prepare" {
		do = prepare
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fresh is the folder with the database as prepare made it.
const fresh = "fresh"

// prepare builds the server for the options that it is going to be started with, and has
// it make its tables once: that takes longer than all else that it does when it starts.
func prepare(ctx context.Context) error {
	d, err := unpacked()
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(d.data()), os.RemoveAll(fresh)); err != nil {
		return err
	}
	if err := d.build(ctx); err != nil {
		return err
	}
	s, err := d.start(ctx)
	if err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	return os.Rename(d.data(), fresh)
}

// serve serves until standard input ends.
func serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, os.Stdin) // of no interest but that it ends
	}()
	d, err := unpacked()
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(d.data()), os.CopyFS(d.data(), os.DirFS(fresh))); err != nil {
		return err
	}
	if err := writeRealms(filepath.Join(d.data(), "import"), os.Getenv("INTEROP_MAIL")); err != nil {
		return err
	}
	s, err := d.start(ctx, "--import-realm")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://localhost:%s\n", s.port)
	if err := s.wait(); ctx.Err() == nil {
		return fmt.Errorf("it ended: %w", err)
	}
	return nil // as asked
}
