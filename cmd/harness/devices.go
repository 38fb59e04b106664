package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/reach"
)

func devicesCommand(u ui) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "devices",
		Short: "List the security keys that are plugged in",
		Long: "devices lists the security keys that are plugged in, and asks each what it is. It reaches\n" +
			"them through hidraw, and through libusb those that hidraw does not show. Nothing on them\n" +
			"is changed. Bind one to a device of a scenario with\n" +
			"  harness run --device NAME=hidraw:PORT, or the serial number in the place of the port.\n\n" +
			"The exit code is 4 when there is none.",
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := reach.List(c.Context())
			if asJSON {
				err = errors.Join(err, u.printJSON(append([]reach.Found{}, all...)))
			} else if len(all) > 0 {
				err = errors.Join(err, deviceTable(u.out, all))
			}
			switch {
			case err != nil:
				return err
			case len(all) == 0 && asJSON:
				return &exit{code: exitNoDevice}
			case len(all) == 0:
				return &exit{code: exitNoDevice, err: errors.New("no security key is plugged in"), hint: "plug one in, or emulate one: fido-emu up"}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// deviceTable writes a line for each key, and beneath the table why some could not be
// asked.
func deviceTable(w io.Writer, all []reach.Found) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "AT\tNAME\tPORT\tSERIAL\tMODEL\tVERSIONS\tPIN")
	for _, d := range all {
		model := cmp.Or(d.Model, d.AAGUID, "-")
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cmp.Or(d.Path, d.Through), d.Name, d.Port, cmp.Or(d.Serial, "-"), model,
			cmp.Or(strings.Join(d.Versions, " "), "-"), d.PIN)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, d := range all {
		if d.Problem != "" {
			if _, err := fmt.Fprintf(w, "\n%s: %s\n", cmp.Or(d.Path, d.Port), d.Problem); err != nil {
				return err
			}
		}
	}
	return nil
}
