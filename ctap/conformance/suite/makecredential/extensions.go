package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const extending = "6.1.2 step 15"

// extensions is about what holds for all extensions; those that there are have groups
// of their own.
func extensions() []conformance.Case {
	const nobodyKnows = "conformance.unknown"
	return conformance.One(
		once("extensions.unknown", extending, "an extension that is not known is ignored", func(r *run) {
			c := r.Create(r.CreateParams().With(6, s{nobodyKnows: true, "appid": "https://example.com"}))
			for id := range r.Outputs(c.Data) {
				r.Check(id == "credProtect", "the output has %s, which nobody asked for", id)
			}
		}),
		once("extensions.unknown-shapes", extending, "an extension that is not known is ignored whatever its input is", func(r *run) {
			r.Create(r.CreateParams().With(6, s{nobodyKnows: []any{1, "two", s{"three": false}}}))
		}),
		once("extensions.not-asked", extending, "no extension answers that was not asked for", func(r *run) {
			c := r.NewCredential()
			for id := range r.Outputs(c.Data) {
				r.Check(id == "credProtect", "the output has %s, which nobody asked for", id)
			}
		}),
		once("extensions.empty", extending, "no extensions are what an empty map of them is", func(r *run) {
			r.Create(r.CreateParams().With(6, s{}))
		}),
		conformance.Needing(once("extensions.flag", extending, "extension outputs are there exactly if the flag ED is set", func(r *run) {
			c := r.Create(r.CreateParams().With(6, s{"hmac-secret": true}))
			r.Check(c.Data.Flags&ctap.FlagED != 0 && r.Outputs(c.Data)["hmac-secret"] != nil, "the flags are %s, the outputs %x", c.Data.Flags, []byte(c.Data.Extensions))
		}), conformance.Extension("hmac-secret")),
		conformance.Needing(once("extensions.beside-unknown", extending, "an extension that is not known does not keep a known one from answering", func(r *run) {
			c := r.Create(r.CreateParams().With(6, s{nobodyKnows: 1, "hmac-secret": true}))
			r.Check(len(r.Outputs(c.Data)) >= 1 && r.Outputs(c.Data)["hmac-secret"] != nil, "the outputs are %x", []byte(c.Data.Extensions))
		}), conformance.Extension("hmac-secret")),
	)
}
