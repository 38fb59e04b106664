package strict

import (
	"strings"
	"testing"
)

type page struct {
	Name  string `yaml:"name"`
	Count int    `yaml:"count"`
	List  []struct {
		Kind string `yaml:"kind"`
	} `yaml:"list"`
}

const good = "name: a\ncount: 3\nlist:\n  - kind: x\n  - {kind: y}\n"

func TestLoad(t *testing.T) {
	var p page
	f, err := Load("p.yaml", []byte(good), &p)
	if err != nil || f.Err() != nil || p.Name != "a" || p.Count != 3 || len(p.List) != 2 || p.List[1].Kind != "y" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestLoadSaysWhere(t *testing.T) {
	for name, tt := range map[string]struct{ page, want string }{
		"unknown member":   {"name: a\nnames: b\n", "p.yaml:2:1: "},
		"unknown, deep":    {"list:\n  - kind: x\n    sort: y\n", "p.yaml:3:5: "},
		"another type":     {"name: a\ncount: many\n", "p.yaml:2:8: "},
		"twice":            {"name: a\nname: b\n", "p.yaml:2:"},
		"no YAML":          {"name: a\n  count: [\n", "p.yaml:2:"},
		"list for members": {"- a\n", "p.yaml:1:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			if f, err := Load("p.yaml", []byte(tt.page), new(page)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v %v, want %s", f, err, tt.want)
			}
		})
	}
}

// Each want that does not hold is told, in order, where it stands or would stand.
func TestWantSaysWhere(t *testing.T) {
	f, err := Load("p.yaml", []byte(good), new(page))
	if err != nil {
		t.Fatal(err)
	}
	f.Want(true, "name", "is never told")
	f.Want(false, "count", "%d is too many", 3)
	f.Want(false, "list.1.kind", "no")
	f.Want(false, "list.7.kind", "no")
	f.Want(false, "address", "is missing")
	want := strings.Join([]string{
		"p.yaml:2:8: count: 3 is too many", "p.yaml:5:12: list.1.kind: no", "p.yaml:4:3: list.7.kind: no", "p.yaml:1:1: address: is missing",
	}, "\n")
	if err := f.Err(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good), "list.1.kind")
	f.Fuzz(func(t *testing.T, b []byte, path string) {
		file, err := Load("f.yaml", b, new(page))
		if err == nil {
			file.Want(false, path, "wrong")
			err = file.Err()
		}
		if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("%v", err)
		}
	})
}
