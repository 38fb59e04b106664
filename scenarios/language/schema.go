package language

// Schema returns a JSON Schema (draft 2020-12) of the language, for editors that
// complete and check YAML by one. It knows the words but not the names that a
// file gives; harness validate knows both.
func (g Grammar) Schema() map[string]any {
	s := g.object(Document())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "fido-emu scenario"
	defs := map[string]any{}
	var refs []any
	for i := range g.Verbs {
		defs[g.Verbs[i].Verb] = g.step(&g.Verbs[i])
		refs = append(refs, map[string]any{"$ref": "#/$defs/" + g.Verbs[i].Verb})
	}
	defs["step"] = map[string]any{"oneOf": refs}
	s["$defs"] = defs
	return s
}

func (g Grammar) step(u *Usage) map[string]any {
	subject := u.Subject
	subject.Name, subject.Required = u.Verb, true
	s := g.object(append([]Member{subject}, u.All()...))
	s["description"] = u.Summary
	return s
}

func (g Grammar) object(table []Member) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, m := range table {
		properties[m.Name] = g.property(m)
		if m.Required {
			required = append(required, m.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (g Grammar) property(m Member) map[string]any {
	s := g.shape(m)
	if m.List {
		s = map[string]any{"anyOf": []any{s, map[string]any{"type": "array", "items": s}}}
	}
	if m.Text != "" {
		s["description"] = m.Text
	}
	return s
}

func (g Grammar) shape(m Member) map[string]any {
	scalar := []string{"string", "number", "boolean"}
	switch m.Kind {
	case Word:
		return words(m.Allowed)
	case YesNo:
		return map[string]any{"enum": []any{true, false, "yes", "no", "true", "false"}}
	case Profile:
		return words(g.Profiles)
	case Provider:
		return words(g.Providers)
	case CoverRow:
		return words(g.Rows)
	case Label:
		return map[string]any{"type": "string", "pattern": labelForm.String()}
	case NewName:
		return map[string]any{"type": "string", "pattern": nameForm.String()}
	case Mapping:
		return g.object(m.Members)
	case Named:
		value := g.object(m.Members)
		if !requires(m.Members) {
			value["type"] = []string{"object", "null"}
		}
		return map[string]any{"type": "object", "additionalProperties": value}
	case Steps:
		return map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"$ref": "#/$defs/step"}}
	case Values:
		list := map[string]any{"anyOf": []any{map[string]any{"type": scalar}, map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"type": scalar}}}}
		return map[string]any{"type": "object", "additionalProperties": list}
	}
	return map[string]any{"type": scalar}
}

// words allows the given words, or a ${name} that the matrix puts one in for.
func words(allowed []string) map[string]any {
	return map[string]any{"anyOf": []any{
		map[string]any{"enum": allowed},
		map[string]any{"type": "string", "pattern": `^\$\{[a-z][a-z0-9-]*\}$`},
	}}
}
