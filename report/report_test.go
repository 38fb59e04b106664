package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	events := sample(t)
	m := BuildModel(events)
	for name, write := range map[string]func(io.Writer) error{
		"report.html": func(w io.Writer) error { return WriteHTML(w, m) },
		"junit.xml":   func(w io.Writer) error { return WriteJUnit(w, m) },
		"events.jsonl": func(w io.Writer) error {
			return replay(events, NewJSONL(w))
		},
		"console.txt": func(w io.Writer) error {
			return replay(events, NewConsole(w, ConsoleOptions{Reports: []string{"out/report.html", "out/junit.xml"}}))
		},
		"console-ascii-verbose.txt": func(w io.Writer) error {
			return replay(events, NewConsole(w, ConsoleOptions{ASCII: true, Verbose: true, Width: 80}))
		},
		"console-terminal.txt": func(w io.Writer) error {
			return replay(events, NewConsole(w, ConsoleOptions{Terminal: true, Colour: true, Width: 100}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.Bytes())
		})
	}
}

func replay(events []Event, sink Sink) error {
	for i := range events {
		if err := sink.Event(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go test -update and look at the difference", path)
	}
}
