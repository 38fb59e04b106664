package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"fido-emu/identity/phone"
	"fido-emu/identity/services"
)

// identityFlags is what the command line says about the services.
type identityFlags struct{ listen, public, origin, state string }

func serveIdentity(ctx context.Context, u ui, f identityFlags) error {
	l, err := listen(ctx, f.listen)
	if err != nil {
		return err
	}
	config, err := f.config(l, u)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	s, store, err := openIdentity(config, f.state)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	fmt.Fprintf(u.out, "identity services at %s, listening on http://%s\nthe wallets of the test people are at %s\n%s\n",
		config.BaseURL, l.Addr(), cmp.Or(config.PublicURL, config.BaseURL)+phone.Root, f.keeps())
	if u.getenv(identityKeyVariable) == "" {
		fmt.Fprintf(u.err, "key, for this run only: %s\n", config.Key)
	}
	go deliver(ctx, s, u)
	err = serveHTTP(ctx, l, s)
	if store != nil {
		err = errors.Join(err, store.Close())
	}
	return err
}

func (f identityFlags) config(l net.Listener, u ui) (services.Config, error) {
	key := u.getenv(identityKeyVariable)
	if key == "" {
		key = rand.Text()
	}
	base, err := onLoopback(l)
	return services.Config{
		Now: time.Now, Rand: rand.Reader, Client: &http.Client{Timeout: 30 * time.Second},
		BaseURL: base, PublicURL: strings.TrimSuffix(f.public, "/"), Key: key, AdminKey: key, Tenant: identityTenant, Origin: f.origin,
	}, err
}

// keeps says where everything is kept.
func (f identityFlags) keeps() string {
	if f.state == "" {
		return "kept in memory, until it ends; --state DIR keeps it"
	}
	return "kept in " + f.state
}

// onLoopback returns how a listener is reached from this computer. The services are
// named after that, and not after an address of a network: a did:web needs TLS there.
func onLoopback(l net.Listener) (string, error) {
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() && !at.IP.IsUnspecified() {
		return "", usage(fmt.Sprintf("use --listen 0.0.0.0:%[2]d --public-url http://%[1]s:%[2]d", at.IP, at.Port),
			"%s is not on loopback, where the DIDs of the services have to be", l.Addr())
	}
	return fmt.Sprintf("http://localhost:%d", at.Port), nil
}

// openIdentity makes the services, with what a directory keeps of them; "" keeps nothing.
func openIdentity(config services.Config, dir string) (*services.Services, *services.Store, error) {
	if dir == "" {
		s, err := services.New(config)
		if err != nil {
			err = &exit{code: exitUsage, err: err}
		}
		return s, nil, err
	}
	if err := wantDirectory(dir); err != nil {
		return nil, nil, err
	}
	store, err := services.OpenStore(dir)
	if err != nil {
		return nil, nil, &exit{code: exitBench, err: err}
	}
	config.Save = store.Save
	var s *services.Services
	if config.Kept, err = store.Kept(); err == nil {
		s, err = services.New(config)
	}
	if err != nil {
		err = &exit{code: exitBench, err: fmt.Errorf("%s: %w", store.Path(), err), hint: "restore it from a backup, or name another directory to begin with a new one"}
		return nil, nil, errors.Join(err, store.Close())
	}
	return s, store, nil
}

// wantDirectory refuses a file where a directory is to be named.
func wantDirectory(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return usage("name a directory; it is made where there is none", "--state %s: it is a file", dir)
	}
	return nil
}

// deliver sends callbacks again that were not taken, until ctx is done.
func deliver(ctx context.Context, s *services.Services, u ui) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if _, err := s.Requests.Deliver(ctx); err != nil && ctx.Err() == nil {
				fmt.Fprintln(u.err, err)
			}
		}
	}
}
