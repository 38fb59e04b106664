package grammar

// Schema returns a JSON Schema (draft 2020-12) of a table, for editors that complete
// and check YAML by one. Tables of Variants become definitions, as they may hold
// themselves.
func Schema(title string, table Table) map[string]any {
	g := generator{defs: map[string]any{}}
	s := g.object(table())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = title
	s["$defs"] = g.defs
	return s
}

type generator struct{ defs map[string]any }

func (g generator) object(table []Member) map[string]any {
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

func (g generator) property(m Member) map[string]any {
	s := g.shape(m)
	if m.List {
		s = map[string]any{"anyOf": []any{s, map[string]any{"type": "array", "items": s}}}
	}
	if m.Text != "" {
		s["description"] = m.Text
	}
	return s
}

func (g generator) shape(m Member) map[string]any {
	scalar := map[string]any{"type": []string{"string", "number", "boolean"}}
	switch m.Kind {
	case Any:
		return map[string]any{}
	case Word:
		return map[string]any{"enum": m.Allowed}
	case YesNo:
		return map[string]any{"enum": []any{true, false, "yes", "no"}}
	case Number:
		return map[string]any{"type": "integer", "minimum": 0, "maximum": 1000000}
	case Duration, Pattern:
		return map[string]any{"type": "string"}
	case Object:
		if m.Short {
			return map[string]any{"anyOf": []any{scalar, g.object(m.Members())}}
		}
		o := g.object(m.Members())
		if m.Bare {
			o["type"] = []string{"object", "null"}
		}
		return o
	case Named:
		return map[string]any{"type": "object", "additionalProperties": g.property(*m.Each)}
	case Variants:
		return g.variants(m)
	}
	return scalar
}

func (g generator) variants(m Member) map[string]any {
	if _, known := g.defs[m.Name]; !known {
		g.defs[m.Name] = nil // said before its members are, which may be it again
		table := m.Members()
		s := g.object(table)
		var one []any
		for _, t := range table {
			if t.Verb || t.Alone {
				one = append(one, map[string]any{"required": []string{t.Name}})
			}
		}
		s["anyOf"] = one // that no two stand together is for Check to say
		g.defs[m.Name] = s
	}
	return map[string]any{"$ref": "#/$defs/" + m.Name}
}
