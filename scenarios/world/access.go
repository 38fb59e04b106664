package world

import (
	"context"
	"slices"

	"fido-emu/rp"
)

// SetAccessRule sets one rule of Conditional Access; the others stay.
func (w *World) SetAccessRule(ctx context.Context, rule rp.AccessRule) error {
	site, err := w.Site.Access()
	if err != nil {
		return err
	}
	rules := slices.Clone(w.rules)
	i := slices.IndexFunc(rules, func(r rp.AccessRule) bool { return r.Name == rule.Name })
	if i < 0 {
		rules = append(rules, rule)
	} else {
		rules[i] = rule
	}
	if err := site.SetAccessRules(ctx, rules); err != nil {
		return err
	}
	w.rules = rules
	return nil
}
