package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// malformed is a request with one thing wrong inside a parameter.
type malformed struct {
	id, why string
	bend    func(r *run, good m) m
	want    ctap.Status
}

func (f malformed) asCase() conformance.Case {
	return once("malformed."+f.id, "6.1.2", f.why, func(r *run) {
		reply := attempt(r, f.bend(r, r.CreateParams()))
		reply.Tolerate(conformance.TypeAsOthers, conformance.Deviates("shipping keys take a missing member for one of a wrong type", ctap.ErrCBORUnexpectedType)).Want(f.want)
	})
}

// member bends one member of a parameter that is a map with text keys.
func member(key int, name string, value any) func(*run, m) m {
	return func(_ *run, good m) m {
		bent := s{name: value}
		for k, v := range good[key].(s) {
			if k != name {
				bent[k] = v
			}
		}
		if value == nil {
			delete(bent, name)
		}
		return good.With(key, bent)
	}
}

// entities is about rp and user.
func entities() []conformance.Case {
	return conformance.Join(conformance.Each([]malformed{
		{"rp-id-missing", "rp without id is CTAP2_ERR_MISSING_PARAMETER", member(2, "id", nil), ctap.ErrMissingParameter},
		{"rp-id-type", "the id of rp is text", member(2, "id", []byte("bytes")), ctap.ErrCBORUnexpectedType},
		{"rp-name-type", "the name of rp is text", member(2, "name", 1), ctap.ErrCBORUnexpectedType},
		{"user-id-missing", "user without id is CTAP2_ERR_MISSING_PARAMETER", member(3, "id", nil), ctap.ErrMissingParameter},
		{"user-id-type", "the id of user is bytes", member(3, "id", "text"), ctap.ErrCBORUnexpectedType},
		{"user-name-type", "the name of user is text", member(3, "name", []byte("bytes")), ctap.ErrCBORUnexpectedType},
		{"user-display-name-type", "the displayName of user is text", member(3, "displayName", 1), ctap.ErrCBORUnexpectedType},
	}, malformed.asCase), conformance.One(
		once("user.id-too-long", "6.1.2", "the id of user has at most 64 bytes", func(r *run) {
			attempt(r, r.CreateParams().With(3, s{"id": r.Bytes(65), "name": "alice"})).Tolerate(lengthAs03).Want(ctap.ErrInvalidParameter)
		}),
		once("user.unknown-member", "6.1.2", "members of rp and user that are not known, such as icon, are ignored", func(r *run) {
			params := member(2, "icon", "https://example.com/rp.png")(r, r.CreateParams())
			r.Create(member(3, "icon", "https://example.com/user.png")(r, params))
		}),
	))
}

// element puts a value behind what a list holds.
func element(key int, value any) func(*run, m) m {
	return func(_ *run, good m) m {
		var all []any
		if list, ok := good[key].([]s); ok {
			for _, v := range list {
				all = append(all, v)
			}
		}
		return good.With(key, append(all, value))
	}
}

// lists is about elements of excludeList, options and extensions.
func lists() []conformance.Case {
	id := []byte("an id that nobody made")
	return conformance.Each([]malformed{
		{"exclude-list-element", "an element of excludeList is a map", element(5, "text"), ctap.ErrCBORUnexpectedType},
		{"descriptor-id-missing", "a descriptor has an id", element(5, s{"type": ctap.PublicKeyCredential}), ctap.ErrMissingParameter},
		{"descriptor-id-type", "the id of a descriptor is bytes", element(5, s{"type": ctap.PublicKeyCredential, "id": "text"}), ctap.ErrCBORUnexpectedType},
		{"descriptor-type-missing", "a descriptor has a type", element(5, s{"id": id}), ctap.ErrMissingParameter},
		{"descriptor-type-type", "the type of a descriptor is text", element(5, s{"type": id, "id": id}), ctap.ErrCBORUnexpectedType},
		{"option-value", "an option is true or false", func(_ *run, good m) m { return good.With(7, s{"rk": "yes"}) }, ctap.ErrCBORUnexpectedType},
		{"option-key", "an option has a name", func(_ *run, good m) m { return good.With(7, m{1: true}) }, ctap.ErrCBORUnexpectedType},
		{"extension-key", "an extension has a name", func(_ *run, good m) m { return good.With(6, m{1: true}) }, ctap.ErrCBORUnexpectedType},
	}, malformed.asCase)
}
