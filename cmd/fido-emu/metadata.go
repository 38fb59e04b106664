package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/attestation"
	"fido-emu/attestation/metadata"
	"fido-emu/fixtures"
	"fido-emu/fixtures/emulator"
)

// The files that fido-emu metadata writes.
const (
	blobFile = "blob.jwt"
	rootFile = "root.pem"
)

// metadataFlags say what BLOB to make.
type metadataFlags struct {
	state, out string
	number     int
	statuses   []string
	asJSON     bool
}

func metadataCommand() *cobra.Command {
	var f metadataFlags
	c := &cobra.Command{
		Use:   "metadata --state DIR [PROFILE...]",
		Short: "Write a metadata BLOB (MDS3) by which relying parties trust an emulated key",
		Long: "The BLOB describes models, all of them or those that are named, as made by the test authority of the key\n" +
			"whose state is in --state. A relying party that takes " + rootFile + " for the root of the metadata service\n" +
			"trusts the attestation of that key. Synced providers are in it without attestation.",
		Example: "  fido-emu metadata --state ~/key --out mds                                  # mds/blob.jwt, mds/root.pem\n" +
			"  fido-emu metadata --state ~/key --out mds --status security-key=REVOKED",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, names []string) error {
			if f.state == "" || f.out == "" && !f.asJSON {
				return usageError{fmt.Errorf("--state and one of --out and --json are needed; see 'fido-emu metadata --help'")}
			}
			return f.run(c, names, realEnv())
		},
		ValidArgsFunction: completeProfiles,
	}
	flags := c.Flags()
	flags.StringVar(&f.state, "state", "", "directory that keeps the state of the key to be trusted")
	flags.StringVar(&f.out, "out", "", "directory to write "+blobFile+" and "+rootFile+" to")
	flags.IntVar(&f.number, "number", 1, "number of the BLOB; one more than that of the one before")
	flags.StringArrayVar(&f.statuses, "status", nil, "status of a model beside NOT_FIDO_CERTIFIED, as PROFILE=STATUS, such as security-key=REVOKED; may be repeated")
	flags.BoolVar(&f.asJSON, "json", false, "print the payload as JSON")
	return c
}

func (f *metadataFlags) run(c *cobra.Command, names []string, env emulator.Env) error {
	profiles, err := profilesNamed(names)
	if err != nil {
		return usageError{err}
	}
	reports, err := readStatuses(f.statuses, profiles, env.Now())
	if err != nil {
		return usageError{err}
	}
	authority, err := emulator.AuthorityOf(f.state)
	if err != nil {
		return err
	}
	models, err := describe(c.Context(), profiles, reports, authority, env)
	if err != nil {
		return err
	}
	payload, err := metadata.Build(models, env.Now(), f.number)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := writeBLOB(f.out, payload, authority); err != nil {
			return err
		}
	}
	if f.asJSON {
		return printJSON(c.OutOrStdout(), payload)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %d models, number %d, until %s\n%s: the root to trust\n",
		filepath.Join(f.out, blobFile), len(payload.Entries), payload.No, payload.NextUpdate, filepath.Join(f.out, rootFile))
	return err
}

// profilesNamed returns the models of names, or all that come with the program.
func profilesNamed(names []string) ([]fixtures.Profile, error) {
	if len(names) == 0 {
		return fixtures.Profiles()
	}
	profiles := make([]fixtures.Profile, len(names))
	for i, name := range names {
		p, err := emulator.LoadProfile("", name)
		if err != nil {
			return nil, err
		}
		profiles[i] = *p
	}
	return profiles, nil
}

// readStatuses reads PROFILE=STATUS.
func readStatuses(texts []string, profiles []fixtures.Profile, at time.Time) (map[string][]metadata.Report, error) {
	reports := map[string][]metadata.Report{}
	for _, text := range texts {
		name, status, _ := strings.Cut(text, "=")
		if !slices.ContainsFunc(profiles, func(p fixtures.Profile) bool { return p.Name == name }) {
			return nil, fmt.Errorf("--status %s: %q is none of the models that the BLOB describes", text, name)
		}
		if !slices.Contains(metadata.Statuses(), metadata.Status(status)) {
			return nil, fmt.Errorf("--status %s: there is no status %q; there are %s", text, status, metadata.Statuses())
		}
		reports[name] = append(reports[name], metadata.Report{Status: metadata.Status(status), Since: at})
	}
	return reports, nil
}

func describe(ctx context.Context, profiles []fixtures.Profile, reports map[string][]metadata.Report, a *attestation.Authority, env emulator.Env) ([]metadata.Model, error) {
	var all []metadata.Model
	for i := range profiles {
		models, err := emulator.Describe(ctx, &profiles[i], a, env)
		if err != nil {
			return nil, err
		}
		for j := range models {
			models[j].Reports = slices.Clone(reports[profiles[i].Name])
		}
		all = append(all, models...)
	}
	return all, nil
}

// writeBLOB writes the two files, which are no secret.
func writeBLOB(dir string, payload *metadata.Payload, a *attestation.Authority) error {
	blob, err := payload.Sign(a)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, rootFile), a.RootPEM(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, blobFile), blob, 0o644)
}
