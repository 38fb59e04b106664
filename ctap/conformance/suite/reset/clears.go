package reset

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// withPIN is wiping of an authenticator with a PIN.
func withPIN(id, why string, run func(r *conformance.Run), needs ...conformance.Need) conformance.Case {
	c := wiping(id, why, 0, run, needs...)
	c.Start = conformance.WithPIN
	return c
}

// ceremonies needs a PIN, where there is one, to serve for ceremonies.
var ceremonies = conformance.NoOption(noMcGa)

// verification is about the PIN, its tries, tokens and fingers.
func verification() []conformance.Case {
	return conformance.One(
		withPIN("pin", "a reset removes the PIN: another can be set", func(r *conformance.Run) {
			reset(r)
			r.Require(!r.Info().Options["clientPin"], "getInfo says that a PIN is set")
			r.SetPIN("8264-1739")
			r.Token(ctap.PermCredentialMgmt, "")
		}, conformance.AnyOf(conformance.Unless(conformance.CanToken(), "it has tokens with permissions"), conformance.CanManage())),
		withPIN("pin-retries", "a reset gives all PIN tries back", func(r *conformance.Run) {
			all, _ := r.PINRetries()
			r.TryWrongPIN(r.Protocol()).Refused()
			r.TryWrongPIN(r.Protocol()).Refused()
			reset(r)
			reply := r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: ctap.GetPINRetries}).Tolerate(conformance.RetriesAs35)
			if reply.Want(ctap.OK).Status == ctap.OK {
				conformance.Equal(r, "pinRetries", reply.Uint(3), all)
			}
		}, ceremonies),
		withPIN("pin-blocked", "a reset helps an authenticator whose PIN is blocked", func(r *conformance.Run) {
			all, _ := r.PINRetries()
			for n := range all {
				r.TryWrongPIN(r.Protocol()).Refused()
				if n%3 == 2 {
					r.PowerCycle()
				}
			}
			left, _ := r.PINRetries()
			conformance.Equal(r, "pinRetries", left, uint(0))
			reset(r)
			r.SetPIN("8264-1739")
			left, _ = r.PINRetries()
			conformance.Equal(r, "pinRetries", left, all)
		}, ceremonies),
		withPIN("token", "a reset ends every token", func(r *conformance.Run) {
			r.PowerCycle()
			t := r.Token(ctap.PermMakeCredential|ctap.PermGetAssertion, conformance.RPID)
			r.Plan(gesture(r))
			r.Send(ctap.Reset, nil).OK()
			r.Plan(conformance.Touch)
			m := r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())
			r.Send(ctap.MakeCredential, m).Tolerate(conformance.Deviates("CTAP 2.0 answers CTAP2_ERR_PIN_NOT_SET where no PIN is set", ctap.ErrPINNotSet)).
				Want(ctap.ErrPINAuthInvalid)
		}, ceremonies),
		wiping("fingers", "a reset removes enrolled fingers", 0, func(r *conformance.Run) {
			reset(r)
			for _, id := range []string{"bioEnroll", "uv"} {
				r.Check(!r.Info().Options[id], "option %s is still true", id)
			}
		}, conformance.Option("bioEnroll")),
	)
}

// settings is about what authenticatorConfig sets.
func settings() []conformance.Case {
	config := conformance.Option("authnrCfg")
	minimum := []conformance.Need{config, conformance.Option("setMinPINLength")}
	return conformance.One(
		withPIN("always-uv", "a reset brings alwaysUv back to what it was", func(r *conformance.Run) {
			before := r.Info().Options["alwaysUv"]
			configure(r, ctap.ToggleAlwaysUV, nil)
			conformance.Equal(r, "alwaysUv after it was toggled", r.FreshInfo().Options["alwaysUv"], !before)
			reset(r)
			conformance.Equal(r, "alwaysUv", r.Info().Options["alwaysUv"], before)
		}, config, conformance.HasOption("alwaysUv")),
		withPIN("min-pin", "a reset brings the minimum PIN length back to what it was", func(r *conformance.Run) {
			before := r.Info().MinPINLength
			configure(r, ctap.SetMinPINLength, conformance.M{1: before + 2})
			conformance.Equal(r, "minPINLength after it was set", r.FreshInfo().MinPINLength, before+2)
			reset(r)
			conformance.Equal(r, "minPINLength", r.Info().MinPINLength, before)
		}, minimum...),
		withPIN("min-pin-rps", "a reset forgets which relying parties are told the minimum PIN length", func(r *conformance.Run) {
			told := func() bool {
				m := r.CreateParams().With(6, conformance.S{"minPinLength": true})
				return r.Create(m).Data.Extensions != nil
			}
			configure(r, ctap.SetMinPINLength, conformance.M{2: []string{conformance.RPID}})
			r.Require(told(), "the relying party is not told the minimum PIN length")
			reset(r)
			r.SetPIN(conformance.DefaultPIN)
			r.Require(!told(), "the relying party is still told the minimum PIN length")
		}, append(minimum, conformance.Extension("minPinLength"), ceremonies)...),
		withPIN("force-change", "after a reset no PIN must be changed", func(r *conformance.Run) {
			configure(r, ctap.SetMinPINLength, conformance.M{3: true})
			r.Require(r.FreshInfo().ForcePINChange, "getInfo does not say forcePINChange")
			reset(r)
			r.Require(!r.Info().ForcePINChange, "getInfo still says forcePINChange")
			r.SetPIN("8264-1739")
			r.Token(ctap.PermAuthenticatorCfg, "")
		}, minimum...),
		withPIN("enterprise", "a reset switches enterprise attestation off", func(r *conformance.Run) {
			configure(r, ctap.EnableEnterpriseAttestation, nil)
			r.Require(r.FreshInfo().Options["ep"], "getInfo does not say ep")
			reset(r)
			r.Require(!r.Info().Options["ep"], "getInfo still says ep")
		}, config, conformance.HasOption("ep"), conformance.NoOption("ep")),
	)
}

// emptyBlobs is a large-blob array with nothing in it (section 6.10).
const emptyBlobs = "8076be8b528d0075f7aae98d6fa57a6d3c"

// data is about what else is stored.
func data() []conformance.Case {
	return conformance.One(
		wiping("large-blobs", "a reset empties the large-blob array", 0, func(r *conformance.Run) {
			ready(r)
			writeBlobs(r, []byte{0x81, 0xA0}, 0)
			r.Require(hex.EncodeToString(readBlobs(r)) != emptyBlobs, "what was written is not there")
			reset(r)
			conformance.Equal(r, "large-blob array", hex.EncodeToString(readBlobs(r)), emptyBlobs)
		}, conformance.Option("largeBlobs")),
		withPIN("persistent-token", "a reset ends the persistent token", func(r *conformance.Run) {
			before := r.Token(ctap.PermCredentialMgmtRead, "")
			reset(r)
			metadata := conformance.M{1: ctap.GetCredsMetadata, 3: before.Number(), 4: before.MAC([]byte{byte(ctap.GetCredsMetadata)})}
			r.Send(ctap.CredentialManagement, metadata).Want(ctap.ErrPINAuthInvalid)
			r.SetPIN(conformance.DefaultPIN)
			r.Require(!bytes.Equal(r.Token(ctap.PermCredentialMgmtRead, "").Value, before.Value), "the persistent token is the one of before")
		}, conformance.Option("perCredMgmtRO")),
		withPIN("identifier", "a reset changes what encIdentifier holds", func(r *conformance.Run) {
			before := identifier(r)
			r.Require(bytes.Equal(identifier(r), before), "encIdentifier holds something else every time")
			reset(r)
			r.SetPIN(conformance.DefaultPIN)
			r.Require(!bytes.Equal(identifier(r), before), "encIdentifier holds the same as before")
		}, conformance.Option("perCredMgmtRO"), conformance.Member(0x19)),
		wiping("pending", "a reset ends an enumeration of assertions", 0, func(r *conformance.Run) {
			r.PowerCycle()
			ready(r)
			several(r)
			r.Plan(gesture(r))
			r.Send(ctap.Reset, nil).OK()
			r.Send(ctap.GetNextAssertion, nil).Want(ctap.ErrNotAllowed)
		}, conformance.Option("rk")),
	)
}

// identifier decrypts encIdentifier (section 6.4): IV(16) ‖ AES-128-CBC of the
// identifier, under a key from the persistent token.
func identifier(r *conformance.Run) []byte {
	t := r.Token(ctap.PermCredentialMgmtRead, "")
	key, err := hkdf.Key(sha256.New, t.Value, make([]byte, 32), "encIdentifier", 16)
	r.Broken(err)
	block, err := aes.NewCipher(key)
	r.Broken(err)
	enc := r.FreshInfo().EncIdentifier
	r.Require(len(enc) == 32, "encIdentifier is %d bytes long", len(enc))
	id := make([]byte, 16)
	cipher.NewCBCDecrypter(block, enc[:16]).CryptBlocks(id, enc[16:])
	return id
}

// longTouch is about resets that need a touch of ten seconds (CTAP 2.3).
func longTouch() []conformance.Case {
	can := conformance.When(func(i *ctap.Info) bool {
		return slices.Contains(i.AuthenticatorConfigCommands, ctap.EnableLongTouchForReset)
	}, "authenticatorConfigCommands lacks enableLongTouchForReset")
	long := func(id, why string, hands conformance.Gesture, run func(r *conformance.Run)) conformance.Case {
		c := withPIN("long-touch."+id, why, func(r *conformance.Run) {
			configure(r, ctap.EnableLongTouchForReset, nil)
			conformance.Equal(r, "gesture", gestureNow(r), conformance.LongTouch)
			run(r)
		}, conformance.Option("authnrCfg"), can)
		c.Rule, c.Hands = conformance.Since23(section), c.Hands|hands
		return c
	}
	return conformance.One(
		long("tap", "where a long touch is asked for, a tap does not reset it", 0, func(r *conformance.Run) {
			r.PowerCycle()
			r.Plan(conformance.Touch)
			r.Send(ctap.Reset, nil).Want(ctap.ErrUserActionTimeout, ctap.ErrOperationDenied)
			r.Require(r.FreshInfo().Options["clientPin"], "the PIN is gone")
		}),
		long("long", "a long touch resets it, and is no more asked for afterwards", 0, func(r *conformance.Run) {
			reset(r)
			r.Require(!r.Info().Options["clientPin"], "the PIN is still there")
			conformance.Equal(r, "gesture", gesture(r), conformance.Touch)
		}),
	)
}

// gestureNow is the touch that a reset needs from now on.
func gestureNow(r *conformance.Run) conformance.Gesture {
	r.FreshInfo()
	return gesture(r)
}
