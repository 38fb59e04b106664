package main

import (
	"context"
	"encoding/json"
	"fmt"
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
	_ = serve.MarkFlagDirname("state") // fails only for a flag that is not there
	return group("identity", "Doubles of what proves who somebody is", serve, identityPeopleCommand(u), identityDocumentCommand())
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

// listedPerson is a test person in the output of identity people.
type listedPerson struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Birth     person.Date   `json:"birth"`
	Country   string        `json:"country"`
	Documents []person.Kind `json:"documents"`
}

func identityPeopleCommand(u ui) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "people",
		Short: "List the test people, with their documents",
		RunE: func(*cobra.Command, []string) error {
			shipped, err := person.Shipped()
			if err != nil {
				return err
			}
			var all []listedPerson
			for _, p := range shipped {
				l := listedPerson{ID: p.ID, Name: p.Name(), Birth: p.Birth, Country: p.Country}
				for _, d := range p.Documents {
					l.Documents = append(l.Documents, d.Kind)
				}
				all = append(all, l)
			}
			if asJSON {
				return u.printJSON(all)
			}
			for _, p := range all {
				kinds := strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Documents), " ", ", "), "[]")
				fmt.Fprintf(u.out, "%-20s %s, %s, %s: %s\n", p.ID, p.Name, p.Birth, p.Country, kinds)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
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
