package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"

	"fido-emu/grammar"
)

// ceremonyOptions returns the options of a ceremony as navigator.credentials takes them, in
// JSON, out of what the site answered.
func (r *run) ceremonyOptions(c *ceremony) ([]byte, error) {
	var v any
	var err error
	switch {
	case c.options != nil:
		v, err = c.options.find(r.source(), r.lookup)
	case r.last != nil:
		v, err = r.last.json()
	default:
		err = errors.New("no answer came before this step")
	}
	if err != nil {
		return nil, fmt.Errorf("the options: %w", err)
	}
	if text, ok := v.(string); ok && strings.HasPrefix(strings.TrimSpace(text), "{") { // options as a JSON string
		if v, err = decodeJSON([]byte(text)); err != nil {
			return nil, fmt.Errorf("the options: %w", err)
		}
	}
	options, ok := unwrapped(v, c.unwrap).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the options: an object is expected, %s found", clip(compact(v), 80))
	}
	options = maps.Clone(options)
	if err := r.fillIn(options, c.defaults, false); err != nil {
		return nil, err
	}
	if err := r.fillIn(options, c.set, true); err != nil {
		return nil, err
	}
	if c.tolerant {
		if err := tolerate(options); err != nil {
			return nil, err
		}
	}
	return []byte(compact(options)), nil
}

// unwrapped takes off each wrapper that is there.
func unwrapped(v any, wrappers []string) any {
	for _, w := range wrappers {
		if inner, ok := at(v, "/"+w); ok {
			v = inner
		}
	}
	return v
}

// fillIn adds members to options: where there are none, or in any case.
func (r *run) fillIn(options map[string]any, with *grammar.Value, always bool) error {
	if with == nil {
		return nil
	}
	v, err := fill(with, r.lookup)
	if err != nil {
		return err
	}
	members, _ := v.(map[string]any)
	merge(options, members, always)
	return nil
}

// merge adds members, and within objects theirs.
func merge(into, members map[string]any, always bool) {
	for name, v := range members {
		there, has := into[name]
		inner, both := there.(map[string]any)
		add, object := v.(map[string]any)
		switch {
		case both && object:
			inner = maps.Clone(inner)
			merge(inner, add, always)
			into[name] = inner
		case !has || always:
			into[name] = v
		}
	}
}

// tolerate rewrites the bytes of options from any base64 to base64url without padding
// (WebAuthn Level 3, section 5.8): challenge, user.id, and the IDs of credentials.
func tolerate(options map[string]any) error {
	if err := rewrite(options, "challenge"); err != nil {
		return err
	}
	if user, ok := options["user"].(map[string]any); ok {
		if err := rewrite(user, "id"); err != nil {
			return fmt.Errorf("user.%w", err)
		}
	}
	for _, list := range []string{"excludeCredentials", "allowCredentials"} {
		items, _ := options[list].([]any)
		for _, item := range items {
			if d, ok := item.(map[string]any); ok {
				if err := rewrite(d, "id"); err != nil {
					return fmt.Errorf("%s: %w", list, err)
				}
			}
		}
	}
	return nil
}

func rewrite(object map[string]any, name string) error {
	text, ok := object[name].(string)
	if !ok {
		return nil
	}
	b, err := anyBase64(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	object[name] = base64.RawURLEncoding.EncodeToString(b)
	return nil
}
