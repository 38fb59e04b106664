package main

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"fido-emu/scenarios"
	"fido-emu/scenarios/language"
)

func explainCommand(u ui) *cobra.Command {
	var asJSON, schema bool
	c := &cobra.Command{
		Use:     "explain [STEP|TOPIC]",
		Short:   "Explain the language of scenarios: every step, one step, or a part of a file",
		Example: "  harness explain\n  harness explain sign-in\n  harness explain devices",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			g, err := scenarios.Grammar()
			if err != nil {
				return err
			}
			if schema {
				return u.printJSON(g.Schema())
			}
			return explain(u, g, args, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the language, as harness schema does")
	return c
}

func explain(u ui, g language.Grammar, args []string, asJSON bool) error {
	if len(args) == 0 {
		if asJSON {
			return u.printJSON(g.Verbs)
		}
		var text bytes.Buffer
		if err := g.ExplainAll(&text); err != nil {
			return err
		}
		return u.page(text.String())
	}
	if asJSON {
		for _, v := range g.Verbs {
			if v.Verb == args[0] {
				return u.printJSON(v)
			}
		}
	}
	var text bytes.Buffer
	if err := g.Explain(&text, args[0]); err != nil {
		return &exit{code: exitUsage, err: err, hint: "harness explain lists what there is"}
	}
	if asJSON {
		return u.printJSON(map[string]string{"topic": args[0], "text": text.String()})
	}
	return u.page(text.String())
}

func schemaCommand(u ui) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: "schema prints a JSON Schema by which editors complete and check scenario files. With the\n" +
			"YAML language server, put this line on top of a file:\n\n  # yaml-language-server: $schema=scenario.schema.json",
		RunE: func(*cobra.Command, []string) error {
			g, err := scenarios.Grammar()
			if err != nil {
				return err
			}
			return u.printJSON(g.Schema())
		},
	}
}

func validateCommand(u ui) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate FILE|FOLDER...",
		Short: "Check scenario files without running them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, names []string) error {
			sources, err := scenarios.Sources(names)
			if err != nil {
				return &exit{code: exitUsage, err: err}
			}
			all, err := load(names)
			problems, wrong := errors.AsType[language.Problems](err)
			switch {
			case err != nil && !wrong:
				return err
			case asJSON:
				return validateJSON(u, len(sources), len(all), problems)
			case wrong:
				return err
			}
			_, err = fmt.Fprintf(u.out, "%s in %s, in order\n", plural(len(all), "scenario"), plural(len(sources), "file"))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func validateJSON(u ui, files, count int, problems language.Problems) error {
	result := struct {
		Files     int               `json:"files"`
		Scenarios int               `json:"scenarios"`
		Problems  language.Problems `json:"problems"`
	}{files, count, append(language.Problems{}, problems...)}
	if err := u.printJSON(result); err != nil {
		return err
	}
	if len(problems) > 0 {
		return &exit{code: exitUsage}
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func versionCommand(u ui) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return u.printJSON(map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(u.out, "harness %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// version returns what the build knows of itself: a release, or a commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "development"
}
