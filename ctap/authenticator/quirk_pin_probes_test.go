package authenticator

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"maps"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

func notaryKeyPair() *ecdsa.PrivateKey {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), notaryKey)
	if err != nil {
		panic(err) // it is a constant
	}
	return private
}

// pinRequest is a request with a PIN: pin as the old one or the one to get a token with,
// fresh as the new one.
func (w *witness) pinRequest(sub uint, pin string, fresh []byte) *ctap.ClientPINRequest {
	public, secret := w.agree(pinuv.Two)
	q := &ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: sub, KeyAgreement: public}
	if pin != "" {
		q.PinHashEnc = w.encrypt(pinuv.Two, secret, pinHash(pin))
	}
	if fresh != nil {
		q.NewPinEnc = w.encrypt(pinuv.Two, secret, fresh)
		q.PinUvAuthParam = pinuv.Two.Authenticate(secret, slices.Concat(q.NewPinEnc, q.PinHashEnc))
	}
	return q
}

// tries sends PINs for a token and notes how it went.
func (w *witness) tries(pins ...string) {
	for _, pin := range pins {
		_, status := w.rig.token(pinuv.Two, pin, ctap.PermGetAssertion, "a.example")
		w.status(pin, status)
	}
}

func (w *witness) left(what string) {
	var r members
	w.ask(ctap.ClientPIN, &ctap.ClientPINRequest{SubCommand: ctap.GetPINRetries}, &r)
	w.note("%s: retries %s, power cycle %s", what, diagnostic(r[3]), diagnostic(r[4]))
}

func (w *witness) agreementKey() members { return w.agreement(2) }

func (w *witness) agreement(protocol uint) members {
	var r members
	w.ask(ctap.ClientPIN, &ctap.ClientPINRequest{PinUvAuthProtocol: protocol, SubCommand: ctap.GetKeyAgreement}, &r)
	return r
}

func pinProbes() map[string]func(*witness) {
	return map[string]func(*witness){
		"clientPIN with protocol 7": func(w *witness) {
			w.says("getKeyAgreement", ctap.ClientPIN, &ctap.ClientPINRequest{PinUvAuthProtocol: 7, SubCommand: 2}, nil)
		},
		"clientPIN with subcommand 99": func(w *witness) {
			w.says("99", ctap.ClientPIN, &ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: 99}, nil)
		},
		"key agreement after a wrong PIN": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			before := w.agreementKey()[1]
			w.tries("0000")
			w.note("a new key %v", !bytes.Equal(before, w.agreementKey()[1]))
		},
		"key agreement after a power cycle": func(w *witness) {
			before := w.agreementKey()[1]
			w.auth.PowerCycle()
			w.note("a new key %v", !bytes.Equal(before, w.agreementKey()[1]))
		},
		"key agreement key": func(w *witness) {
			var key map[int]any
			_ = ctap.DecodeLoose(w.agreementKey()[1], &key)
			_, _, err := pinuv.Encapsulate(pinuv.Two, w.agreementKey()[1], w.rand)
			w.note("members %v, alg %v, %v", slices.Sorted(maps.Keys(key)), key[3], err)
		},
		"platform's key is not on the curve": func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			q := w.pinRequest(ctap.GetPinToken, "7392", nil)
			q.KeyAgreement = bytes.Clone(q.KeyAgreement)
			q.KeyAgreement[len(q.KeyAgreement)-1] ^= 1
			w.says("getPinToken", ctap.ClientPIN, q, nil)
		},
		"setPIN twice": func(w *witness) {
			w.status("setPIN", w.setPIN(pinuv.Two, "7392"))
			w.status("again", w.setPIN(pinuv.Two, "8888"))
		},
		"setPIN with a wrong MAC": func(w *witness) {
			q := w.pinRequest(ctap.SetPIN, "", padded("7392"))
			q.PinUvAuthParam[0] ^= 1
			w.says("setPIN", ctap.ClientPIN, q, nil)
		},
		"setPIN with a short block": func(w *witness) {
			w.says("setPIN", ctap.ClientPIN, w.pinRequest(ctap.SetPIN, "", padded("7392")[:48]), nil)
		},
		"setPIN too short":          func(w *witness) { w.status("setPIN", w.setPIN(pinuv.Two, "739")) },
		"setPIN of two code points": func(w *witness) { w.status("setPIN", w.setPIN(pinuv.Two, "éß")) },
		"setPIN of 64 bytes": func(w *witness) {
			w.says("setPIN", ctap.ClientPIN, w.pinRequest(ctap.SetPIN, "", bytes.Repeat([]byte("73"), 32)), nil)
		},
		"changePIN with a wrong MAC": func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			q := w.pinRequest(ctap.ChangePIN, "7392", padded("8421"))
			q.PinUvAuthParam[0] ^= 1
			w.says("changePIN", ctap.ClientPIN, q, nil)
		},
		"changePIN with a wrong PIN": func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			w.status("changePIN", w.changePIN(pinuv.Two, "0000", "8421"))
		},
		"changePIN": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, "a.example")
			w.status("changePIN", w.changePIN(pinuv.Two, "7392", "8421"))
			w.make("old token", authorised(token))
			w.tries("7392", "8421")
		},
		"forced change": func(w *witness) {
			w.withPIN(ctap.PermAuthenticatorCfg, "")
			w.configure("force", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true})
			w.tries("7392")
			w.status("same PIN", w.changePIN(pinuv.Two, "7392", "7392"))
		},
		"token without a PIN": func(w *witness) { w.tries("7392") },
	}
}

func retryProbes() map[string]func(*witness) {
	verify := func(w *witness, answer Answer) {
		public, secret := w.agree(pinuv.Two)
		permissions, site := ctap.PermGetAssertion, "a.example"
		w.answer = answer
		_, status := w.sendForToken(pinuv.Two, secret, &ctap.ClientPINRequest{
			PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingUv, KeyAgreement: public, Permissions: &permissions, RPID: &site,
		})
		w.answer = Granted
		w.status("finger", status)
	}
	uvLeft := func(w *witness) {
		var r members
		w.says("getUVRetries", ctap.ClientPIN, &ctap.ClientPINRequest{SubCommand: ctap.GetUVRetries}, &r)
		w.note("retries %s", diagnostic(r[5]))
	}
	return map[string]func(*witness){
		"PIN retries": func(w *witness) { w.withPIN(ctap.PermGetAssertion, "a.example"); w.left("at first") },
		"PIN retries after a wrong PIN": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			w.tries("0000")
			w.left("then")
		},
		"PIN retries after a power cycle": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			w.tries("0000")
			w.auth.PowerCycle()
			w.left("then")
		},
		"PIN retries after the right PIN": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			w.tries("0000", "7392")
			w.left("then")
		},
		"three wrong PINs": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			w.tries("0000", "0000", "0000")
			w.left("then")
			w.tries("7392")
			w.auth.PowerCycle()
			w.tries("7392")
		},
		"eight wrong PINs": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			for range 8 {
				w.tries("0000")
				w.auth.PowerCycle()
			}
			w.tries("7392")
		},
		"stranger": func(w *witness) { verify(w, NotRecognised); uvLeft(w); verify(w, Granted) },
		"six strangers": func(w *witness) {
			for range 6 {
				verify(w, NotRecognised)
			}
		},
		"finger that nobody gives": func(w *witness) {
			verify(w, Denied)
			w.asked = nil
			verify(w, Granted)
			w.note("asked %d times", len(w.asked))
		},
	}
}

func tokenProbes() map[string]func(*witness) {
	const site = "a.example"
	ask := func(w *witness, permissions *ctap.Permissions, rpID *string) ctap.Status {
		public, secret := w.agree(pinuv.Two)
		_, status := w.sendForToken(pinuv.Two, secret, &ctap.ClientPINRequest{
			PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingPin, KeyAgreement: public,
			PinHashEnc: w.encrypt(pinuv.Two, secret, pinHash("7392")), Permissions: permissions, RPID: rpID,
		})
		return status
	}
	all := func(permissions ctap.Permissions, rpID string) func(*witness) {
		return func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			q := &rpID
			if rpID == "" {
				q = nil
			}
			w.status("token", ask(w, &permissions, q))
		}
	}
	legacy := func(w *witness) []byte {
		w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
		public, secret := w.agree(pinuv.Two)
		token, status := w.sendForToken(pinuv.Two, secret, &ctap.ClientPINRequest{
			PinUvAuthProtocol: 2, SubCommand: ctap.GetPinToken, KeyAgreement: public, PinHashEnc: w.encrypt(pinuv.Two, secret, pinHash("7392")),
		})
		w.status("getPinToken", status)
		return token
	}
	later := func(d time.Duration) func(*witness) {
		return func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, site)
			w.now = w.now.Add(d)
			w.make("make", authorised(token))
		}
	}
	return map[string]func(*witness){
		"token without permissions": func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			w.status("token", ask(w, nil, nil))
		},
		"token for nothing":         all(0, site),
		"token without a site":      all(ctap.PermMakeCredential, ""),
		"token for bio enrolment":   all(ctap.PermBioEnrollment|ctap.PermLargeBlobWrite|ctap.PermAuthenticatorCfg, ""),
		"token for reading and all": all(ctap.PermCredentialMgmtRead|ctap.PermCredentialMgmt, ""),
		"getPinToken with permissions": func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			q, permissions := w.pinRequest(ctap.GetPinToken, "7392", nil), ctap.PermMakeCredential
			q.Permissions = &permissions
			w.says("getPinToken", ctap.ClientPIN, q, nil)
		},
		"getPinToken and management": func(w *witness) { w.metadata("getCredsMetadata", legacy(w)) },
		"token itself": func(w *witness) {
			first := w.withPIN(ctap.PermMakeCredential, site)
			second := w.newToken(ctap.PermMakeCredential, site)
			w.note("%d bytes, fresh %v, zeros %v", len(second), !bytes.Equal(first, second), bytes.Equal(second, make([]byte, len(second))))
		},
		"IV of a token": func(w *witness) {
			w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
			var r ctap.ClientPINResponse
			w.says("getPinToken", ctap.ClientPIN, w.pinRequest(ctap.GetPinToken, "7392", nil), &r)
			w.note("zero %v", bytes.HasPrefix(r.PinUvAuthToken, make([]byte, 16)))
		},
		"token over a power cycle": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, site)
			w.auth.PowerCycle()
			w.make("make", authorised(token))
		},
		"token after 31 seconds": later(31 * time.Second),
		"token after 11 minutes": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential|ctap.PermGetAssertion, site)
			w.get("silent", getMAC(token), getOption("up", false))
			w.now = w.now.Add(11 * time.Minute)
			w.make("make", authorised(token))
		},
		"token used twice": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, site)
			w.make("make", authorised(token))
			w.make("again", authorised(token))
		},
		"token for cm after make": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential|ctap.PermCredentialMgmt, site)
			w.make("make", authorised(token))
			w.says("enumerate", ctap.CredentialManagement, w.managed(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash(site)}, token), nil)
		},
		"token by finger used twice": func(w *witness) {
			public, secret := w.agree(pinuv.Two)
			permissions, rpID := ctap.PermMakeCredential, site
			token, _ := w.sendForToken(pinuv.Two, secret, &ctap.ClientPINRequest{
				PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingUv, KeyAgreement: public, Permissions: &permissions, RPID: &rpID,
			})
			for range 2 {
				w.asked = nil
				w.make("make", authorised(token))
				w.note("asked %d times", len(w.asked))
			}
		},
		"token at two sites": func(w *witness) {
			w.accounts("ada")
			token := legacy(w)
			w.get("silent", getMAC(token), getOption("up", false))
			w.get("elsewhere", member(1, "b.example"), getMAC(token), getOption("up", false))
		},
		"persistent token": func(w *witness) {
			w.accounts("ada")
			token := w.withPIN(ctap.PermCredentialMgmtRead, "")
			w.auth.PowerCycle()
			w.metadata("after a power cycle", token)
			w.status("changePIN", w.changePIN(pinuv.Two, "7392", "8421"))
			w.metadata("after changePIN", token)
		},
		"persistent token and delete": func(w *witness) {
			w.accounts("ada")
			token := w.withPIN(ctap.PermCredentialMgmtRead, "")
			id := w.newest("a.example").ID
			w.says("delete", ctap.CredentialManagement, w.managed(ctap.DeleteCredential, map[int]any{2: descriptors(id)[0]}, token), nil)
		},
	}
}
