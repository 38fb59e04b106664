package browser

import (
	"context"
	_ "embed" // of the script that finds elements
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed find.js
var finder string

// element is something on a page.
type element struct {
	tab *Tab
	id  runtime.RemoteObjectID
}

// errMoved is a page that became another while it was looked at.
var errMoved = errors.New("the page changed meanwhile")

// isPassing tells whether an error may be gone when the page has settled.
func isPassing(err error) bool {
	var p *cdproto.Error
	return errors.Is(err, errMoved) || errors.As(err, &p)
}

// find returns what is at a place of a page, nil when nothing is.
func (t *Tab) find(ctx context.Context, p *place, enabled bool) (*element, error) {
	frame, err := t.frame(ctx, p.frames)
	if frame == "" || err != nil {
		return nil, err
	}
	return t.findIn(ctx, frame, p, enabled)
}

// frame goes down into frames from that of the site's pages, by the selectors of their
// elements, and returns the last; "" when one is not there.
func (t *Tab) frame(ctx context.Context, path []string) (cdp.FrameID, error) {
	frame, err := t.mainFrame(ctx)
	if err != nil {
		return "", err
	}
	_, around := t.placed()
	for _, css := range slices.Concat(around, path) {
		e, err := t.findIn(ctx, frame, &place{css: css}, false)
		if e == nil || err != nil {
			return "", err
		}
		node, err := chromedp.Call(ctx, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: e.id})
		if err != nil {
			return "", err
		}
		if frame = node.Node.FrameID; frame == "" {
			return "", fmt.Errorf("%s is no frame", css)
		}
	}
	return frame, nil
}

func (t *Tab) findIn(ctx context.Context, frame cdp.FrameID, p *place, enabled bool) (*element, error) {
	world, _, ok := t.worldOf(frame)
	if !ok {
		return nil, errMoved
	}
	arguments, err := json.Marshal([]any{p.css, p.text, enabled})
	if err != nil {
		return nil, err
	}
	got, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: finder + "(..." + string(arguments) + ")", ContextID: world})
	if err != nil {
		return nil, err
	}
	if d := got.ExceptionDetails; d != nil {
		return nil, fmt.Errorf("%s: %s", p, exceptionText(d))
	}
	if got.Result.ObjectID == "" {
		return nil, nil
	}
	return &element{t, got.Result.ObjectID}, nil
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		line, _, _ := strings.Cut(d.Exception.Description, "\n")
		return line
	}
	return d.Text
}

// evaluate returns the value of an expression on the site's page, as JSON.
func (t *Tab) evaluate(ctx context.Context, expression string) (string, error) {
	frame, err := t.frame(ctx, nil)
	if err != nil {
		return "", err
	}
	if frame == "" {
		return "", errMoved
	}
	return t.evaluateIn(ctx, frame, expression)
}

func (t *Tab) evaluateIn(ctx context.Context, frame cdp.FrameID, expression string) (string, error) {
	world, _, ok := t.worldOf(frame)
	if !ok {
		return "", errMoved
	}
	yes := true
	got, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: world, ReturnByValue: &yes, AwaitPromise: &yes})
	if err != nil {
		return "", err
	}
	if d := got.ExceptionDetails; d != nil {
		return "", errors.New(exceptionText(d))
	}
	return string(got.Result.Value), nil
}

// call calls a function on the element and returns its result as JSON.
func (e *element) call(ctx context.Context, function string, arguments ...any) (string, error) {
	yes := true
	p := runtime.CallFunctionOnParams{FunctionDeclaration: function, ObjectID: e.id, ReturnByValue: &yes}
	for _, a := range arguments {
		b, err := json.Marshal(a)
		if err != nil {
			return "", err
		}
		p.Arguments = append(p.Arguments, &runtime.CallArgument{Value: b})
	}
	c, cancel := e.tab.within(ctx)
	defer cancel()
	got, err := chromedp.Call(c, runtime.CallFunctionOn, p)
	if err != nil {
		return "", err
	}
	if d := got.ExceptionDetails; d != nil {
		return "", errors.New(exceptionText(d))
	}
	return string(got.Result.Value), nil
}

// click clicks in the middle of the element, as a mouse does.
func (e *element) click(ctx context.Context) error {
	c, cancel := e.tab.within(ctx)
	defer cancel()
	if _, err := chromedp.Call(c, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{ObjectID: e.id}); err != nil {
		return err
	}
	got, err := chromedp.Call(c, dom.GetContentQuads, dom.GetContentQuadsParams{ObjectID: e.id})
	if err != nil {
		return err
	}
	if len(got.Quads) == 0 || len(got.Quads[0]) != 8 {
		return errors.New("it takes no room on the page")
	}
	q := got.Quads[0]
	x, y := (q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			p.Button, p.ClickCount = input.MouseButtonLeft, 1
		}
		if _, err := chromedp.Call(c, input.DispatchMouseEvent, p); err != nil {
			return err
		}
	}
	return nil
}

func (e *element) focus(ctx context.Context) error {
	c, cancel := e.tab.within(ctx)
	defer cancel()
	_, err := chromedp.Call(c, dom.Focus, dom.FocusParams{ObjectID: e.id})
	return err
}

// empty empties a field, or chooses from a list, and tells whether that was all.
const empty = `function (text) {
  const list = this instanceof HTMLSelectElement;
  if (list) {
    const option = [...this.options].find((o) => o.value === text || o.text.trim() === text);
    if (!option) throw new Error("the list has no " + JSON.stringify(text));
    this.value = option.value;
  } else if (this.isContentEditable) {
    this.textContent = "";
  } else {
    this.value = "";
  }
  this.dispatchEvent(new Event("input", { bubbles: true }));
  if (list) this.dispatchEvent(new Event("change", { bubbles: true }));
  return list || text === "";
}`

// fill puts a text in place of what a field holds, as a keyboard does. A secret is shown
// as dots.
func (e *element) fill(ctx context.Context, text string, secret bool) error {
	if secret {
		if _, err := e.call(ctx, `function () { this.style.setProperty("-webkit-text-security", "disc"); }`); err != nil {
			return err
		}
	}
	if err := e.focus(ctx); err != nil {
		return err
	}
	done, err := e.call(ctx, empty, text)
	if err != nil || done == "true" {
		return err
	}
	c, cancel := e.tab.within(ctx)
	defer cancel()
	_, err = chromedp.Call(c, input.InsertText, input.InsertTextParams{Text: text})
	return err
}

// read returns an attribute of the element, or the text that it shows.
func (e *element) read(ctx context.Context, attribute string) (string, error) {
	text, err := e.readIf(ctx, attribute)
	if err == nil && text == nil {
		return "", fmt.Errorf("there is no attribute %s", attribute)
	}
	if err != nil {
		return "", err
	}
	return *text, nil
}

// readIf returns the same, nil for an attribute that is not there.
func (e *element) readIf(ctx context.Context, attribute string) (text *string, err error) {
	got, err := e.call(ctx, `function (name) {
	  if (name) return this.getAttribute(name);
	  return ("value" in this && !(this instanceof HTMLLIElement || this instanceof HTMLButtonElement) ? this.value : this.innerText ?? "").trim();
	}`, attribute)
	if err != nil {
		return nil, err
	}
	return text, json.Unmarshal([]byte(got), &text)
}
