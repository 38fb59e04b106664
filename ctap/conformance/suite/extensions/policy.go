package extensions

import (
	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const (
	setMinPINLengthCommand = 3 // of authenticatorConfig

	newMinPINLength   = 1 // members of its parameters (section 6.11.4)
	minPinLengthRPIDs = 2
)

// list has the authenticator tell its PIN policy to relying parties.
func list(r *run, rpIDs ...string) {
	r.Configure(setMinPINLengthCommand, m{minPinLengthRPIDs: rpIDs})
}

// told makes a credential at a relying party that asks for an extension.
func told(r *run, rpID, extension string, input any) *conformance.Credential {
	return r.Create(asking(r, s{extension: input}).With(2, s{"id": rpID, "name": "Conformance"}))
}

// listing is a case that sets the list, with a PIN that is set.
func listing(id, why string, do func(r *run)) conformance.Case {
	return conformance.Leaving(conformance.StartWithPIN(conformance.Needing(once(id, why, do), conformance.Option("setMinPINLength"))))
}

// roomForTwo needs a list for more than one relying party.
var roomForTwo = conformance.When(func(i *ctap.Info) bool {
	return i.MaxRPIDsForSetMinPINLength != nil && *i.MaxRPIDsForSetMinPINLength >= 2
}, "maxRPIDsForSetMinPINLength is less than two")

func minPINLength() []conformance.Case {
	const about = "minPinLength"
	length := func(r *run, rpID string) (n uint) {
		output(r, r.Outputs(told(r, rpID, about, true).Data), about, &n)
		return n
	}
	return of(about, conformance.Since21("12.5"),
		once("minpinlength.unlisted", "a relying party that is not on the list is told nothing", func(r *run) {
			absent(r, r.Outputs(told(r, r.NewSite(), about, true).Data), about)
		}),
		listing("minpinlength.listed", "a relying party on the list is told the minimum PIN length of getInfo", func(r *run) {
			site := r.NewSite()
			list(r, site)
			conformance.Equal(r, "minPinLength", length(r, site), r.FreshInfo().MinPINLength)
		}),
		listing("minpinlength.raised", "the minimum that is told is the one that is in force", func(r *run) {
			site := r.NewSite()
			want := r.FreshInfo().MinPINLength + 2
			list(r, site)
			r.Configure(setMinPINLengthCommand, m{newMinPINLength: want})
			if r.FreshInfo().ForcePINChange {
				r.ChangePIN(r.PIN(), "another PIN, long enough")
			}
			conformance.Equal(r, "minPinLength", length(r, site), want)
		}),
		listing("minpinlength.others", "relying parties beside those on the list are told nothing", func(r *run) {
			site := r.NewSite()
			list(r, site)
			for _, other := range []string{r.NewSite(), "www." + site} {
				absent(r, r.Outputs(told(r, other, about, true).Data), about)
			}
		}),
		conformance.Needing(listing("minpinlength.several", "every relying party on the list is told", func(r *run) {
			a, b := r.NewSite(), r.NewSite()
			list(r, a, b)
			conformance.Equal(r, "minPinLength", length(r, a), length(r, b))
		}), roomForTwo),
		listing("minpinlength.replaced", "a new list takes the place of the old", func(r *run) {
			site := r.NewSite()
			list(r, site)
			list(r, r.NewSite())
			absent(r, r.Outputs(told(r, site, about, true).Data), about)
		}),
		listing("minpinlength.false", "who does not ask is told nothing", func(r *run) {
			site := r.NewSite()
			list(r, site)
			absent(r, r.Outputs(told(r, site, about, false).Data), about)
			plain := r.Create(r.CreateParams().With(2, s{"id": site, "name": "Conformance"}))
			absent(r, r.Outputs(plain.Data), about)
		}),
		replugged(listing("minpinlength.lasts", "the list outlives a power cycle", func(r *run) {
			site := r.NewSite()
			list(r, site)
			r.PowerCycle()
			conformance.Equal(r, "minPinLength", length(r, site), r.FreshInfo().MinPINLength)
		})),
		once("minpinlength.no-assertion", "minPinLength is not answered in an assertion", func(r *run) {
			absent(r, use(r, r.NewCredential(), s{about: true}), about)
		}),
		wrongTypes("minpinlength.type", about, 4, "true", []byte{1}),
	)
}

func pinComplexity() []conformance.Case {
	const about = "pinComplexityPolicy"
	return of(about, conformance.Since22("12.6"),
		once("pincomplexity.unlisted", "a relying party that is not on the list is told nothing", func(r *run) {
			absent(r, r.Outputs(told(r, r.NewSite(), about, true).Data), about)
		}),
		listing("pincomplexity.listed", "a relying party on the list of setMinPINLength is told the policy of getInfo", func(r *run) {
			site := r.NewSite()
			list(r, site)
			var got bool
			output(r, r.Outputs(told(r, site, about, true).Data), about, &got)
			want := r.FreshInfo().PinComplexityPolicy
			r.Require(want != nil, "getInfo has no pinComplexityPolicy")
			conformance.Equal(r, about, got, *want)
		}),
		listing("pincomplexity.others", "relying parties beside those on the list are told nothing", func(r *run) {
			list(r, r.NewSite())
			absent(r, r.Outputs(told(r, r.NewSite(), about, true).Data), about)
		}),
		listing("pincomplexity.false", "who does not ask is told nothing", func(r *run) {
			site := r.NewSite()
			list(r, site)
			absent(r, r.Outputs(told(r, site, about, false).Data), about)
		}),
		wrongTypes("pincomplexity.type", about, 1, "true"),
	)
}

func payment() []conformance.Case {
	const about = "thirdPartyPayment"
	made := func(r *run, params m) *conformance.Credential {
		c := r.Create(params)
		var got bool
		output(r, r.Outputs(c.Data), about, &got)
		r.Check(got, "the output is false")
		return c
	}
	paid := func(r *run, c *conformance.Credential) (got bool) {
		output(r, use(r, c, s{about: true}), about, &got)
		return got
	}
	return of(about, conformance.Since22("12.9"),
		once("payment.made", "a credential that is made for payments says so, then and in assertions", func(r *run) {
			r.Check(paid(r, made(r, asking(r, s{about: true}))), "the output of an assertion is false")
		}),
		stored("payment.discoverable", "so does a discoverable one", func(r *run) {
			r.Check(paid(r, made(r, askingPasskey(r, s{about: true}))), "the output of an assertion is false")
		}),
		once("payment.not-made", "a credential that is not made for payments says so", func(r *run) {
			r.Check(!paid(r, r.NewCredential()), "the output of an assertion is true")
			r.Check(!paid(r, r.Create(asking(r, s{about: false}))), "the output of an assertion is true")
		}),
		replugged(once("payment.lasts", "what a credential is for outlives a power cycle", func(r *run) {
			c := made(r, asking(r, s{about: true}))
			r.PowerCycle()
			r.Check(paid(r, c), "the output of an assertion is false")
		})),
		once("payment.unasked", "an assertion does not say what it was not asked", func(r *run) {
			absent(r, r.Outputs(r.Use(made(r, asking(r, s{about: true}))).Data), about)
		}),
		wrongTypes("payment.type", about, 1, "true", []byte{1}),
	)
}

// uvm is of WebAuthn Level 2, section 10.1.9; Level 3 has it no more.
func uvm() []conformance.Case {
	const about = "uvm"
	const present, none, passcodeExternal = 0x01, 0x200, 0x800
	entry := func(r *run, outputs map[string]cbor.RawMessage) uint {
		var entries [][]uint
		output(r, outputs, about, &entries)
		r.Require(len(entries) >= 1 && len(entries) <= 3, "uvm has %d entries, one to three are due", len(entries))
		for _, e := range entries {
			r.Require(len(e) == 3, "an entry of uvm is %d; a method, a key protection and a matcher protection are due", e)
		}
		return entries[0][0]
	}
	return of(about, conformance.OfWebAuthn("10.1.9"),
		once("uvm.made", "a creation tells how the user was verified", func(r *run) {
			entry(r, r.Outputs(r.Create(asking(r, s{about: true})).Data))
		}),
		bothWays(once("uvm.touched", "a touch is USER_VERIFY_PRESENCE_INTERNAL", func(r *run) {
			method := entry(r, r.Outputs(unverified(r, r.NewCredential(), s{about: true}).Data))
			r.Check(method == present || method == none, "the method is 0x%X", method)
		})),
		conformance.StartWithPIN(once("uvm.pin", "the PIN is USER_VERIFY_PASSCODE_EXTERNAL", func(r *run) {
			conformance.Equal(r, "the method", entry(r, r.Outputs(verified(r, r.NewCredential(), s{about: true}).Data)), passcodeExternal)
		})),
		once("uvm.unasked", "who does not ask is told nothing", func(r *run) {
			c := r.Create(asking(r, s{about: false}))
			absent(r, r.Outputs(c.Data), about)
			absent(r, r.Outputs(r.Use(c).Data), about)
		}),
	)
}
