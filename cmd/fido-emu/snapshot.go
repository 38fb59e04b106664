package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"fido-emu/ctap/authenticator"
	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
)

func snapshotCommand() *cobra.Command {
	return handled{
		use: "snapshot FILE [KEY]", short: "Write all of a key's state to a new file",
		long: "The file holds private keys; it is made readable for its owner alone. 'fido-emu restore' puts a key of the\n" +
			"same profile into that state.",
		args: cobra.RangeArgs(1, 2), named: 1,
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, args []string) error {
			var s authenticator.Snapshot
			if err := client.Do(c.Context(), http.MethodGet, control.Key(key.Name, "snapshot")+"?secrets=true", nil, &s); err != nil {
				return err
			}
			if err := writeSecret(args[0], s); err != nil {
				return err
			}
			return result(c, written{args[0], len(s.Credentials)}, "%s: %d credentials written to %s", key.Name, len(s.Credentials), args[0])
		},
	}.command()
}

// written is a file and how many credentials are in it.
type written struct {
	File        string `json:"file"`
	Credentials int    `json:"credentials"`
}

// writeSecret writes v as JSON to a new file for its owner alone.
func writeSecret(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, errExists)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

func restoreCommand() *cobra.Command {
	return handled{
		use: "restore FILE [KEY]", short: "Put a key into the state that a snapshot holds",
		long: "What the key held is gone. A key that is plugged in is unplugged for a moment.",
		args: cobra.RangeArgs(1, 2), named: 1,
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, args []string) error {
			b, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if !json.Valid(b) {
				return fmt.Errorf("%s is no snapshot: it is not JSON", args[0])
			}
			var s emulator.Status
			if err := client.Do(c.Context(), http.MethodPut, control.Key(key.Name, "snapshot"), json.RawMessage(b), &s); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return sayWhere(c, s)
		},
	}.command()
}
