package extensions

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// blobOf returns the credBlob that an assertion answers with.
func blobOf(r *run, c *conformance.Credential) (blob ctap.Bytes) {
	output(r, use(r, c, s{"credBlob": true}), "credBlob", &blob)
	return blob
}

// storing makes a discoverable credential with a blob.
func storing(r *run, blob []byte) (c *conformance.Credential, kept bool) {
	c = r.Create(askingPasskey(r, s{"credBlob": blob}))
	output(r, r.Outputs(c.Data), "credBlob", &kept)
	return c, kept
}

func credBlob() []conformance.Case {
	const about = "credBlob"
	same := func(r *run, c *conformance.Credential, want []byte) {
		got := blobOf(r, c)
		r.Check(bytes.Equal(got, want), "the blob is %x, and %x was stored", []byte(got), want)
	}
	return of(about, conformance.Since21("12.2"),
		stored("credblob.kept", "what is stored with a credential comes back with its assertions", func(r *run) {
			blob := r.Bytes(int(r.Info().MaxCredBlobLength))
			c, kept := storing(r, blob)
			r.Require(kept, "a blob of maxCredBlobLength is not stored")
			same(r, c, blob)
			same(r, c, blob)
		}),
		stored("credblob.short", "a blob of one byte is kept as it is", func(r *run) {
			c, kept := storing(r, []byte{0})
			r.Require(kept, "a blob of one byte is not stored")
			same(r, c, []byte{0})
		}),
		replugged(stored("credblob.lasts", "the blob outlives a power cycle", func(r *run) {
			blob := r.Bytes(32)
			c, kept := storing(r, blob)
			r.Require(kept, "a blob of 32 bytes is not stored")
			r.PowerCycle()
			same(r, c, blob)
		})),
		stored("credblob.too-long", "a blob longer than maxCredBlobLength is not stored, which the output says", func(r *run) {
			c, kept := storing(r, r.Bytes(int(r.Info().MaxCredBlobLength)+1))
			r.Check(!kept, "the output is true")
			same(r, c, nil)
		}),
		stored("credblob.own", "every credential has its own blob", func(r *run) {
			mine, others := r.Bytes(32), r.Bytes(32)
			first, _ := storing(r, mine)
			second, _ := storing(r, others)
			same(r, first, mine)
			same(r, second, others)
		}),
		stored("credblob.replaced", "the blob goes with the credential that is replaced", func(r *run) {
			c, _ := storing(r, r.Bytes(32))
			again := r.Create(r.PasskeyParams(c.RPID, "alice").With(3, s{"id": c.UserID, "name": "alice"}))
			same(r, again, nil)
		}),
		stored("credblob.none", "the answer for a credential without a blob is empty", func(r *run) {
			same(r, r.Create(r.PasskeyParams(r.NewSite(), "alice")), nil)
		}),
		stored("credblob.false", "a blob that is not asked for does not come", func(r *run) {
			c, _ := storing(r, r.Bytes(32))
			absent(r, use(r, c, s{about: false}), about)
			absent(r, r.Outputs(r.Use(c).Data), about)
		}),
		once("credblob.not-discoverable", "without rk the output says honestly whether the blob was stored", func(r *run) {
			blob := r.Bytes(32)
			c := r.Create(asking(r, s{about: blob}))
			var kept bool
			output(r, r.Outputs(c.Data), about, &kept)
			if !kept {
				blob = nil
			}
			same(r, c, blob)
		}),
		stored("credblob.each", "further assertions come with their own blobs", func(r *run) {
			site, first, second := r.NewSite(), r.Bytes(32), r.Bytes(32)
			a := r.Create(r.PasskeyParams(site, "alice").With(6, s{about: first}))
			b := r.Create(r.PasskeyParams(site, "bob").With(6, s{about: second}))
			params := r.Authorise(ctap.GetAssertion, r.AssertParamsAt(site).With(4, s{about: true}))
			for _, want := range []struct {
				c       *conformance.Credential
				command ctap.Command
				blob    []byte
			}{{b, ctap.GetAssertion, second}, {a, ctap.GetNextAssertion, first}} {
				sent := any(params)
				if want.command == ctap.GetNextAssertion {
					sent = nil
				}
				var got ctap.Bytes
				output(r, r.Outputs(r.ReadAssertion(params, r.Send(want.command, sent), want.c).Data), about, &got)
				r.Check(bytes.Equal(got, want.blob), "the blob is %x, and %x was stored", []byte(got), want.blob)
			}
		}),
		wrongTypes("credblob.type", about, true, "text", 7),
	)
}

func largeBlobKey() []conformance.Case {
	const about, keySize = "largeBlobKey", 32
	keyed := func(r *run) *conformance.Credential {
		c := r.Create(askingPasskey(r, s{about: true}))
		conformance.Equal(r, "length of largeBlobKey", len(c.Response.LargeBlobKey), keySize)
		return c
	}
	keyIn := func(r *run, c *conformance.Credential) []byte {
		return r.Assert(r.AssertParams(c).With(4, s{about: true}), c).Response.LargeBlobKey
	}
	refused := func(r *run, params m) {
		create(r, params).Tolerate(conformance.Deviates("implementations differ in the status", ctap.ErrInvalidParameter, ctap.ErrUnsupportedOption)).Want(ctap.ErrInvalidOption)
	}
	return of(about, conformance.Since21("12.3"),
		stored("largeblobkey.made", "a discoverable credential gets a key of 32 bytes, in the answer and not in authenticator data", func(r *run) {
			absent(r, r.Outputs(keyed(r).Data), about)
		}),
		stored("largeblobkey.same", "every assertion has the key of the creation", func(r *run) {
			c := keyed(r)
			for range 3 {
				got := keyIn(r, c)
				r.Check(bytes.Equal(got, c.Response.LargeBlobKey), "largeBlobKey is %x, and was %x at creation", got, []byte(c.Response.LargeBlobKey))
			}
		}),
		replugged(stored("largeblobkey.lasts", "the key outlives a power cycle", func(r *run) {
			c := keyed(r)
			r.PowerCycle()
			r.Check(bytes.Equal(keyIn(r, c), c.Response.LargeBlobKey), "largeBlobKey is another")
		})),
		stored("largeblobkey.own", "every credential has its own key", func(r *run) {
			a, b := keyed(r), keyed(r)
			r.Check(!bytes.Equal(a.Response.LargeBlobKey, b.Response.LargeBlobKey), "two credentials have the key %x", []byte(a.Response.LargeBlobKey))
			r.Check(!bytes.Equal(keyIn(r, a), keyIn(r, b)), "two credentials have one key in their assertions")
		}),
		stored("largeblobkey.random", "the key has nothing to do with the credential's id", func(r *run) {
			c := keyed(r)
			r.Check(!bytes.Contains(c.ID, c.Response.LargeBlobKey[:16]) && !bytes.Equal(c.Response.LargeBlobKey, make([]byte, keySize)), "largeBlobKey is %x", []byte(c.Response.LargeBlobKey))
		}),
		stored("largeblobkey.unasked", "the key comes only where it is asked for", func(r *run) {
			r.Create(askingPasskey(r, s{}))
			r.Use(keyed(r)).Reply.Without(7)
		}),
		stored("largeblobkey.none", "a credential that was made without a key has none", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Check(c.Response.LargeBlobKey == nil, "makeCredential answers with the key %x", []byte(c.Response.LargeBlobKey))
			r.Check(keyIn(r, c) == nil, "an assertion has a key")
		}),
		once("largeblobkey.not-discoverable", "a credential that is not discoverable cannot have a key", func(r *run) {
			refused(r, asking(r, s{about: true}))
		}),
		conformance.Needing(once("largeblobkey.false", "largeBlobKey is true or absent", func(r *run) {
			refused(r, r.PasskeyParams(r.NewSite(), "alice").With(6, s{about: false}))
			refused(r, asking(r, s{about: false}))
		}), conformance.Option("rk")),
		once("largeblobkey.false-in-assertion", "largeBlobKey is true or absent in an assertion", func(r *run) {
			get(r, r.NewCredential(), s{about: false}).
				Tolerate(conformance.Deviates("implementations differ in the status", ctap.ErrInvalidParameter)).Want(ctap.ErrInvalidOption)
		}),
		wrongTypes("largeblobkey.type", about, 1, "true", []byte{1}),
	)
}
