package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"fido-emu/rp/browser"
	"fido-emu/rp/web"
)

// pageFlags is what the command line says about sites that are driven through their
// pages.
type pageFlags struct {
	headful, noShim bool
	screenshots     string // folder; empty for none
	reports         string // folder of the reports that name them; empty for none
}

func (f *pageFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.headful, "headful", false, "show the browser, for descriptions with pages; needs a display")
	flags.BoolVar(&f.noShim, "no-shim", false, "leave navigator.credentials to the browser, which uses the keys that it finds itself")
}

// open returns what opens the pages of a site. Each opening has a folder of pictures of
// its own.
func (f pageFlags) open(pages *browser.Description) func(context.Context, web.Options) (web.Site, error) {
	opened := 0
	return func(ctx context.Context, o web.Options) (web.Site, error) {
		opened++
		b := browser.Options{Web: o, Config: browser.Config{Headful: f.headful}, NoShim: f.noShim, PicturesAs: f.reports}
		if f.screenshots != "" {
			b.Screenshots = filepath.Join(f.screenshots, fmt.Sprintf("%03d", opened))
		}
		return pages.Open(ctx, b)
	}
}
