package trace

import "fmt"

// member is one member of a map with integer keys.
type member struct {
	name string
	show show // nil for plain
}

// table names the members of a map with integer keys.
type table map[int64]member

// members shows a map, its keys named by t.
func members(t table) show {
	return func(n node) (string, []Field) {
		return pairs(n, func(key node) (string, show) {
			if k, ok := key.isInt(); ok {
				if m, known := t[k]; known {
					return m.name, m.show
				}
			}
			return keyName(key, t != nil), nil
		})
	}
}

// named shows a map with text keys, some of whose values have a show of their own.
func named(shows map[string]show) show {
	return func(n node) (string, []Field) {
		return pairs(n, func(key node) (string, show) {
			return keyName(key, false), shows[string(key.str)]
		})
	}
}

// keyName shows a key that no table names.
func keyName(key node, expectInt bool) string {
	switch {
	case key.major == majorText && key.err == nil:
		return text(key.str)
	case expectInt:
		return fmt.Sprintf("unknown member %s", key.diagnostic())
	}
	return key.diagnostic()
}

// pairs shows a map in the order in which it was sent.
func pairs(n node, lookup func(key node) (string, show)) (string, []Field) {
	if n.major != majorMap {
		return plain(n)
	}
	var fields []Field
	for i := 0; i+1 < len(n.items); i += 2 {
		name, s := lookup(n.items[i])
		if s == nil {
			s = plain
		}
		fields = append(fields, s.field(name, n.items[i+1]))
	}
	if odd := len(n.items)%2 == 1; odd {
		name, _ := lookup(n.items[len(n.items)-1])
		fields = append(fields, Field{Name: name, Fields: []Field{malformed(n.err)}})
	} else if n.err != nil && !n.told() {
		fields = append(fields, malformed(n.err))
	}
	if fields == nil {
		return "{}", nil
	}
	return "", fields
}
