package conformance

import (
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// Deviation is a status that is not what the rule asks for and yet no failure,
// because of who else answers so.
type Deviation struct {
	Source   string // who: an edition with its section, or a kind of key
	Statuses []ctap.Status
}

// Deviates makes a [Deviation].
func Deviates(source string, statuses ...ctap.Status) Deviation { return Deviation{source, statuses} }

// Tolerate says which other statuses the next Want lets pass, as tolerated.
func (p *Reply) Tolerate(all ...Deviation) *Reply {
	p.tolerated = append(p.tolerated, all...)
	return p
}

// Want ends the case as failed unless the status is one of these.
func (p *Reply) Want(wanted ...ctap.Status) *Reply {
	if p.Wire == 0 && slices.Contains(wanted, p.Status) {
		return p
	}
	for _, d := range p.tolerated {
		if p.Wire == 0 && slices.Contains(d.Statuses, p.Status) {
			p.run.deviations = append(p.run.deviations, SeenDeviation{
				What:   fmt.Sprintf("%s answers %s, where %s is due", p.asked, p.Status.Error(), statuses(wanted)),
				Source: d.Source, Exchange: p.number,
			})
			return p
		}
	}
	p.mismatch("wrong status", statuses(wanted), p.what())
	return p
}

// OK is Want(ctap.OK).
func (p *Reply) OK() *Reply { return p.Want(ctap.OK) }

// Refused ends the case as failed when the request was accepted. It is for where the
// specification leaves the status open.
func (p *Reply) Refused() *Reply {
	if p.Status == ctap.OK && p.Wire == 0 {
		p.mismatch("it was accepted", "an error", p.what())
	}
	return p
}

// Touched ends the case as failed unless the authenticator asked for its user.
func (p *Reply) Touched() *Reply {
	if !p.Asked {
		p.mismatch("it did not ask for its user", "a keepalive with STATUS_UPNEEDED before the answer", p.what()+" at once")
	}
	return p
}

// Untouched ends the case as failed if the authenticator asked for its user.
func (p *Reply) Untouched() *Reply {
	if p.Asked {
		p.mismatch("it asked for its user", "an answer without asking", "a keepalive with STATUS_UPNEEDED, and then "+p.what())
	}
	return p
}

// Empty ends the case as failed if anything follows the status byte.
func (p *Reply) Empty() *Reply {
	if len(p.Body) != 0 {
		p.mismatch("something follows the status byte", "nothing", fmt.Sprintf("%x", p.Body))
	}
	return p
}

// Canonical ends the case as failed unless the body is in the CTAP2 canonical CBOR
// encoding form.
func (p *Reply) Canonical() *Reply {
	if err := ctap.CheckCanonical(p.Body); err != nil {
		p.mismatch("the answer is not canonical CBOR", "the CTAP2 canonical CBOR encoding form (section 8)", fmt.Sprintf("%x", p.Body))
	}
	return p
}

// Into reads the body into a message; the case fails when it is none.
func (p *Reply) Into(v any) *Reply {
	if err := ctap.DecodeLoose(p.Body, v); err != nil {
		p.mismatch("the answer cannot be read", fmt.Sprintf("a %T", v), fmt.Sprintf("%x", p.Body))
	}
	return p
}

// Members reads the body as a map with integer keys. An empty body is an empty map.
func (p *Reply) Members() map[int]cbor.RawMessage {
	members := raws{}
	if len(p.Body) > 0 {
		p.Into(&members)
	}
	return members
}

// Member returns a member of the body; the case fails when it is not there.
func (p *Reply) Member(key int) cbor.RawMessage {
	v := p.Members()[key]
	if v == nil {
		p.mismatch("a member is missing", fmt.Sprintf("member 0x%02X", key), fmt.Sprintf("%x", p.Body))
	}
	return v
}

// Uint returns a member that is an unsigned integer.
func (p *Reply) Uint(key int) uint {
	var n uint
	raw := p.Member(key)
	if err := cbor.Unmarshal(raw, &n); err != nil {
		p.mismatch("a member has another type", fmt.Sprintf("an unsigned integer in 0x%02X", key), fmt.Sprintf("%x", []byte(raw)))
	}
	return n
}

// Without ends the case as failed if a member is there.
func (p *Reply) Without(keys ...int) *Reply {
	for _, k := range keys {
		if v := p.Members()[k]; v != nil {
			p.mismatch("a member that must be absent is there", fmt.Sprintf("no member 0x%02X", k), fmt.Sprintf("%x", []byte(v)))
		}
	}
	return p
}

// Only ends the case as failed if the body has members other than these.
func (p *Reply) Only(keys ...int) *Reply {
	for k := range p.Members() {
		if !slices.Contains(keys, k) {
			p.mismatch("a member is there that has no place in this answer", fmt.Sprintf("members %d", keys), fmt.Sprintf("0x%02X", k))
		}
	}
	return p
}

// what says what came, for people.
func (p *Reply) what() string {
	if p.Wire != 0 {
		return "CTAPHID_ERROR " + p.Wire.Error()
	}
	return p.Status.Error()
}

// mismatch ends the case.
func (p *Reply) mismatch(text, want, got string) {
	p.run.fail(Failure{Text: p.asked + ": " + text, Want: want, Got: got, Exchange: p.number})
	panic(abort{})
}
