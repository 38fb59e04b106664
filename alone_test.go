package fidoemu

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAlone holds what the Makefile says of the packages that are tested without the race
// detector: nothing in them starts a goroutine.
func TestAlone(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^ALONE =((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
	if list == nil {
		t.Fatal("the Makefile has no ALONE")
	}
	packages := strings.Fields(strings.ReplaceAll(string(list[1]), "\\\n", " "))
	if len(packages) == 0 {
		t.Fatal("ALONE is empty")
	}
	for _, p := range packages {
		files, err := filepath.Glob(strings.TrimPrefix(p, module) + "/*.go")
		if err != nil || len(files) == 0 {
			t.Errorf("%s is no package: %v", p, err)
		}
		for _, name := range files {
			for _, at := range goroutines(t, name) {
				t.Errorf("%s starts a goroutine: take %s out of ALONE in the Makefile", at, p)
			}
		}
	}
}

// goroutines are the places of a file that start one.
func goroutines(t *testing.T, name string) (places []token.Position) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			places = append(places, files.Position(n.Pos()))
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" { // of a sync.WaitGroup or errgroup.Group
				places = append(places, files.Position(n.Pos()))
			}
		}
		return true
	})
	return places
}
