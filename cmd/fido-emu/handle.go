package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
	"fido-emu/fixtures/emulator/touch"
)

// handled is a command that does one thing to a running key.
type handled struct {
	use, short, long string
	args             cobra.PositionalArgs
	flags            func(*cobra.Command)
	do               func(*cobra.Command, *control.Client, emulator.Status, []string) error
	named            int // the argument that names the key
}

func (h handled) command() *cobra.Command {
	var at remote
	c := &cobra.Command{
		Use: h.use, Short: h.short, Long: h.long, Args: h.args, ValidArgsFunction: completeKeys,
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) > h.named {
				name = args[h.named]
			}
			client, key, err := at.key(c.Context(), name)
			if err != nil {
				return err
			}
			return h.do(c, client, key, args)
		},
	}
	if c.Args == nil {
		c.Args = cobra.MaximumNArgs(1)
	}
	at.add(c)
	addJSON(c, new(bool))
	if h.flags != nil {
		h.flags(c)
	}
	return c
}

// result prints what a command did: v as JSON where that was asked for, or else a
// line of text.
func result(c *cobra.Command, v any, format string, args ...any) error {
	asJSON, err := c.Flags().GetBool("json")
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), v)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), format+"\n", args...)
	return err
}

func touchCommand() *cobra.Command {
	var hold, wait time.Duration
	var policy string
	return handled{
		use: "touch [KEY]", short: "Touch a key",
		long: "Touches the key, which answers what waits for a touch. A touch that nothing waits for counts for U2F for\n" +
			"ten seconds. With --policy it is chosen instead what the user does by themselves from now on.",
		flags: func(c *cobra.Command) {
			c.Flags().DurationVar(&hold, "hold", 0, "how long the touch lasts")
			c.Flags().DurationVar(&wait, "wait", 0, "wait until the key asks, this long at most; fail if it does not")
			c.Flags().StringVar(&policy, "policy", "", "a touch policy, as in 'fido-emu up --touch'")
		},
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, _ []string) error {
			if policy != "" {
				var s emulator.Status
				if err := client.Do(c.Context(), http.MethodPut, control.Key(key.Name, "policy"), map[string]string{"touch": policy}, &s); err != nil {
					return err
				}
				return result(c, s, "%s: touch policy %s", s.Name, s.Touch)
			}
			request := control.TouchRequest{Hold: control.Duration(hold), Wait: control.Duration(wait)}
			return answer(c, client, control.Key(key.Name, "touch"), request, key.Name, "touched", wait > 0)
		},
	}.command()
}

func denyCommand() *cobra.Command {
	var wait time.Duration
	return handled{
		use: "deny [KEY]", short: "Decline what a key asks for",
		flags: func(c *cobra.Command) {
			c.Flags().DurationVar(&wait, "wait", 0, "wait until the key asks, this long at most")
		},
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, _ []string) error {
			return answer(c, client, control.Key(key.Name, "deny"), control.WaitRequest{Wait: control.Duration(wait)}, key.Name, "denied", true)
		},
	}.command()
}

// answer does what may answer a question of the key, and says whether it did.
func answer(c *cobra.Command, client *control.Client, path string, request any, key, did string, must bool) error {
	var a control.Answered
	if err := client.Do(c.Context(), http.MethodPost, path, request, &a); err != nil {
		return err
	}
	if a.Answered {
		return result(c, a, "%s: %s", key, did)
	}
	if must {
		return fmt.Errorf("%s asked for nothing", key)
	}
	return result(c, a, "%s: %s; it asked for nothing", key, did)
}

func fingerCommand() *cobra.Command {
	return handled{
		use: "finger ok|no|HOW [KEY]", short: "Choose whether the key knows the user's finger, or lay it on badly",
		long: "From now on the user has a finger that the key knows (ok) or does not know (no), and lays it on if the key\n" +
			"waits for one. It matters for keys that verify their user by themselves. HOW, such as too-fast, poor-quality or\n" +
			"exists, is how the finger is laid on this once, while the key learns it.",
		args: cobra.RangeArgs(1, 2), named: 1,
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, args []string) error {
			request, err := fingerRequest(args[0])
			if err != nil {
				return usageError{err}
			}
			var a control.Answered
			if err := client.Do(c.Context(), http.MethodPost, control.Key(key.Name, "finger"), request, &a); err != nil {
				return err
			}
			return result(c, a, "%s: finger %s", key.Name, args[0])
		},
	}.command()
}

// fingerRequest reads which finger it is, or how it is laid on.
func fingerRequest(text string) (control.FingerRequest, error) {
	if _, err := touch.ParseSample(text); err == nil {
		return control.FingerRequest{Sample: text}, nil
	}
	stranger, err := emulator.ParseFinger(text)
	matches := !stranger
	return control.FingerRequest{Matches: &matches}, err
}

// plain is a command that is one request without a body.
func plain(name, short, long string) *cobra.Command {
	return handled{
		use: name + " [KEY]", short: short, long: long,
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, _ []string) error {
			var s emulator.Status
			if err := client.Do(c.Context(), http.MethodPost, control.Key(key.Name, name), nil, &s); err != nil {
				return err
			}
			return sayWhere(c, s)
		},
	}.command()
}

func sayWhere(c *cobra.Command, s emulator.Status) error {
	where := "is unplugged"
	if s.Plugged {
		where = "is at " + s.Address
	}
	if s.Lost {
		where = "is lost"
	}
	return result(c, s, "%s %s", s.Name, where)
}

func unplugCommand() *cobra.Command { return plain("unplug", "Unplug a key", "") }
func plugCommand() *cobra.Command {
	return plain("plug", "Plug in a key that was unplugged", "")
}
func powerCycleCommand() *cobra.Command {
	return plain("power-cycle", "Unplug a key and plug it in again", "")
}
func loseCommand() *cobra.Command {
	return plain("lose", "Lose a key: it is unplugged and cannot be plugged in again",
		"Its state directory is kept and remembers that the key was lost.")
}

func statusCommand() *cobra.Command {
	var at remote
	var asJSON bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show the keys that are running",
		Aliases: []string{"state", "ps"},
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := at.running(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				emulators := make([]control.Emulator, len(all))
				for i, e := range all {
					emulators[i] = e.Emulator
				}
				return printJSON(c.OutOrStdout(), emulators)
			}
			return listRunning(c.OutOrStdout(), all)
		},
	}
	at.add(c)
	addJSON(c, &asJSON)
	return c
}

func listRunning(w io.Writer, all []found) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tPROFILE\tWHERE\tTOUCH\tPIN\tPASSKEYS\tNOW")
	for _, e := range all {
		for _, k := range e.Keys {
			fmt.Fprintf(t, "%s/%s\t%s\t%s\t%s\t%s\t%d\t%s\n", e.Name, k.Name, k.Profile, place(k), k.Touch, pinState(k), k.Credentials, doing(k))
		}
	}
	return t.Flush()
}

func place(k emulator.Status) string {
	switch {
	case k.Lost:
		return "lost"
	case !k.Plugged:
		return "unplugged"
	}
	return k.Address
}

func pinState(k emulator.Status) string {
	if !k.PINSet {
		return "not set"
	}
	return fmt.Sprintf("set, %d tries", k.PINRetries)
}

func doing(k emulator.Status) string {
	var now []string
	if k.Waiting != nil {
		now = append(now, "waits for "+k.Waiting.String())
	}
	if k.Fault != "" {
		now = append(now, "at fault: "+k.Fault)
	}
	if len(now) == 0 {
		return "idle"
	}
	return strings.Join(now, "; ")
}

func cloneCommand() *cobra.Command {
	var request control.CloneRequest
	var state string
	return handled{
		use: "clone NAME [KEY]", short: "Make a second key that is what another is at this moment",
		long: "The clone runs beside the original and goes its own way from then on. Both have the same credentials and\n" +
			"the same signature counter, which is how relying parties can tell that there are two.",
		args: cobra.RangeArgs(1, 2), named: 1,
		flags: func(c *cobra.Command) {
			c.Flags().StringVar(&request.Transport, "transport", "", "as in 'fido-emu up' (default auto)")
			c.Flags().StringVar(&state, "state", "", "directory that keeps the clone's state")
			c.Flags().BoolVar(&request.Unplugged, "unplugged", false, "leave it unplugged")
		},
		do: func(c *cobra.Command, client *control.Client, key emulator.Status, args []string) error {
			request.Name = args[0]
			var err error
			if request.State, err = absolutePath(state); err != nil {
				return err
			}
			var s emulator.Status
			if err := client.Do(c.Context(), http.MethodPost, control.Key(key.Name, "clone"), request, &s); err != nil {
				return err
			}
			return sayWhere(c, s)
		},
	}.command()
}

var errExists = errors.New("it is there already; remove it, or name another file")
