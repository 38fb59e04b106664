package clientpin

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// notSet is for subcommands that need a PIN, where none is set.
func notSet(id string, rule conformance.Rule, needs []conformance.Need, params func(s *conformance.Secret) conformance.M) conformance.Case {
	return conformance.Case{
		ID: "clientpin." + id + ".not-set", Rule: rule, Start: conformance.Blank, Needs: needs,
		Why: "where no PIN is set, a token for one is CTAP2_ERR_PIN_NOT_SET",
		Run: func(r *conformance.Run) {
			r.Send(ctap.ClientPIN, params(r.Agree(r.Protocol()))).Tolerate(conformance.NotSetAs36).Want(ctap.ErrPINNotSet)
		},
	}
}

// requests is getPinUvAuthTokenUsingPinWithPermissions (section 6.5.5.7.2).
func requests() []conformance.Case {
	rule := conformance.Since21("6.5.5.7.2")
	return conformance.Join(
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.tokenUsingPIN.gives", Rule: rule, Start: conformance.WithPIN, Needs: tokensByPIN,
			Why: "the right PIN gives a token, and nothing more, which can be used",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			s := r.Agree(p)
			reply := r.Send(ctap.ClientPIN, s.TokenUsingPINParams(r.PIN(), ctap.PermGetAssertion, tokenRP)).OK().Only(2)
			live(r, s.ReadToken(reply), tokenRP)
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.tokenUsingPIN.wrong-pin", Rule: rule, Start: conformance.WithPIN, Destructive: true, Needs: tokensByPIN,
			Why: "a wrong PIN gives no token",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			r.Send(ctap.ClientPIN, r.Agree(p).TokenUsingPINParams(conformance.WrongPIN, ctap.PermGetAssertion, tokenRP)).Want(ctap.ErrPINInvalid).Empty()
		}),
		conformance.One(notSet("tokenUsingPIN", rule, tokensByPIN, func(s *conformance.Secret) conformance.M {
			return s.TokenUsingPINParams(conformance.DefaultPIN, ctap.PermGetAssertion, tokenRP)
		})),
		withoutPermissions(), noCeremonies(),
	)
}

// withoutPermissions is about permissions that are not what they must be.
func withoutPermissions() []conformance.Case {
	rule := conformance.Since21("6.5.5.7.2")
	refused := func(id, why string, want []ctap.Status, bend func(m conformance.M) conformance.M) conformance.Case {
		return conformance.Case{
			ID: "clientpin.permissions." + id, Rule: rule, Start: conformance.WithPIN, Needs: tokensByPIN, Why: why,
			Run: func(r *conformance.Run) {
				m := r.Agree(r.Protocol()).TokenUsingPINParams(r.PIN(), ctap.PermGetAssertion, tokenRP)
				r.Send(ctap.ClientPIN, bend(m)).Tolerate(conformance.ParameterAs14, conformance.MissingAs02).Want(want...)
			},
		}
	}
	missing, invalid := []ctap.Status{ctap.ErrMissingParameter}, []ctap.Status{ctap.ErrInvalidParameter}
	return conformance.One(
		refused("missing", "permissions are required", missing, func(m conformance.M) conformance.M { return m.Without(9) }),
		refused("missing.no-rp", "permissions are required, with or without a relying party", missing, func(m conformance.M) conformance.M { return m.Without(9, 10) }),
		refused("zero", "permissions of 0 are CTAP1_ERR_INVALID_PARAMETER", invalid, func(m conformance.M) conformance.M { return m.With(9, 0) }),
		refused("mc-without-rp", "the permission mc needs a relying party", missing, func(m conformance.M) conformance.M { return m.With(9, ctap.PermMakeCredential).Without(10) }),
		refused("ga-without-rp", "the permission ga needs a relying party", missing, func(m conformance.M) conformance.M { return m.Without(10) }),
	)
}

// noCeremonies is the option noMcGaPermissionsWithClientPin.
func noCeremonies() []conformance.Case {
	needs := []conformance.Need{conformance.CanToken(), conformance.CanPIN(), conformance.Option(noMcGa)}
	refused := func(id string, params func(r *conformance.Run, s *conformance.Secret) conformance.M) conformance.Case {
		return conformance.Case{
			ID: "clientpin.noMcGa." + id, Rule: conformance.Since21("6.5.5.7.2"), Start: conformance.WithPIN, Needs: needs,
			Why: "with noMcGaPermissionsWithClientPin the PIN gives no token for ceremonies",
			Run: func(r *conformance.Run) {
				r.Send(ctap.ClientPIN, params(r, r.Agree(r.Protocol()))).Want(ctap.ErrUnauthorizedPerm)
			},
		}
	}
	with := func(permissions ctap.Permissions) func(r *conformance.Run, s *conformance.Secret) conformance.M {
		return func(r *conformance.Run, s *conformance.Secret) conformance.M {
			return s.TokenUsingPINParams(r.PIN(), permissions, tokenRP)
		}
	}
	return conformance.One(refused("mc", with(ctap.PermMakeCredential)), refused("ga", with(ctap.PermGetAssertion)),
		refused("with-others", with(ctap.PermGetAssertion|ctap.PermCredentialMgmt)))
}

// feature is a command, and the permission that is for it.
type feature struct {
	name       string
	permission ctap.Permissions
	has        conformance.Need
	absent     string
}

var features = []feature{
	{"cm", ctap.PermCredentialMgmt, conformance.CanManage(), "it has credential management"},
	{"be", ctap.PermBioEnrollment, conformance.AnyOf(conformance.HasOption("bioEnroll"), conformance.HasOption("userVerificationMgmtPreview")), "it has biometric enrolment"},
	{"lbw", ctap.PermLargeBlobWrite, conformance.Option("largeBlobs"), "it has large blobs"},
	{"acfg", ctap.PermAuthenticatorCfg, conformance.Option("authnrCfg"), "it has authenticatorConfig"},
	{"pcmr", ctap.PermCredentialMgmtRead, conformance.Option("perCredMgmtRO"), "it has the persistent token"},
}

// permissions is about permissions for what there is, and is not.
func permissions() []conformance.Case {
	rule := conformance.Since21("6.5.5.7.2")
	ask := func(r *conformance.Run, permissions ctap.Permissions) *conformance.Reply {
		return r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).TokenUsingPINParams(r.PIN(), permissions, ""))
	}
	absent := conformance.Each(features, func(f feature) conformance.Case {
		return conformance.Case{
			ID: "clientpin.permissions.absent." + f.name, Rule: rule, Start: conformance.WithPIN,
			Needs: []conformance.Need{conformance.CanToken(), conformance.CanPIN(), conformance.Unless(f.has, f.absent)},
			Why:   "the permission " + f.name + " for what it has not is CTAP2_ERR_UNAUTHORIZED_PERMISSION",
			Run:   func(r *conformance.Run) { ask(r, f.permission).Want(ctap.ErrUnauthorizedPerm) },
		}
	})
	there := conformance.Each(features, func(f feature) conformance.Case {
		return conformance.Case{
			ID: "clientpin.permissions.there." + f.name, Rule: rule, Start: conformance.WithPIN,
			Needs: []conformance.Need{conformance.CanToken(), conformance.CanPIN(), f.has},
			Why:   "the permission " + f.name + " is given without a relying party where there is something to use it for",
			Run:   func(r *conformance.Run) { ask(r, f.permission).OK() },
		}
	})
	return conformance.Join(absent, there)
}

const legacySection = "6.5.5.7.1"

// legacy is getPinToken (section 6.5.5.7.1).
func legacy() []conformance.Case {
	return conformance.Join(
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.getPinToken.gives", Rule: conformance.Since20(legacySection), Start: conformance.WithPIN, Needs: ceremoniesByPIN,
			Why: "the right PIN gives a token, and nothing more, which can be used",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			s := r.Agree(p)
			live(r, s.ReadToken(r.Send(ctap.ClientPIN, s.GetPinTokenParams(r.PIN())).OK().Only(2)), tokenRP)
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.getPinToken.wrong-pin", Rule: conformance.Since20(legacySection), Start: conformance.WithPIN, Destructive: true, Needs: ceremoniesByPIN,
			Why: "a wrong PIN gives no token, and costs a try",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			all, _ := r.PINRetries()
			r.Send(ctap.ClientPIN, r.Agree(p).GetPinTokenParams(conformance.WrongPIN)).Want(ctap.ErrPINInvalid).Empty()
			left(r, all-1)
		}),
		conformance.One(
			notSet("getPinToken", conformance.Since20(legacySection), ceremoniesByPIN, func(s *conformance.Secret) conformance.M {
				return s.GetPinTokenParams(conformance.DefaultPIN)
			}),
			conformance.Case{
				ID: "clientpin.getPinToken.ceremonies", Rule: conformance.Since20(legacySection), Start: conformance.WithPIN, Needs: ceremoniesByPIN,
				Hands: conformance.Touch, Why: "a token of getPinToken serves to make a credential",
				Run: func(r *conformance.Run) {
					m := r.CreateParams()
					r.ReadCredential(m, r.Send(ctap.MakeCredential, r.AuthoriseWith(legacyToken(r), ctap.MakeCredential, m)))
				},
			},
		),
	)
}

// legacyPermissions is about what authenticators of CTAP 2.1 make of getPinToken.
func legacyPermissions() []conformance.Case {
	bent := func(id, why string, bend func(m conformance.M) conformance.M) conformance.Case {
		return conformance.Case{
			ID: "clientpin.getPinToken." + id, Rule: conformance.Since21(legacySection), Start: conformance.WithPIN, Needs: ceremoniesByPIN, Why: why,
			Run: func(r *conformance.Run) {
				r.Send(ctap.ClientPIN, bend(r.Agree(r.Protocol()).GetPinTokenParams(r.PIN()))).Want(ctap.ErrInvalidParameter)
			},
		}
	}
	return conformance.One(
		bent("permissions", "getPinToken with permissions is CTAP1_ERR_INVALID_PARAMETER", func(m conformance.M) conformance.M { return m.With(9, ctap.PermGetAssertion) }),
		bent("rp", "getPinToken with a relying party is CTAP1_ERR_INVALID_PARAMETER", func(m conformance.M) conformance.M { return m.With(10, tokenRP) }),
		conformance.Case{
			ID: "clientpin.getPinToken.ceremonies-alone", Rule: conformance.Since21(legacySection), Start: conformance.WithPIN,
			Needs: append([]conformance.Need{conformance.Option("credMgmt")}, ceremoniesByPIN...),
			Why:   "a token of getPinToken is for ceremonies, and for no credential management",
			Run: func(r *conformance.Run) {
				manage(r, legacyToken(r), ctap.GetCredsMetadata, nil).Want(ctap.ErrPINAuthInvalid)
			},
		},
		conformance.Case{
			ID: "clientpin.getPinToken.no-config", Rule: conformance.Since21(legacySection), Start: conformance.WithPIN,
			Needs: append([]conformance.Need{conformance.Option("authnrCfg"), conformance.Option("setMinPINLength")}, ceremoniesByPIN...),
			Why:   "a token of getPinToken is for ceremonies, and for no configuration",
			Run: func(r *conformance.Run) {
				configure(r, legacyToken(r), ctap.SetMinPINLength, conformance.M{1: r.Info().MinPINLength}).Want(ctap.ErrPINAuthInvalid)
			},
		},
	)
}
