package trace

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func TestDecode(t *testing.T) {
	var file struct {
		Messages []struct{ Name, Request, Response string }
	}
	readJSON(t, "messages.json", &file)
	var out strings.Builder
	for _, m := range file.Messages {
		e := Decode(unhex(t, m.Request), unhex(t, m.Response))
		fmt.Fprintf(&out, "# %s\n%s\n", m.Name, e.Command)
		dump(&out, e.Request, 1)
		fmt.Fprintf(&out, "%s\n", e.Status)
		dump(&out, e.Response, 1)
		out.WriteByte('\n')
	}
	golden(t, "messages.txt", out.String())
}

func TestAttestationObject(t *testing.T) {
	var file struct {
		Vectors []struct{ ID, AttestationObject string }
	}
	readJSON(t, "attestation.json", &file)
	var out strings.Builder
	for _, v := range file.Vectors {
		fields := AttestationObject(unhex(t, v.AttestationObject))
		fmt.Fprintf(&out, "# %s\n", v.ID)
		dump(&out, fields, 1)
		out.WriteByte('\n')
		if s := fmt.Sprint(fields); strings.Contains(s, "malformed") || strings.Contains(s, "left over") {
			t.Errorf("%s: not read whole: %s", v.ID, s)
		}
	}
	golden(t, "attestation.txt", out.String())
}

func TestBytes(t *testing.T) {
	for want, b := range map[string][]byte{
		"(0 bytes)":                              nil,
		"ff (1 byte)":                            {255},
		"0001 (2 bytes)":                         {0, 1},
		strings.Repeat("00", 32) + " (32 bytes)": make([]byte, 32),
		strings.Repeat("00", 24) + "…00000000 (33 bytes)": make([]byte, 33),
	} {
		if got := Bytes(b); got != want {
			t.Errorf("Bytes of %d: %s, want %s", len(b), got, want)
		}
	}
}

// A message nested beyond any depth must not exhaust the stack.
func TestDeepNesting(t *testing.T) {
	deep := append([]byte{1, 0xA1, 6}, []byte(strings.Repeat("\x81", 1<<20))...)
	if s := fmt.Sprint(Decode(deep, nil).Request); !strings.Contains(s, "nested deeper than 16") {
		t.Errorf("got %.200s", s)
	}
}

func FuzzDecode(f *testing.F) {
	var file struct {
		Messages []struct{ Request, Response string }
	}
	readJSON(f, "messages.json", &file)
	for _, m := range file.Messages {
		f.Add(unhex(f, m.Request), unhex(f, m.Response))
	}
	f.Fuzz(func(t *testing.T, request, response []byte) {
		e := Decode(request, response)
		AttestationObject(response)
		if n := count(e.Request) + count(e.Response); n > 2*(len(request)+len(response))+64 {
			t.Errorf("%d fields of %d bytes", n, len(request)+len(response))
		}
	})
}

func count(fields []Field) int {
	n := len(fields)
	for _, f := range fields {
		n += count(f.Fields)
	}
	return n
}

func dump(out *strings.Builder, fields []Field, depth int) {
	for _, f := range fields {
		fmt.Fprintln(out, strings.TrimRight(strings.Repeat("  ", depth)+f.Name+": "+f.Value, " "))
		dump(out, f.Fields, depth+1)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run go test -update and look at the difference. Got:\n%s", path, got)
	}
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
