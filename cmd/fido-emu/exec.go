package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func execCommand() *cobra.Command {
	return &cobra.Command{Use: "exec", RunE: func(*cobra.Command, []string) error { return errors.ErrUnsupported }}
}
