package makecredential

import (
	"crypto/sha256"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// spending is about what a ceremony leaves of the token that authorised it.
func spending() []conformance.Case {
	return conformance.One(
		conformance.StartWithPIN(conformance.Needing(since21("spent.token", "6.1.2 step 14", "the touch spends the token: it makes no second credential", func(r *run) {
			t := r.Token(ctap.PermMakeCredential, conformance.RPID)
			r.Create(r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams()))
			r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())).Want(ctap.ErrPINAuthInvalid)
		}), conformance.CanToken())),
		conformance.Leaving(conformance.StartWithPIN(conformance.Needing(since21("spent.permissions", "6.1.2 step 14", "the touch takes the token's other permissions, such as cm", func(r *run) {
			site := r.NewSite()
			t := r.Token(ctap.PermMakeCredential|ctap.PermCredentialMgmt, site)
			r.Create(r.AuthoriseWith(t, ctap.MakeCredential, r.PasskeyParams(site, "alice")))
			hash := sha256.Sum256([]byte(site))
			params := m{1: hash[:]}
			mac := t.MAC([]byte{byte(ctap.EnumerateCredentialsBegin)}, r.Encode(params))
			r.Send(ctap.CredentialManagement, m{1: ctap.EnumerateCredentialsBegin, 2: params, 3: t.Number(), 4: mac}).
				Want(ctap.ErrPINAuthInvalid)
		}), conformance.CanToken(), conformance.Option("credMgmt"), conformance.Option("rk")))),
		conformance.Leaving(conformance.StartWithPIN(conformance.Needing(since21("spent.lbw-kept", "6.1.2 step 14", "the touch leaves the token its permission lbw", func(r *run) {
			t := r.Token(ctap.PermMakeCredential|ctap.PermLargeBlobWrite, conformance.RPID)
			r.Create(r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams()))
			r.Send(ctap.LargeBlobs, emptyBlobs(t)).OK()
		}), conformance.CanToken(), conformance.Option("largeBlobs")))),
		conformance.StartWithPIN(conformance.WithHands(once("spent.not-by-refusal", "6.1.2 step 14", "a user who declines spends nothing: the token is still good for the next try", func(r *run) {
			t := r.Token(ctap.PermMakeCredential, conformance.RPID)
			params := r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())
			r.Plan(conformance.Deny)
			r.Send(ctap.MakeCredential, params).Want(ctap.ErrOperationDenied)
			r.Plan(conformance.Touch)
			r.Create(params)
		}), conformance.Deny)),
	)
}

// emptyBlobs are the parameters that write the large-blob array that is there after a
// reset (section 6.10).
func emptyBlobs(t *conformance.Token) m {
	array := []byte{0x80}
	sum := sha256.Sum256(array)
	array = append(array, sum[:16]...)
	message := make([]byte, 32, 70)
	for i := range message {
		message[i] = 0xFF
	}
	hash := sha256.Sum256(array)
	message = append(append(message, byte(ctap.LargeBlobs), 0, 0, 0, 0, 0), hash[:]...)
	return m{2: array, 3: 0, 4: len(array), 5: t.MAC(message), 6: t.Number()}
}

// tokenByUV gets a token by built-in user verification.
func tokenByUV(r *run, permissions ctap.Permissions) *conformance.Token {
	secret := r.Agree(r.Protocol())
	return secret.ReadToken(r.Send(ctap.ClientPIN, secret.TokenUsingUVParams(permissions, conformance.RPID)))
}

// builtIn is about built-in user verification.
func builtIn() []conformance.Case {
	return conformance.One(
		conformance.Needing(since21("built-in.present", "6.1.2 step 14", "a token by built-in user verification proves presence: no touch is asked for", func(r *run) {
			params := r.AuthoriseWith(tokenByUV(r, ctap.PermMakeCredential), ctap.MakeCredential, r.CreateParams())
			c := r.ReadCredential(params, r.Send(ctap.MakeCredential, params).OK().Untouched())
			r.Check(c.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", c.Data.Flags)
		}), conformance.Option("uv"), conformance.CanToken()),
		conformance.Needing(since21("built-in.present-once", "6.1.2 step 14", "the presence that a token proves serves for one credential", func(r *run) {
			t := tokenByUV(r, ctap.PermMakeCredential)
			r.Create(r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams()))
			r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())).Want(ctap.ErrPINAuthInvalid)
		}), conformance.Option("uv"), conformance.CanToken()),
		waiting(conformance.Needing(since21("built-in.present-for-thirty-seconds", "6.1.2 step 14", "the presence that a token proves lasts thirty seconds", func(r *run) {
			t := tokenByUV(r, ctap.PermMakeCredential|ctap.PermGetAssertion)
			silent := r.AssertParams().With(5, s{"up": false})
			r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, silent)).Want(ctap.OK, ctap.ErrNoCredentials)
			r.Sleep(31 * time.Second)
			r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())).OK().Touched()
		}), conformance.Option("uv"), conformance.CanToken()), 31*time.Second),
		conformance.Needing(once("built-in.option", "6.1.2 step 11", "uv verifies the user by built-in means, and sets the flag UV", func(r *run) {
			params := r.CreateParams().With(7, s{"uv": true})
			c := r.ReadCredential(params, r.Send(ctap.MakeCredential, params).OK().Touched())
			r.Check(c.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", c.Data.Flags)
		}), conformance.Option("uv")),
		conformance.Leaving(conformance.WithHands(conformance.StartBlank(conformance.Needing(once("built-in.stranger", "6.1.2 step 11", "who is not recognised makes no credential", func(r *run) {
			r.Plan(conformance.Stranger)
			r.Send(ctap.MakeCredential, r.CreateParams().With(7, s{"uv": true})).
				Tolerate(conformance.Deviates("implementations answer the status of the verification itself", ctap.ErrUVInvalid)).
				Want(ctap.ErrOperationDenied, ctap.ErrPUATRequired, ctap.ErrUVBlocked)
		}), conformance.Option("uv"))), conformance.Stranger)),
	)
}

// waiting has a case sleep.
func waiting(c conformance.Case, d time.Duration) conformance.Case {
	c.Waits = d
	return c
}
