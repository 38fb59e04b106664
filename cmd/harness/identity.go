package main

import (
	"context"
	"crypto/rand"
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
	"fido-emu/identity/services"
	"fido-emu/rp/reference"
)

// identityKeyVariable is the environment variable that holds the key with which a
// relying party asks the services.
const identityKeyVariable = "HARNESS_IDENTITY_KEY"

// identityTenant is the relying party's name at the services.
const identityTenant = "relying-party"

func identityCommand(u ui) *cobra.Command {
	var address, origin string
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve doubles of what proves who somebody is: verification providers, Verified IDs, presentation requests",
		Long: "serve runs the verification providers with the issuers of their Verified IDs, and the request\n" +
			"service with its Face Check, until it is interrupted. What they know is forgotten then. A relying\n" +
			"party finds them by the address (harness rp serve --identity) and asks with a key, taken from the\n" +
			"environment variable " + identityKeyVariable + ", or made up and printed. The same key opens the\n" +
			"faults of the providers.",
		RunE: func(c *cobra.Command, _ []string) error { return serveIdentity(c.Context(), u, address, origin) },
	}
	serve.Flags().StringVar(&address, "listen", "127.0.0.1:8070", "address and port")
	serve.Flags().StringVar(&origin, "origin", "http://localhost:8080", "origin of the relying party, which wallets are told")
	return group("identity", "Doubles of what proves who somebody is", serve, identityPeopleCommand(u), identityDocumentCommand())
}

func serveIdentity(ctx context.Context, u ui, address, origin string) error {
	l, err := listen(ctx, address)
	if err != nil {
		return err
	}
	key := u.getenv(identityKeyVariable)
	if key == "" {
		key = rand.Text()
	}
	base := "http://" + l.Addr().String()
	if _, port, err := net.SplitHostPort(l.Addr().String()); err == nil && l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		base = "http://localhost:" + port
	}
	s, err := services.New(services.Config{
		Now: time.Now, Rand: rand.Reader, Client: &http.Client{Timeout: 30 * time.Second},
		BaseURL: base, Key: key, AdminKey: key, Tenant: identityTenant, Origin: origin,
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	fmt.Fprintf(u.out, "identity services at %s, listening on http://%s\n", base, l.Addr())
	if u.getenv(identityKeyVariable) == "" {
		fmt.Fprintf(u.err, "key, for this run only: %s\n", key)
	}
	go deliver(ctx, s)
	return serveHTTP(ctx, l, s)
}

// deliver sends callbacks again that were not taken, until ctx is done.
func deliver(ctx context.Context, s *services.Services) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_, _ = s.Requests.Deliver(ctx) // nothing is saved here, so nothing can fail to be
		}
	}
}

// enableIdentity has a relying party use the services at an address.
func enableIdentity(ctx context.Context, u ui, core *reference.Core, address, callback string) error {
	key := u.getenv(identityKeyVariable)
	if key == "" {
		return usage("set "+identityKeyVariable+" to the key that harness identity serve was started with, or printed", "rp serve --identity needs a key to ask with")
	}
	client := &http.Client{Timeout: 30 * time.Second}
	d, err := services.Find(ctx, client, address)
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	err = core.EnableRecovery(reference.RecoveryServices{
		Proofing: d.Proofing, ProofingKey: key, Requests: d.Requests, RequestsKey: key,
		Authority: d.Authority, Callback: callback, HTTP: client,
	})
	if err != nil {
		return err
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
