package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/identity/document"
	"fido-emu/identity/person"
	"fido-emu/identity/phone"
	"fido-emu/identity/services"
	"fido-emu/rp/reference"
)

// identityKeyVariable is the environment variable that holds the key with which a
// relying party asks the services.
const identityKeyVariable = "HARNESS_IDENTITY_KEY"

// identityTenant is the relying party's name at the services.
const identityTenant = "relying-party"

// identityFlags is what the command line says about the services.
type identityFlags struct{ listen, public, origin, state string }

func identityCommand(u ui) *cobra.Command {
	var f identityFlags
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve doubles of what proves who somebody is: verification providers, Verified IDs, wallets, presentation requests",
		Long: "serve runs the verification providers with the issuers of their Verified IDs, the request service\n" +
			"with its Face Check, and the wallets of the test people as pages (/wallet/), until it is interrupted.\n" +
			"What they know is forgotten then, unless --state names a directory. A relying party finds them by\n" +
			"the address (harness rp serve --identity) and asks with a key, taken from the environment variable\n" +
			identityKeyVariable + ", or made up and printed. The same key opens the faults of the providers.",
		Example: "  harness identity serve --state ~/identity\n" +
			"  harness identity serve --listen 0.0.0.0:8070 --public-url http://192.168.1.20:8070   # for a phone on the same network",
		RunE: func(c *cobra.Command, _ []string) error { return serveIdentity(c.Context(), u, f) },
	}
	flags := serve.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8070", "address and port")
	flags.StringVar(&f.public, "public-url", "", "address under which browsers on other devices reach the pages (default: http://localhost and the port)")
	flags.StringVar(&f.origin, "origin", "http://localhost:8080", "origin of the relying party, which wallets are told")
	flags.StringVar(&f.state, "state", "", "directory that keeps issuers, status lists and wallets (default: they last as long as the process)")
	return group("identity", "Doubles of what proves who somebody is", serve, identityPeopleCommand(u), identityDocumentCommand())
}

func serveIdentity(ctx context.Context, u ui, f identityFlags) (err error) {
	l, err := listen(ctx, f.listen)
	if err != nil {
		return err
	}
	served := false
	defer func() {
		if !served {
			err = errors.Join(err, l.Close())
		}
	}()
	key := u.getenv(identityKeyVariable)
	if key == "" {
		key = rand.Text()
	}
	config := services.Config{
		Now: time.Now, Rand: rand.Reader, Client: &http.Client{Timeout: 30 * time.Second},
		PublicURL: strings.TrimSuffix(f.public, "/"), Key: key, AdminKey: key, Tenant: identityTenant, Origin: f.origin,
	}
	if config.BaseURL, err = onLoopback(l); err != nil {
		return err
	}
	s, store, err := openIdentity(config, f.state)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	fmt.Fprintf(u.out, "identity services at %s, listening on http://%s\n", config.BaseURL, l.Addr())
	fmt.Fprintf(u.out, "the wallets of the test people are at %s\n", cmp.Or(config.PublicURL, config.BaseURL)+phone.Root)
	if u.getenv(identityKeyVariable) == "" {
		fmt.Fprintf(u.err, "key, for this run only: %s\n", key)
	}
	served = true
	go deliver(ctx, s, u)
	return serveHTTP(ctx, l, s)
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
		return s, nil, usageError(err)
	}
	store, err := services.OpenStore(dir)
	if err != nil {
		return nil, nil, &exit{code: exitBench, err: err}
	}
	if config.Kept, err = store.Kept(); err == nil {
		config.Save = store.Save
		var s *services.Services
		if s, err = services.New(config); err == nil {
			return s, store, nil
		}
	}
	return nil, nil, errors.Join(&exit{code: exitBench, err: fmt.Errorf("%s: %w", store.Path(), err), hint: "restore it from a backup, or name another directory to begin with a new one"}, store.Close())
}

// usageError is an error of what the command line says; nil of nil.
func usageError(err error) error {
	if err == nil {
		return nil
	}
	return &exit{code: exitUsage, err: err}
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

// enableIdentity has a relying party use the services at an address. public is where
// other devices open its pages, "" for where everybody does.
func enableIdentity(ctx context.Context, u ui, core *reference.Core, address, callback, public string) error {
	key := u.getenv(identityKeyVariable)
	if key == "" {
		return usage("set "+identityKeyVariable+" to the key that harness identity serve was started with, or printed", "rp serve --identity needs a key to ask with")
	}
	client := &http.Client{Timeout: 30 * time.Second}
	d, err := services.Find(ctx, client, address)
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	var linkage []byte
	if d.Linkage != nil {
		if linkage, err = json.Marshal(d.Linkage); err != nil {
			return err
		}
	}
	err = core.EnableRecovery(reference.RecoveryServices{
		Proofing: d.Proofing, ProofingKey: key, Requests: d.Requests, RequestsKey: key,
		Authority: d.Authority, Callback: callback, HTTP: client,
		Public: strings.TrimSuffix(public, "/"), Wallet: d.Wallet, Linkage: linkage,
	})
	if err != nil {
		return &exit{code: exitUsage, err: err}
	}
	fmt.Fprintf(u.out, "account recovery with %s at %s; the policy is set at /admin/recovery\n", strings.Join(d.Providers, ", "), address)
	return nil
}

func identityPeopleCommand(u ui) *cobra.Command {
	return &cobra.Command{
		Use:   "people",
		Short: "List the test people, with their documents",
		RunE: func(*cobra.Command, []string) error {
			all, err := person.Shipped()
			if err != nil {
				return err
			}
			for _, p := range all {
				var kinds []string
				for _, d := range p.Documents {
					kinds = append(kinds, string(d.Kind))
				}
				fmt.Fprintf(u.out, "%-20s %s, %s, %s: %s\n", p.ID, p.Name(), p.Birth, p.Country, strings.Join(kinds, ", "))
			}
			return nil
		},
	}
}

func identityDocumentCommand() *cobra.Command {
	var kind, out string
	var defects []string
	c := &cobra.Command{
		Use:   "document PERSON",
		Short: "Draw a document of a test person, genuine or with a defect",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return drawDocument(args[0], person.Kind(kind), defects, out)
		},
	}
	c.Flags().StringVar(&kind, "kind", string(person.Passport), "passport, identity-card or driving-licence")
	c.Flags().StringSliceVar(&defects, "defect", nil, "what is wrong with it, such as tampered-name or blurred")
	c.Flags().StringVar(&out, "out", "document.png", "file to write")
	return c
}

func drawDocument(id string, kind person.Kind, defects []string, out string) error {
	all, err := person.Shipped()
	if err != nil {
		return err
	}
	p, err := person.Find(all, id)
	if err != nil {
		return &exit{code: exitUsage, err: err}
	}
	d, err := p.Document(kind)
	if err != nil {
		return &exit{code: exitUsage, err: err}
	}
	for _, name := range defects {
		if !slices.Contains(person.Defects(), person.Defect(name)) {
			return usage(fmt.Sprint("defects are ", person.Defects()), "no defect is called %q", name)
		}
		d.Defects = append(d.Defects, person.Defect(name))
	}
	picture, err := document.Draw(p, d)
	if err != nil {
		return &exit{code: exitUsage, err: err}
	}
	return os.WriteFile(out, picture, 0o600)
}
