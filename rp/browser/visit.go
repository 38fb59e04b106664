package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// goTo has whoever is at a tab open their pages where the client says that they are, from
// now on.
func (s *site) goTo(t *Tab, client webauthn.Client) error {
	placed, ok := client.(rp.Placed)
	if !ok {
		return nil
	}
	at := placed.Page()
	elsewhere := at.Origin != s.Origin()
	switch {
	case !elsewhere && at.Top == "":
	case s.stage == nil:
		return &rp.Unsupported{What: "pages elsewhere, in a browser that is not its own"}
	case elsewhere:
		s.stage.show(at.Origin)
	}
	if at.Top != "" {
		s.stage.surround(at.Top)
	}
	t.place(at)
	return nil
}

// place sets where the tab's pages are, and that they are in a frame.
func (t *Tab) place(at rp.Page) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at, t.frames = at, nil
	if at.Top != "" {
		t.frames = []string{"iframe"}
	}
}

func (t *Tab) placed() (rp.Page, []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at, t.frames
}

// openFramed goes to a page within a frame of another. A site that does not let itself be
// shown there refuses.
func (t *Tab) openFramed(ctx context.Context, address string, at rp.Page) error {
	if err := t.Open(ctx, aroundAddress(at.Top, address, at.Allow)); err != nil {
		return err
	}
	c, cancel := t.within(ctx)
	defer cancel()
	tree, err := chromedp.Call(c, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return err
	}
	for _, child := range tree.FrameTree.ChildFrames {
		if child.Frame.UnreachableURL != "" {
			return &rp.Refused{Code: "cross-origin", Reason: fmt.Sprintf("%s does not let itself be shown in a frame of %s", at.Origin, at.Top)}
		}
	}
	return nil
}
