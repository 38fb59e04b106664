package report

import (
	"bytes"
	"flag"
	"fmt"
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
			return replay(events, NewConsole(w, ConsoleOptions{Reports: func() []string { return []string{"out/report.html", "out/junit.xml"} }}))
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
	if c, ok := sink.(io.Closer); ok {
		return c.Close()
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

func TestDetectConsole(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for locale, ascii := range map[string]bool{"": false, "C": true, "en_GB.UTF-8": false, "de_DE.ISO-8859-1": true, "C.utf8": false} {
		o := DetectConsole(f, func(name string) string {
			if name == "LANG" {
				return locale
			}
			return ""
		})
		if o.Terminal || o.Colour || o.ASCII != ascii {
			t.Errorf("locale %q: %+v", locale, o)
		}
	}
}

// manyScenarios repeats the sample under other IDs.
func manyScenarios(t testing.TB, n int) *Model {
	var events []Event
	for i := range n {
		for _, e := range sample(t) {
			if e.ScenarioID == "" {
				continue
			}
			e.ScenarioID = fmt.Sprintf("%s~%d", e.ScenarioID, i)
			events = append(events, e)
		}
	}
	return BuildModel(events)
}

func BenchmarkHTML(b *testing.B) {
	m := manyScenarios(b, 50)
	b.ReportAllocs()
	for b.Loop() {
		var n counter
		if err := WriteHTML(&n, m); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(n))
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
