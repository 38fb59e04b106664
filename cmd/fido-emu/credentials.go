package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
	"fido-emu/state"
)

// source is where credentials are: in a running key, or in a state that no key uses.
type source struct {
	remote
	state, key string
}

func (s *source) add(c *cobra.Command) {
	c.PersistentFlags().StringVar(&s.socket, "control", "", controlUsage)
	c.PersistentFlags().StringVar(&s.state, "state", "", "state directory of a key that is not running")
	c.PersistentFlags().StringVar(&s.key, "key", "", "name of the running key (default: the only one)")
	_ = c.RegisterFlagCompletionFunc("key", func(c *cobra.Command, _ []string, to string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return completeKeys(c, nil, to)
	}) // fails only for a flag that is not there
}

// wallet is what can be done with credentials. emulator.Wallet is one.
type wallet interface {
	List(secrets bool) ([]emulator.Credential, error)
	Find(prefix string, secrets bool) (emulator.Credential, error)
	Delete(prefix string) (emulator.Credential, error)
	Import([]emulator.Credential) error
}

// open returns the credentials, and what closes them.
func (s *source) open(ctx context.Context) (wallet, func() error, error) {
	if s.state == "" {
		client, key, err := s.remote.key(ctx, s.key)
		return remoteWallet{ctx, client, key.Name}, func() error { return nil }, err
	}
	path, err := emulator.StateFile(s.state)
	if err != nil {
		return nil, nil, err
	}
	file, err := state.OpenDevice(path)
	if err != nil {
		return nil, nil, err
	}
	return emulator.NewWallet(file.Credentials(0)), file.Close, nil
}

// with does something with the credentials.
func (s *source) with(ctx context.Context, do func(wallet) error) error {
	w, closeAll, err := s.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(w), closeAll())
}

// remoteWallet is the credentials of a running key.
type remoteWallet struct {
	ctx    context.Context
	client *control.Client
	key    string
}

func withSecrets(path string, secrets bool) string {
	if secrets {
		return path + "?secrets=true"
	}
	return path
}

// List returns the credentials of the key, oldest first; with secrets, their private
// keys, too. The errors of all four are the control API's (docs/control-api.md).
func (w remoteWallet) List(secrets bool) (all []emulator.Credential, err error) {
	err = w.client.Do(w.ctx, http.MethodGet, withSecrets(control.Key(w.key, "credentials"), secrets), nil, &all)
	return all, err
}

// Find returns the credential whose id begins with prefix, in hexadecimal.
func (w remoteWallet) Find(prefix string, secrets bool) (c emulator.Credential, err error) {
	path := control.Key(w.key, "credentials", url.PathEscape(prefix))
	err = w.client.Do(w.ctx, http.MethodGet, withSecrets(path, secrets), nil, &c)
	return c, err
}

// Delete removes the credential whose id begins with prefix, and returns it.
func (w remoteWallet) Delete(prefix string) (c emulator.Credential, err error) {
	err = w.client.Do(w.ctx, http.MethodDelete, control.Key(w.key, "credentials", url.PathEscape(prefix)), nil, &c)
	return c, err
}

// Import adds credentials with their secrets to those of the key.
func (w remoteWallet) Import(all []emulator.Credential) error {
	return w.client.Do(w.ctx, http.MethodPost, control.Key(w.key, "credentials"), all, nil)
}

func credentialsCommand() *cobra.Command {
	var at source
	c := listCredentialsCommand(&at)
	c.Use = "credentials"
	c.Short = "List, show, delete, export and import the credentials of a key"
	c.Long = "The key is a running one, or one that is not running and has its state in a directory (--state)."
	at.add(c)
	c.AddCommand(listCredentialsCommand(&at), showCredentialCommand(&at), deleteCredentialCommand(&at), exportCommand(&at), importCommand(&at))
	return c
}

func listCredentialsCommand(from *source) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the credentials, oldest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return from.with(c.Context(), func(w wallet) error {
				all, err := w.List(false)
				if err != nil {
					return err
				}
				return listCredentials(c.OutOrStdout(), all, asJSON)
			})
		},
	}
	addJSON(c, &asJSON)
	return c
}

func listCredentials(w io.Writer, all []emulator.Credential, asJSON bool) error {
	if asJSON {
		return printJSON(w, all)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RP ID\tUSER\tALGORITHM\tCREATED\tID")
	for _, r := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s…\n", r.RPID, r.User, r.Algorithm, r.CreatedAt.Format(time.DateTime), r.ID[:min(16, len(r.ID))])
	}
	return t.Flush()
}

const secretsUsage = "with private keys"

func showCredentialCommand(from *source) *cobra.Command {
	var secrets, asJSON bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show one credential; the beginning of its id is enough",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return from.with(c.Context(), func(w wallet) error {
				one, err := w.Find(args[0], secrets)
				if err != nil {
					return err
				}
				return showCredential(c.OutOrStdout(), one, asJSON)
			})
		},
	}
	c.Flags().BoolVar(&secrets, "secrets", false, secretsUsage)
	addJSON(c, &asJSON)
	return c
}

func showCredential(w io.Writer, c emulator.Credential, asJSON bool) error {
	if asJSON {
		return printJSON(w, c)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", c.ID}, {"RP ID", c.RPID}, {"RP name", c.RPName}, {"user", c.User}, {"display name", c.DisplayName},
		{"user id", c.UserID}, {"algorithm", c.Algorithm}, {"public key", c.PublicKey}, {"created", c.CreatedAt.Format(time.RFC3339)},
		{"discoverable", fmt.Sprint(c.Discoverable)}, {"protection", fmt.Sprint(max(c.Protection, 1))}, {"backed up", fmt.Sprint(c.BackedUp)},
		{"private key", c.PrivateKey}, {"HMAC secret", c.HMACSecret},
	} {
		if line[1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
		}
	}
	return t.Flush()
}

func deleteCredentialCommand(from *source) *cobra.Command {
	c := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete one credential; the beginning of its id is enough",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return from.with(c.Context(), func(w wallet) error {
				gone, err := w.Delete(args[0])
				if err != nil {
					return err
				}
				return result(c, gone, "deleted %s of %s at %s", gone.ID, gone.User, gone.RPID)
			})
		},
	}
	addJSON(c, new(bool))
	return c
}

func exportCommand(from *source) *cobra.Command {
	var secrets bool
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the credentials to a new file",
		Long: "Without --secrets the file is a list to look at; with them 'fido-emu credentials import' takes it.\n" +
			"It is readable for its owner alone.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return from.with(c.Context(), func(w wallet) error {
				all, err := w.List(secrets)
				if err != nil {
					return err
				}
				if err := writeSecret(args[0], all); err != nil {
					return err
				}
				return result(c, written{args[0], len(all)}, "%d credentials written to %s", len(all), args[0])
			})
		},
	}
	c.Flags().BoolVar(&secrets, "secrets", false, secretsUsage)
	addJSON(c, new(bool))
	return c
}

func importCommand(to *source) *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Add the credentials of a file that was exported with --secrets",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := readCredentials(args[0])
			if err != nil {
				return err
			}
			return to.with(c.Context(), func(w wallet) error {
				if err := w.Import(all); err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				return result(c, written{args[0], len(all)}, "%d credentials imported", len(all))
			})
		},
	}
	addJSON(c, new(bool))
	return c
}

func readCredentials(path string) ([]emulator.Credential, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	var all []emulator.Credential
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s is no list of credentials: %w", path, err)
	}
	return all, nil
}
