package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/trace"
	"fido-emu/fixtures/emulator"
)

// maxLine is the longest request line: the longest CTAPHID message, in hexadecimal
// with room for spaces.
const maxLine = 4 * 7609

func exchangeCommand() *cobra.Command {
	var profile, path, tpm string
	var decode, asJSON bool
	c := &cobra.Command{
		Use:   "exchange",
		Short: "Answer CTAP2 requests from standard input",
		Long: "Reads one CTAP2 request a line in hexadecimal, the command byte and its CBOR, and prints the\n" +
			"answer, the status byte and its CBOR, in the same way. The user always consents.",
		Example: "  echo 04 | fido-emu exchange --profile yubikey-5 --decode",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			p, err := emulator.LoadProfile("", profile)
			if err != nil {
				return usageError{err}
			}
			env := realEnv()
			env.TPM = tpm
			d, err := emulator.NewCore(c.Context(), p, path, authenticator.Consenting{}, env)
			if err != nil {
				return err
			}
			defer func() {
				if closed := d.Close(); err == nil {
					err = closed
				}
			}()
			return answerLines(c.Context(), d, c.InOrStdin(), answerPrinter(c.OutOrStdout(), decode, asJSON))
		},
	}
	c.Flags().StringVar(&profile, "profile", "security-key", "model of the authenticator; see 'fido-emu profiles'")
	c.Flags().StringVar(&path, "state", "", "directory that keeps the state of the key (default: it lasts as long as the process)")
	c.Flags().StringVar(&tpm, "tpm", "", "node of a TPM, such as /dev/tpmrm0, that holds the keys of a profile with one (default: a simulated TPM)")
	c.Flags().BoolVar(&decode, "decode", false, "print what requests and answers say instead of hexadecimal")
	c.Flags().BoolVar(&asJSON, "json", false, "print what they say as JSON, an object for each request")
	_ = c.RegisterFlagCompletionFunc("profile", completeProfiles) // fails only for a flag that is not there
	return c
}

func answerLines(ctx context.Context, a ctap.Authenticator, in io.Reader, print func(request, response []byte) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.ReplaceAll(strings.TrimSpace(lines.Text()), " ", "")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		request, err := hex.DecodeString(text)
		if err != nil {
			return usageError{fmt.Errorf("line %d of standard input: %w; a request is hexadecimal digits, such as 04 for authenticatorGetInfo", n, err)}
		}
		response, err := a.Exchange(ctx, request)
		if err != nil {
			return fmt.Errorf("line %d of standard input: %w", n, err)
		}
		if err := print(request, response); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	return nil
}

// answerPrinter returns what prints an answer in the form that was asked for.
func answerPrinter(out io.Writer, decode, asJSON bool) func(request, response []byte) error {
	return func(request, response []byte) error {
		switch {
		case asJSON:
			x := trace.Decode(request, response)
			return printJSON(out, map[string]any{"command": x.Command, "request": x.Request, "status": x.Status, "response": x.Response})
		case decode:
			return printDecoded(out, trace.Decode(request, response))
		}
		_, err := fmt.Fprintln(out, hex.EncodeToString(response))
		return err
	}
}

func printDecoded(out io.Writer, x trace.Exchange) error {
	if _, err := fmt.Fprintf(out, "%s\n", x.Command); err != nil {
		return err
	}
	if err := printFields(out, x.Request, "  > "); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s\n", x.Status); err != nil {
		return err
	}
	return printFields(out, x.Response, "  < ")
}

func printFields(out io.Writer, fields []trace.Field, indent string) error {
	for _, f := range fields {
		if _, err := fmt.Fprintf(out, "%s%s: %s\n", indent, f.Name, f.Value); err != nil {
			return err
		}
		if err := printFields(out, f.Fields, indent+"  "); err != nil {
			return err
		}
	}
	return nil
}
