package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// picture takes a screenshot where they are wanted and returns the file's name.
func (r *run) picture(ctx context.Context, s *step, failed bool) string {
	if r.site.options.Screenshots == "" || ctx.Err() != nil || r.tab.showsDialog() != nil {
		return ""
	}
	name := s.verb
	if s.verb == "screenshot" {
		name = s.text
	}
	if failed {
		name += "-failed"
	}
	file := filepath.Join(r.site.options.Screenshots, fmt.Sprintf("%03d-%s-%s.png", r.site.nextShot(), r.section.name, fileName(name)))
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	png, err := r.tab.Screenshot(ctx)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = os.WriteFile(file, png, 0o600)
	}
	if err != nil {
		r.tab.complained("no screenshot: " + err.Error())
		return ""
	}
	return file
}

// pictureName returns how a picture is named in what is observed.
func (s *site) pictureName(file string) string {
	if s.options.PicturesAs == "" || file == "" {
		return file
	}
	if rel, err := filepath.Rel(s.options.PicturesAs, file); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

func fileName(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' {
			return c
		}
		return '-'
	}, s)
}

// Screenshot returns a picture of the page, in PNG.
func (t *Tab) Screenshot(ctx context.Context) ([]byte, error) {
	c, cancel := t.within(ctx)
	defer cancel()
	got, err := chromedp.Call(c, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	return got.Data, err
}
