package main

import (
	"errors"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// build is what the program is built from.
type build struct {
	Version   string            `json:"version"`
	Go        string            `json:"go"`
	Libraries map[string]string `json:"libraries"`
}

// named are the libraries that matter to what the program does.
var named = []string{"github.com/fxamacker/cbor/v2", "github.com/google/go-tpm", "go.etcd.io/bbolt"}

func versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of the program and of what it is built from",
		RunE: func(c *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("this program was built without module information")
			}
			b := build{info.Main.Version, info.GoVersion, map[string]string{}}
			lines := []string{"fido-emu " + b.Version + ", " + b.Go}
			for _, d := range info.Deps {
				if slices.Contains(named, d.Path) {
					b.Libraries[d.Path] = d.Version
					lines = append(lines, "  "+d.Path+" "+d.Version)
				}
			}
			return result(c, b, "%s", strings.Join(lines, "\n"))
		},
	}
	addJSON(c, new(bool))
	return c
}
