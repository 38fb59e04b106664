package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/keychain"
	"fido-emu/rp/reference"
	"fido-emu/state"
)

// adminTokenVariable is the environment variable that may hold the token.
const adminTokenVariable = "HARNESS_ADMIN_TOKEN"

// rpFlags is what the command line says about a relying party.
type rpFlags struct {
	listen, id, name, roots string
	identity, public        string
	metadata, metadataRoots string
	state                   string
	origins, algorithms     []string
	closed                  bool
}

func rpCommand(u ui) *cobra.Command {
	var f rpFlags
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve the reference relying party, for browsers and over its HTTP API",
		Long: "serve runs the reference relying party until it is interrupted. What it knows is forgotten\n" +
			"then, unless --state names a directory: accounts, passkeys, methods, sessions, settings, passes,\n" +
			"account recovery and logs are kept there, also through a crash. What is under way ends with the\n" +
			"process: ceremonies, codes that were sent, open recoveries. What cannot be saved is answered with\n" +
			"status 503 and ends the relying party with exit code 3. A directory is for one process at a time,\n" +
			"and for its owner alone. The administration is opened by a token, taken from the environment\n" +
			"variable " + adminTokenVariable + ", or made up and printed.",
		Example: "  harness rp serve --state ~/rp\n" +
			"  harness rp serve --listen 127.0.0.1:9000 --rp-id localhost --closed",
		RunE: func(c *cobra.Command, _ []string) error { return serveRP(c.Context(), u, f) },
	}
	flags := serve.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address and port")
	flags.StringVar(&f.id, "rp-id", "localhost", "RP ID: the domain that passkeys are bound to")
	flags.StringVar(&f.name, "name", "Example", "what it calls itself")
	flags.StringArrayVar(&f.origins, "origin", nil, "origin of its pages (default http://localhost and the port)")
	flags.BoolVar(&f.closed, "closed", false, "only an administrator makes accounts")
	flags.StringSliceVar(&f.algorithms, "algorithms", nil, "what the default policy offers and allows, such as ML-DSA-65,ES256 (default ES256,EdDSA,ES384,RS256)")
	flags.StringVar(&f.roots, "attestation-roots", "", "file of PEM certificates whose attestation is trusted")
	flags.StringVar(&f.metadata, "metadata", "", "metadata BLOB by which models of authenticators are trusted, as fido-emu metadata writes it")
	flags.StringVar(&f.metadataRoots, "metadata-root", "", "file of PEM certificates of who signs the BLOB, this one and those uploaded (default: root.pem beside it)")
	flags.StringVar(&f.public, "public-url", "", "address under which browsers on other devices reach the pages, for QR codes (default: the first origin)")
	flags.StringVar(&f.identity, "identity", "", "address of harness identity serve, for account recovery (key in "+identityKeyVariable+")")
	flags.StringVar(&f.state, "state", "", "directory that keeps everything (default: it lasts as long as the process)")
	_ = serve.MarkFlagDirname("state") // fails only for a flag that is not there
	return group("rp", "Relying parties: the reference one, and those that a description tells of", serve, rpCheckCommand(u), rpSchemaCommand(u))
}

func serveRP(ctx context.Context, u ui, f rpFlags) (err error) {
	kept, err := f.keep()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	l, err := listen(ctx, f.listen)
	if err != nil {
		return err
	}
	config, err := f.config(l, u)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	config.State = kept
	core, err := reference.New(config)
	if err != nil {
		return errors.Join(refusedConfig(err), l.Close())
	}
	fmt.Fprintf(u.out, "relying party %s at %s, listening on %s\n%s\n", core.RPID(), strings.Join(core.Origins(), " "), l.Addr(), f.keeps(core))
	if u.getenv(adminTokenVariable) == "" {
		fmt.Fprintf(u.err, "administration token, for this run only: %s\n", config.AdminToken)
	}
	if f.identity != "" {
		if err := enableIdentity(ctx, u, core, f.identity, hereURL(l), f.public); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	return unsaved(reference.Serve(ctx, l, core))
}

// unsaved adds what to do to the error of a relying party that could not save; nil of nil.
func unsaved(err error) error {
	if _, ok := errors.AsType[*state.Error](err); !ok {
		return err
	}
	return &exit{code: exitBench, err: err, hint: "what was answered with status 503 did not happen; put it right and start again"}
}

// hereURL returns how a listener is reached from this computer.
func hereURL(l net.Listener) string {
	if base, err := onLoopback(l); err == nil && l.Addr().(*net.TCPAddr).IP.IsUnspecified() {
		return base
	}
	return "http://" + l.Addr().String()
}

// keep opens the directory of the state, nil where all stays in memory.
func (f rpFlags) keep() (*reference.State, error) {
	if f.state == "" {
		return nil, nil
	}
	if err := wantDirectory(f.state); err != nil {
		return nil, err
	}
	return reference.OpenState(f.state)
}

// keeps says where everything is kept.
func (f rpFlags) keeps(core *reference.Core) string {
	if f.state == "" {
		return "kept in memory, until it ends; --state DIR keeps it"
	}
	_, accounts := core.People(0, 0)
	return fmt.Sprintf("kept in %s, with accounts: %d", f.state, accounts)
}

// refusedConfig is the exit of a relying party that cannot be made: what was asked for, or
// the file of its state.
func refusedConfig(err error) error {
	if _, ok := errors.AsType[*state.Error](err); ok {
		return err
	}
	return &exit{code: exitUsage, err: err}
}

func (f rpFlags) config(l net.Listener, u ui) (reference.Config, error) {
	c := reference.Config{RPID: f.id, Name: f.name, Origins: f.origins, ClosedSignUp: f.closed, AdminToken: u.getenv(adminTokenVariable)}
	c.DefaultPolicy.Algorithms = f.algorithms
	if len(c.Origins) == 0 {
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return c, err
		}
		c.Origins = []string{"http://" + f.id + ":" + port}
	}
	if c.AdminToken == "" {
		c.AdminToken = rand.Text()
	}
	return c, f.trust(&c)
}

// trust reads whose attestation is trusted.
func (f rpFlags) trust(c *reference.Config) (err error) {
	if f.roots != "" {
		if c.AttestationRoots, err = readRoots(f.roots); err != nil {
			return err
		}
	}
	if f.metadata != "" {
		if c.Metadata, err = os.ReadFile(f.metadata); err != nil {
			return &exit{code: exitUsage, err: err}
		}
		f.metadataRoots = cmp.Or(f.metadataRoots, filepath.Join(filepath.Dir(f.metadata), "root.pem"))
	}
	if f.metadataRoots != "" {
		c.MetadataRoots, err = readRoots(f.metadataRoots)
	}
	return err
}

// readRoots reads a file of PEM certificates.
func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, &exit{code: exitUsage, err: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usage("give a file of PEM blocks of type CERTIFICATE", "%s: no certificate in it", file)
	}
	return pool, nil
}

func keychainCommand(u ui) *cobra.Command {
	var address, provider, store string
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve a mock sync provider over HTTP",
		RunE: func(c *cobra.Command, _ []string) error {
			return serveKeychain(c.Context(), u, address, provider, store)
		},
	}
	serve.Flags().StringVar(&address, "listen", "127.0.0.1:8090", "address and port")
	serve.Flags().StringVar(&provider, "provider", "reference", "whose behaviour it has: a name that keychain providers lists, or a .yaml file")
	serve.Flags().StringVar(&store, "store", "", "file that keeps what it stores (default: nothing is kept)")
	return group("keychain", "The mock sync provider", serve, providersCommand(u))
}

func serveKeychain(ctx context.Context, u ui, address, provider, store string) (err error) {
	p, err := keychain.FindProvider(provider)
	if err != nil {
		return &exit{code: exitUsage, err: err}
	}
	config := keychain.ServiceConfig{Provider: p, OnMessage: func(m keychain.Message) {
		fmt.Fprintf(u.out, "to the %s of account %s: %s\n", m.To, m.Account, m.Text)
	}}
	if store != "" {
		file, err := keychain.OpenStore(store)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		config.Store = file
	}
	service, err := keychain.NewService(config)
	if err != nil {
		return err
	}
	l, err := listen(ctx, address)
	if err != nil {
		return err
	}
	fmt.Fprintf(u.out, "sync provider %s, listening on http://%s\n", p.Name, l.Addr())
	return serveHTTP(ctx, l, keychain.Handler(service))
}

// listen opens a TCP port.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &exit{code: exitBench, err: err, hint: "choose another address with --listen; port 0 takes a free one"}
	}
	return l, nil
}

// serveHTTP serves until ctx is done, and lets what is under way end.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
