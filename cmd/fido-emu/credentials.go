package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/ctap/authenticator"
	"fido-emu/state"
)

// listed is a credential without its secrets.
type listed struct {
	ID           string    `json:"id"`
	RPID         string    `json:"rpId"`
	User         string    `json:"user"`
	UserID       string    `json:"userId"`
	Algorithm    string    `json:"algorithm"`
	Discoverable bool      `json:"discoverable"`
	CreatedAt    time.Time `json:"createdAt"`
}

func credentialsCommand() *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{
		Use:   "credentials",
		Short: "List the credentials in a state file",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if path == "" {
				return usageError{errors.New("--state FILE is needed: the file that 'fido-emu exchange --state' wrote")}
			}
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s: there is no such state file", path)
			}
			file, err := state.OpenDevice(path)
			if err != nil {
				return err
			}
			defer func() {
				if closed := file.Close(); err == nil {
					err = closed
				}
			}()
			all, err := file.Credentials(0).All()
			if err != nil {
				return err
			}
			return listCredentials(c.OutOrStdout(), all, asJSON)
		},
	}
	c.Flags().StringVar(&path, "state", "", "the state file")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func listCredentials(w io.Writer, all []*authenticator.Credential, asJSON bool) error {
	rows := make([]listed, len(all))
	for i, c := range all {
		rows[i] = listed{
			ID: hex.EncodeToString(c.ID), RPID: c.RP.ID, User: c.User.Name, UserID: hex.EncodeToString(c.User.ID),
			Algorithm: c.Algorithm.String(), Discoverable: c.Discoverable, CreatedAt: c.CreatedAt,
		}
	}
	if asJSON {
		return printJSON(w, rows)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RP ID\tUSER\tALGORITHM\tCREATED\tID")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s…\n", r.RPID, r.User, r.Algorithm, r.CreatedAt.Format(time.DateTime), r.ID[:min(16, len(r.ID))])
	}
	return t.Flush()
}
