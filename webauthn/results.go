package webauthn

import (
	"strconv"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// results are the client extension outputs (section 10). Nil members are absent.
type results struct {
	appID        *bool
	appIDExclude bool // true or absent
	credProps    *credProps
	prf          *prfOutputs
	largeBlob    *largeBlobOutputs
	credBlob     *bool
	getCredBlob  []byte
	uvm          [][]uint
}

// credProps is CredentialPropertiesOutput. rk is nil for not known.
type credProps struct{ rk *bool }

// prfOutputs is AuthenticationExtensionsPRFOutputs.
type prfOutputs struct {
	enabled       *bool // at registration alone
	first, second []byte
}

// methods reads the output of uvm, where the page asked for it.
func methods(asked bool, out map[string]cbor.RawMessage) (uvm [][]uint, err error) {
	raw := out[extUVM]
	if !asked || raw == nil {
		return nil, nil
	}
	if err := ctap.DecodeLoose(raw, &uvm); err != nil {
		return nil, &platform.Broken{Doing: extUVM, Reason: "its output cannot be read", Err: err}
	}
	return uvm, nil
}

// object appends the members of a JSON object, and knows where commas go.
type object struct {
	b     []byte
	begun bool
}

func (o *object) name(name string) {
	if o.begun {
		o.b = append(o.b, ',')
	}
	o.begun = true
	o.b = append(append(append(o.b, '"'), name...), `":`...)
}

func (o *object) boolean(name string, value *bool) {
	if value != nil {
		o.name(name)
		o.b = strconv.AppendBool(o.b, *value)
	}
}

func (o *object) binary(name string, value []byte) {
	if value == nil {
		return
	}
	if o.begun {
		o.b = append(o.b, ',')
	}
	o.begun = true
	o.b = appendBinary(o.b, name, value)
}

// within appends a member that is an object.
func (o *object) within(name string, members func(*object)) {
	o.name(name)
	inner := object{b: append(o.b, '{')}
	members(&inner)
	o.b = append(inner.b, '}')
}

// append appends the outputs as JSON.
func (r *results) append(b []byte) []byte {
	o := object{b: append(b, '{')}
	o.boolean("appid", r.appID)
	if r.appIDExclude {
		o.boolean("appidExclude", &r.appIDExclude)
	}
	if r.credProps != nil {
		o.within("credProps", func(o *object) { o.boolean("rk", r.credProps.rk) })
	}
	if r.prf != nil {
		o.within("prf", r.prf.members)
	}
	if r.largeBlob != nil {
		o.within("largeBlob", r.largeBlob.members)
	}
	o.boolean("credBlob", r.credBlob)
	o.binary("getCredBlob", r.getCredBlob)
	if r.uvm != nil {
		o.name("uvm")
		o.b = appendLists(o.b, r.uvm)
	}
	return append(o.b, '}')
}

func (p *prfOutputs) members(o *object) {
	o.boolean("enabled", p.enabled)
	if p.first != nil {
		o.within("results", func(o *object) {
			o.binary("first", p.first)
			o.binary("second", p.second)
		})
	}
}

func (l *largeBlobOutputs) members(o *object) {
	o.boolean("supported", l.supported)
	o.binary("blob", l.blob)
	o.boolean("written", l.written)
}

// appendLists appends lists of numbers.
func appendLists(b []byte, lists [][]uint) []byte {
	b = append(b, '[')
	for i, list := range lists {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for j, n := range list {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendUint(b, uint64(n), 10)
		}
		b = append(b, ']')
	}
	return append(b, ']')
}
