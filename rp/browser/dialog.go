package browser

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"fido-emu/rp/web"
)

// dialogOpened and dialogClosed keep what a dialog of the page says (alert, confirm and
// prompt; HTML, section 8.9.1): until it is answered, the page's scripts stand still.
func (t *Tab) dialogOpened(says string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dialog = &says
	t.changed()
}

func (t *Tab) dialogClosed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dialog = nil
	t.changed()
}

// showsDialog returns what the dialog that is open says, nil when there is none.
func (t *Tab) showsDialog() *string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dialog
}

// agree waits for a dialog of the page and agrees to it. What a prompt is given may be of
// the ceremony that led to it.
func (r *run) agree(ctx context.Context, s *step) error {
	says, err := r.dialogOrRefusal(ctx)
	if err != nil {
		return err
	}
	if !s.has.MatchString(says) {
		return fmt.Errorf("the dialog says %q, want %s", clip(says, 200), s.has)
	}
	text, err := web.Text(s.text, r.lookup, plainText)
	if err != nil {
		return err
	}
	c, cancel := r.tab.within(ctx)
	defer cancel()
	_, err = chromedp.Call(c, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true, PromptText: text})
	return err
}

// dialogOrRefusal waits until a dialog is open and returns what it says. A page that says
// no instead ends the wait. While it is looked at a dialog may open, which holds up
// Chromium's answer, and so ends the look.
func (r *run) dialogOrRefusal(ctx context.Context) (string, error) {
	looking, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = r.tab.awaitDialog(looking) // of no interest but that it is over
	}()
	err := r.until(looking, func(context.Context) (bool, error) { return r.tab.showsDialog() != nil, nil })
	if says := r.tab.showsDialog(); says != nil {
		return *says, nil
	}
	if ctx.Err() != nil {
		return "", errors.New("the page showed no dialog")
	}
	return "", err
}

// awaitDialog waits until a dialog is open and returns what it says.
func (t *Tab) awaitDialog(ctx context.Context) (string, error) {
	for {
		t.mu.Lock()
		shown, arrived := t.dialog, t.arrived
		t.mu.Unlock()
		if shown != nil {
			return *shown, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return "", errors.New("the page showed no dialog")
		case <-t.ctx.Done():
			return "", t.ctx.Err()
		}
	}
}

// click clicks on an element. A dialog that comes of it holds up Chromium's answer to the
// click, and so ends the wait for it.
func (r *run) click(ctx context.Context, e *element) error {
	c, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = r.tab.awaitDialog(c) // of no interest but that it is over
	}()
	err := e.click(c)
	if err != nil && r.tab.showsDialog() != nil {
		return nil
	}
	return err
}
