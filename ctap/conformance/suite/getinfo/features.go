package getinfo

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

func offers(i *ctap.Info, extension string) bool { return slices.Contains(i.Extensions, extension) }

// extensions is about extensions and what they need.
func extensions() []conformance.Case {
	return conformance.One(
		says("extension.hmac-secret", conformance.Since21("9"), "an authenticator of CTAP 2.1 has hmac-secret",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(offers(i, "hmac-secret"), "extensions is %q", i.Extensions)
			}),
		says("extension.credProtect", conformance.Since21("9"), "user verification and discoverable credentials need credProtect",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(offers(i, "credProtect"), "extensions is %q", i.Extensions)
			},
			conformance.CanVerify(), conformance.NoOption("plat")),
		says("extension.minPinLength", conformance.Since21("9"), "the extension minPinLength is there if and only if setMinPINLength is true",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(offers(i, "minPinLength") == i.Options["setMinPINLength"], "extensions is %q, setMinPINLength %v", i.Extensions, i.Options["setMinPINLength"])
			}),
		says("extension.minPinLength.rp-ids", conformance.Since21("6.4"), "maxRPIDsForSetMinPINLength is there if and only if setMinPINLength is true",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check((i.MaxRPIDsForSetMinPINLength != nil) == i.Options["setMinPINLength"], "maxRPIDsForSetMinPINLength there: %v; setMinPINLength %v",
					i.MaxRPIDsForSetMinPINLength != nil, i.Options["setMinPINLength"])
			}),
		says("extension.credBlob", conformance.Since21("12.2"), "credBlob needs credProtect and maxCredBlobLength",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(offers(i, "credProtect") && i.MaxCredBlobLength >= 32, "extensions is %q, maxCredBlobLength %d", i.Extensions, i.MaxCredBlobLength)
			}, conformance.Extension("credBlob")),
		says("extension.credBlob.length", conformance.Since21("6.4"), "maxCredBlobLength is there if and only if credBlob is",
			func(r *conformance.Run, i *ctap.Info) {
				there := conformance.Member(0x0F)(r.Facts()) == ""
				r.Check(there == offers(i, "credBlob"), "maxCredBlobLength there: %v; extensions is %q", there, i.Extensions)
			}, conformance.AnyOf(conformance.Member(0x0F), conformance.Extension("credBlob"))),
		says("extension.largeBlobKey", conformance.Since21("12.3"), "largeBlobKey is there if and only if largeBlobs is true",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(offers(i, "largeBlobKey") == i.Options["largeBlobs"], "extensions is %q, largeBlobs %v", i.Extensions, i.Options["largeBlobs"])
			}),
		says("extension.largeBlob", conformance.Since23("12.4"), "largeBlob and largeBlobKey exclude each other",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(!offers(i, "largeBlobKey") && !i.Options["largeBlobs"], "extensions is %q, largeBlobs %v", i.Extensions, i.Options["largeBlobs"])
			}, conformance.Extension("largeBlob")),
		says("extension.hmac-secret-mc", conformance.Since22("12.8"), "hmac-secret-mc needs hmac-secret",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(offers(i, "hmac-secret"), "extensions is %q", i.Extensions)
			}, conformance.Extension("hmac-secret-mc")),
		says("extension.pinComplexityPolicy", conformance.Since22("12.6"), "the extension pinComplexityPolicy needs the member of that name",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.PinComplexityPolicy != nil, "extensions has pinComplexityPolicy, and getInfo has no such member")
			}, conformance.Extension("pinComplexityPolicy")),
	)
}

// commands is about commands that options say are there.
func commands() []conformance.Case {
	return conformance.Join(conformance.Each(promised, promise.asCase), conformance.One(
		says("config.commands", conformance.Since23("6.4"), "authenticatorConfigCommands is there only with authnrCfg",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.Options["authnrCfg"], "authenticatorConfigCommands without authnrCfg")
			},
			conformance.Member(0x1F)),
		says("config.vendorPrototype", conformance.Since23("6.4"), "vendorPrototypeConfigCommands needs 0xFF in authenticatorConfigCommands",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(slices.Contains(i.AuthenticatorConfigCommands, 0xFF), "authenticatorConfigCommands is %d", i.AuthenticatorConfigCommands)
			}, conformance.Member(0x15), conformance.Member(0x1F)),
		conformance.Case{
			ID: "getinfo.config.vendorPrototype.there", Rule: conformance.Since21("6.4"),
			Why:   "vendorPrototypeConfigCommands is there only with the subcommand vendorPrototype",
			Needs: []conformance.Need{conformance.Member(0x15), conformance.Option("authnrCfg")},
			Run: func(r *conformance.Run) {
				reply := r.Send(ctap.Config, conformance.M{1: ctap.VendorPrototype})
				r.Check(reply.Status != ctap.ErrInvalidSubcommand, "vendorPrototypeConfigCommands is there, and vendorPrototype answers %s", reply.Status.Error())
			},
		},
		conformance.Case{
			ID: "getinfo.command.selection", Rule: conformance.Since20("8.2").Until(conformance.CTAP20), Hands: conformance.Touch,
			Why:   "authenticatorSelection came with CTAP 2.1: an authenticator of CTAP 2.0 answers CTAP1_ERR_INVALID_COMMAND",
			Needs: []conformance.Need{conformance.Unless(conformance.Version("FIDO_2_1_PRE"), "it is a preview of CTAP 2.1")},
			Run:   func(r *conformance.Run) { r.Send(ctap.Selection, nil).Want(ctap.ErrInvalidCommand).Empty() },
		},
		configCommand(1, "ep"), configCommand(2, "alwaysUv"), configCommand(3, "setMinPINLength"),
	))
}

// configCommand is a case of a subcommand of authenticatorConfig that an option goes
// with.
func configCommand(n uint, option string) conformance.Case {
	return says("config.commands."+option, conformance.Since23("6.11"), "a subcommand of authenticatorConfig is listed only where its option "+option+" is there",
		func(r *conformance.Run, i *ctap.Info) {
			r.Check(!slices.Contains(i.AuthenticatorConfigCommands, n) || has(i, option), "authenticatorConfigCommands has %d, and the option %s is absent", n, option)
		}, conformance.Member(0x1F))
}

// promise is an option by which a command is there.
type promise struct {
	option  string
	command ctap.Command
	rule    conformance.Rule
}

var promised = []promise{
	{"credMgmt", ctap.CredentialManagement, conformance.Since21("6.8")},
	{"credentialMgmtPreview", ctap.CredentialManagementPreview, conformance.Since20("6.8")},
	{"bioEnroll", ctap.BioEnrollment, conformance.Since21("6.7")},
	{"userVerificationMgmtPreview", ctap.BioEnrollmentPreview, conformance.Since20("6.7")},
	{"largeBlobs", ctap.LargeBlobs, conformance.Since21("6.10")},
	{"authnrCfg", ctap.Config, conformance.Since21("6.11")},
	{"clientPin", ctap.ClientPIN, conformance.Since20("6.5")},
}

func (p promise) asCase() conformance.Case {
	return conformance.Case{
		ID: "getinfo.command." + p.option, Rule: p.rule,
		Why: p.command.String() + " is there if and only if the option " + p.option + " is",
		Run: func(r *conformance.Run) {
			reply := r.Send(p.command, conformance.M{})
			if !has(r.Info(), p.option) && !(p.command == ctap.ClientPIN && r.Info().Options["uv"]) {
				reply.Refused()
				return
			}
			r.Check(reply.Status != ctap.ErrInvalidCommand, "the option %s is there, and %s answers %s", p.option, p.command, reply.Status.Error())
		},
	}
}

// fresh is about members that are encrypted anew every time.
func fresh() []conformance.Case {
	return conformance.Each([]struct {
		key  int
		name string
		rule conformance.Rule
	}{
		{0x19, "encIdentifier", conformance.Since22("6.4")},
		{0x1E, "encCredStoreState", conformance.Since23("6.4")},
	}, func(m struct {
		key  int
		name string
		rule conformance.Rule
	}) conformance.Case {
		return conformance.Case{
			ID: "getinfo.fresh." + m.name, Rule: m.rule, Why: m.name + " has another initialisation vector every time",
			Needs: []conformance.Need{conformance.Member(m.key)},
			Run: func(r *conformance.Run) {
				seen := map[string]bool{}
				for range 4 {
					v := string(r.Send(ctap.GetInfo, nil).OK().Member(m.key))
					r.Require(!seen[v[:min(len(v), 18)]], "%s has the same initialisation vector twice: %x", m.name, v)
					seen[v[:min(len(v), 18)]] = true
				}
			},
		}
	})
}
