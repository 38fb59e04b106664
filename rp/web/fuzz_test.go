package web

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"fido-emu/grammar"
)

func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("*/*.yaml")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if d, err := LoadBytes("x.yaml", source); (err == nil) != (d != nil) {
			t.Errorf("%v, %v", d, err)
		}
	})
}

// FuzzExtract takes things out of bodies with what a description may say.
func FuzzExtract(f *testing.F) {
	f.Add([]byte(`{json: /a, where: {/b: 1}, then: /c}`), []byte(`{"a":[{"b":1,"c":"x"}]}`))
	f.Add([]byte(`{html: "p.a > b", attribute: title}`), []byte(`<p class=a><b title=x>y</b></p>`))
	f.Add([]byte(`{pattern: "a(b+)", filters: [from-b64, fromjson]}`), []byte(`abbb`))
	f.Add([]byte(`{query: x, from: "${u}"}`), []byte(`http://x/?x=1`))
	f.Fuzz(func(t *testing.T, said, body []byte) {
		v, err := grammar.Parse("x.yaml", said)
		if err != nil || len(grammar.Check("x", v, extractionMembers)) > 0 {
			return
		}
		var c compiler
		if e := c.extraction(v); len(c.problems) == 0 {
			_, _ = e.find(source{answer: &answer{body: body, header: http.Header{}, url: &url.URL{}}}, func(string) any { return string(body) })
		}
	})
}

// FuzzTemplate fills templates in; what comes of one without references is itself.
func FuzzTemplate(f *testing.F) {
	f.Add("a${b/c|tojson}$${d}${...e}")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseTemplate(text)
		if err != nil {
			return
		}
		_, _ = p.value(func(string) any { return map[string]any{"c": []any{text}} })
	})
}
