package platform

import (
	"context"
	"errors"

	"fido-emu/ctap"
)

// AskPIN asks the user for the PIN. An error says that the user gave up, and ends
// what the PIN was wanted for.
type AskPIN func(ctx context.Context, p PINPrompt) (string, error)

// PINPrompt is what a user who is asked for the PIN is told.
type PINPrompt struct {
	RPID      string // whom it is for; empty where no relying party is concerned
	TriesLeft uint   // wrong PINs until the authenticator must be reset
	Wrong     bool   // the PIN given just now was wrong
}

// Verification is how an authenticator can verify its user as it stands now.
type Verification struct {
	UVToken  bool // built-in user verification that gives a token
	UVOption bool // built-in user verification by the uv option of the request (CTAP 2.0)
	PIN      bool // a PIN is set, and may be used for what is wanted
}

// Any tells whether there is any way.
func (v Verification) Any() bool { return v.UVToken || v.UVOption || v.PIN }

// VerificationFor reads off getInfo how the user can be verified for what the
// permissions stand for.
func VerificationFor(info *ctap.Info, permissions ctap.Permissions) Verification {
	tokens := info.Options["pinUvAuthToken"]
	pin := info.Options["clientPin"]
	if permissions&(ctap.PermMakeCredential|ctap.PermGetAssertion) != 0 {
		pin = pin && !info.Options["noMcGaPermissionsWithClientPin"]
	}
	uv := info.Options["uv"]
	if permissions&ctap.PermBioEnrollment != 0 && !info.Options["uvBioEnroll"] ||
		permissions&ctap.PermAuthenticatorCfg != 0 && !info.Options["uvAcfg"] {
		uv = false // built-in user verification does not give these permissions
	}
	return Verification{UVToken: uv && tokens, UVOption: uv && !tokens, PIN: pin}
}

// Authorisation goes with a request to show that the user was verified, or asks
// the authenticator to do so. The zero Authorisation does neither.
type Authorisation struct {
	Token *Token // nil for none
	UV    bool   // set the uv option
}

// MakeCredential adds the authorisation to a request.
func (a Authorisation) MakeCredential(r *ctap.MakeCredentialRequest) {
	if a.Token != nil {
		r.PinUvAuthParam = a.Token.Authenticate(r.ClientDataHash)
		r.PinUvAuthProtocol = a.Token.Protocol().Number()
	}
	r.Options = a.option(r.Options)
}

// GetAssertion adds the authorisation to a request.
func (a Authorisation) GetAssertion(r *ctap.GetAssertionRequest) {
	if a.Token != nil {
		r.PinUvAuthParam = a.Token.Authenticate(r.ClientDataHash)
		r.PinUvAuthProtocol = a.Token.Protocol().Number()
	}
	r.Options = a.option(r.Options)
}

func (a Authorisation) option(options map[string]bool) map[string]bool {
	if !a.UV {
		return options
	}
	if options == nil {
		options = map[string]bool{}
	}
	options["uv"] = true
	return options
}

// Authorise has the user verified by what the authenticator has: built-in user
// verification first, for as many tries as it prefers, then the PIN. ask may be
// nil when there is nobody to ask.
func (h *Host) Authorise(ctx context.Context, need Need, ask AskPIN) (Authorisation, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return Authorisation{}, err
	}
	switch v := VerificationFor(info, need.Permissions); {
	case v.UVToken:
		t, err := h.byUV(ctx, max(1, info.PreferredPlatformUvAttempts), need)
		if err != nil && v.PIN && uvFailed(err) {
			return h.AuthoriseByPIN(ctx, need, ask)
		}
		return Authorisation{Token: t}, err
	case v.UVOption:
		return Authorisation{UV: true}, nil
	case v.PIN:
		return h.AuthoriseByPIN(ctx, need, ask)
	}
	return Authorisation{}, ErrNoVerification
}

// byUV tries built-in user verification.
func (h *Host) byUV(ctx context.Context, attempts uint, need Need) (t *Token, err error) {
	for range attempts {
		t, err = h.TokenUsingUV(ctx, need)
		if err == nil || !errors.Is(err, ctap.ErrUVInvalid) {
			return t, err
		}
	}
	return nil, err
}

// uvFailed tells whether built-in user verification did not recognise its user,
// so that the PIN is next.
func uvFailed(err error) bool {
	return errors.Is(err, ctap.ErrUVInvalid) || errors.Is(err, ctap.ErrUVBlocked)
}

// AuthoriseByPIN asks for the PIN, tells how many tries are left, and asks again
// while it is wrong, until the authenticator takes no more.
func (h *Host) AuthoriseByPIN(ctx context.Context, need Need, ask AskPIN) (Authorisation, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return Authorisation{}, err
	}
	if info.ForcePINChange {
		return Authorisation{}, ErrPINChangeRequired
	}
	if ask == nil {
		return Authorisation{}, ErrNoPINEntry
	}
	for wrong := false; ; wrong = true {
		t, err := h.tryPIN(ctx, need, ask, wrong)
		if err == nil {
			return Authorisation{Token: t}, nil
		}
		if !errors.Is(err, ctap.ErrPINInvalid) {
			return Authorisation{}, err
		}
	}
}

func (h *Host) tryPIN(ctx context.Context, need Need, ask AskPIN, wrong bool) (*Token, error) {
	retries, err := h.PINRetries(ctx)
	if err != nil {
		return nil, err
	}
	doing := ctap.ClientPIN.String() + " getPINRetries"
	if retries.Left == 0 {
		return nil, refused(doing, ctap.ErrPINBlocked)
	}
	if retries.PowerCycle {
		return nil, refused(doing, ctap.ErrPINAuthBlocked)
	}
	pin, err := ask(ctx, PINPrompt{RPID: need.RPID, TriesLeft: retries.Left, Wrong: wrong})
	if err != nil {
		return nil, err
	}
	return h.TokenUsingPIN(ctx, pin, need)
}
