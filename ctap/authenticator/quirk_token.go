package authenticator

import (
	"bytes"
	"io"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// tokenQuirks are about requests for a pinUvAuthToken (section 6.5.5.7).
func tokenQuirks() []quirk {
	type request = ctap.ClientPINRequest
	return []quirk{
		breach("permissions-missing-accepted", "6.5.5.7.2", "gives a token without being asked for permissions",
			"a token may do what nobody asked for", "pinUvAuthToken", changePINRequest(ctap.GetTokenUsingPin, func(x *exchange, r *request) {
				if r.Permissions == nil {
					p := ctap.PermMakeCredential | ctap.PermGetAssertion
					r.Permissions = &p
					x.defaultSite(r)
				}
			})),
		breach("permissions-zero-accepted", "6.5.5.7.2", "gives a token for permissions of 0",
			"a token may do what nobody asked for", "pinUvAuthToken", changePINRequest(ctap.GetTokenUsingPin, func(x *exchange, r *request) {
				if r.Permissions != nil && *r.Permissions == 0 {
					*r.Permissions = ctap.PermMakeCredential | ctap.PermGetAssertion
					x.defaultSite(r)
				}
			})),
		breach("permissions-site-missing-accepted", "6.5.5.7.2", "gives a token with mc or ga without a relying party",
			"one token serves at every site", "pinUvAuthToken", both(
				changePINRequest(ctap.GetTokenUsingPin, func(x *exchange, r *request) { x.defaultSite(r) }),
				afterCommand(ctap.ClientPIN, func(x *exchange) {
					if t := &x.a.boot.token; t.rpID == anySite {
						t.rpID = ""
					}
				}))),
		breach("permission-not-there-granted", "6.5.5.7.2", "grants permissions for commands that it has not",
			"a platform believes that a feature is there", "pinUvAuthToken", changePINRequest(ctap.GetTokenUsingPin, func(x *exchange, r *request) {
				if r.Permissions != nil && *r.Permissions&x.a.unavailable() != 0 {
					*r.Permissions = *r.Permissions&^x.a.unavailable() | ctap.PermGetAssertion
					x.defaultSite(r)
				}
			})),
		breach("permission-not-there-status", "6.5.5.7.2", "answers CTAP1_ERR_OTHER when a permission is for what it has not",
			"a platform cannot tell what is missing", "pinUvAuthToken", changeStatus(ctap.ClientPIN, ctap.ErrUnauthorizedPerm, ctap.ErrOther)),
		breach("legacy-token-permissions-accepted", "6.5.5.7.1", "takes permissions with getPinToken, and ignores them",
			"a platform believes that its token is limited", "clientPin", changePINRequest(ctap.GetPinToken, func(_ *exchange, r *request) {
				r.Permissions, r.RPID = nil, nil
			})),
		breach("legacy-token-all-permissions", "6.5.5.7.1", "gives tokens of getPinToken every permission",
			"an old program deletes passkeys", "clientPin,credMgmt", afterCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.GetPinToken {
					x.a.boot.token.permissions = ^ctap.Permissions(0)
				}
			})),
		breach("forced-change-ignored", "6.5.5.7.2", "gives tokens although the PIN must be changed",
			"a PIN that was to go stays", "minPinLength", beforeCommand(ctap.ClientPIN, func(x *exchange) {
				if sub := x.subCommand(); x.a.device.ForcePINChange && (sub == ctap.GetTokenUsingPin || sub == ctap.GetPinToken) {
					x.pretend(func(d *Device) { d.ForcePINChange = false }, func(d *Device) { d.ForcePINChange = true })
				}
			})),
		breach("token-short", "6.5.7", "gives tokens of 16 bytes under protocol two",
			"a strict platform refuses the token; it is guessed more easily", "pinUvAuthToken", resend(func(_ *exchange, t *token) { t.value = t.value[:16] })),
		breach("token-repeats", "6.5.2.1", "gives the same token again and again",
			"a program that was shut out goes on", "pinUvAuthToken", resend(func(x *exchange, t *token) {
				if x.boot.token.inUse {
					t.value = x.boot.token.value
				}
			})),
		breach("token-guessable", "6.5.2.1", "gives tokens that are all zeros",
			"any program knows the token", "pinUvAuthToken", resend(func(_ *exchange, t *token) { t.value = make([]byte, len(t.value)) })),
		breach("token-iv-zero", "6.5.7", "encrypts under protocol two with an IV of zeros",
			"who listens sees when a token comes twice", "pinUvAuthToken", changeAnswer(ctap.ClientPIN, func(x *exchange, r *ctap.ClientPINResponse) {
				if r.PinUvAuthToken != nil && x.issued() {
					r.PinUvAuthToken = x.encryptToken(bytes.NewReader(make([]byte, 16)))
				}
			})),
	}
}

// anySite is the relying party of a token that was asked for without one.
const anySite = "\x00"

// defaultSite names a relying party where none is.
func (x *exchange) defaultSite(r *ctap.ClientPINRequest) {
	if r.RPID == nil {
		site := anySite
		r.RPID = &site
	}
}

// resend changes a token that was just issued, and the answer with it.
func resend(change func(*exchange, *token)) behaviour {
	return changeAnswer(ctap.ClientPIN, func(x *exchange, r *ctap.ClientPINResponse) {
		if r.PinUvAuthToken == nil || !x.issued() {
			return
		}
		change(x, &x.a.boot.token)
		r.PinUvAuthToken = x.encryptToken(x.a.env.Rand)
	})
}

// issued tells whether the request got a new token, and not the persistent one.
func (x *exchange) issued() bool {
	t := &x.a.boot.token
	return t.inUse && !bytes.Equal(t.value, x.boot.token.value)
}

// encryptToken encrypts the token to the platform again.
func (x *exchange) encryptToken(rand io.Reader) []byte {
	var r ctap.ClientPINRequest
	if ctap.Decode(x.asked[1:], &r) != nil {
		return nil
	}
	p, secret, ok := x.secret(&r)
	if !ok {
		return nil
	}
	encrypted, err := p.Encrypt(secret, x.a.boot.token.value, rand)
	if err != nil {
		return nil
	}
	return encrypted
}

// tokenUseQuirks are about how long a token lasts and what uses it up (section 6.5.2.1).
func tokenUseQuirks() []quirk {
	return []quirk{
		breach("token-survives-power-cycle", "6.5.2.1", "keeps its tokens over a power cycle",
			"a token that was stolen works on another computer", "pinUvAuthToken",
			behaviour{power: func(a *Authenticator, before boot) { a.boot.token = before.token }}),
		breach("token-outlives-first-use", "6.5.2.1", "keeps a token that was not used within thirty seconds",
			"a token that was forgotten is used by others", "pinUvAuthToken", behaviour{before: func(x *exchange) {
				if t := &x.a.boot.token; t.inUse && !t.used && x.age() <= maxUsagePeriod {
					t.used = true
				}
			}}),
		breach("token-outlives-ten-minutes", "6.5.2.1", "keeps a token for longer than ten minutes",
			"a token that was forgotten is used by others", "pinUvAuthToken", behaviour{before: func(x *exchange) {
				if t := &x.a.boot.token; t.inUse && x.age() > maxUsagePeriod {
					t.issued = x.a.env.Now().Add(-initialUsageLimit)
				}
			}}),
		breach("token-permissions-not-spent", "6.1.2 step 14", "keeps a token's permissions after the touch that they were for",
			"one verification serves for any number of ceremonies", "pinUvAuthToken", keepAfterTouch(func(t *token, was *token) { t.permissions = was.permissions })),
		breach("token-verification-not-spent", "6.1.2 step 14", "keeps a token's userVerified after the touch that it was for",
			"one verification serves for any number of ceremonies", "pinUvAuthToken", keepAfterTouch(func(t *token, was *token) {
				t.userVerified, t.permissions = was.userVerified, was.permissions
			})),
		breach("token-presence-not-spent", "6.1.2 step 14", "keeps a token's userPresent after the ceremony that it was for",
			"one finger serves for any number of ceremonies", "pinUvAuthToken,uv", keepAfterTouch(func(t *token, was *token) { *t = *was })),
		breach("token-not-bound", "6.1.2 step 11", "does not bind a token to the relying party that it was used for first",
			"one token serves at every site", "pinUvAuthToken", behaviour{after: func(x *exchange) {
				if x.is(ctap.MakeCredential, ctap.GetAssertion) && x.boot.token.rpID == "" {
					x.a.boot.token.rpID = ""
				}
			}}),
		breach("token-reissue-keeps-old", "6.5.2.1", "keeps an earlier token when it gives a new one",
			"a program that was shut out goes on", "pinUvAuthToken", keepEarlierToken()),
		breach("read-only-combined-accepted", "6.5.5.7.2", "gives a token with pcmr and other permissions",
			"a token that lasts for ever may do everything", "perCredMgmtRO", changePINRequest(ctap.GetTokenUsingPin, func(_ *exchange, r *ctap.ClientPINRequest) {
				if r.Permissions != nil && *r.Permissions != ctap.PermCredentialMgmtRead {
					*r.Permissions &^= ctap.PermCredentialMgmtRead
				}
			})),
		breach("read-only-token-writes", "6.8.5", "deletes credentials for the persistent token, which may only read",
			"a program that may list passkeys deletes them", "perCredMgmtRO,credMgmt", changeRequest(ctap.CredentialManagement, func(x *exchange, r *ctap.CredentialManagementRequest) {
				p, ok := pinuv.ByNumber(r.PinUvAuthProtocol)
				if ok && p.Verify(x.a.device.PersistentToken, managementMessage(r), r.PinUvAuthParam) && r.SubCommand >= ctap.DeleteCredential {
					x.wholeToken()
					r.PinUvAuthProtocol, r.PinUvAuthParam = 2, x.mac(managementMessage(r))
				}
			})),
		breach("read-only-token-lost", "6.5.2.1", "forgets the persistent token with a power cycle",
			"the user enters the PIN again and again", "perCredMgmtRO", behaviour{power: func(a *Authenticator, _ boot) {
				d := a.device
				d.PersistentToken = hashOf(d.PersistentToken)
				_ = a.save(d) // a store that fails shows with the next request
			}}),
		breach("read-only-token-survives-pin-change", "6.5.5.6", "keeps the persistent token when the PIN is changed",
			"a program that was shut out goes on", "perCredMgmtRO", afterCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.ChangePIN {
					x.save(func(d *Device) { d.PersistentToken = x.device.PersistentToken })
				}
			})),
	}
}

// age is that of the token.
func (x *exchange) age() time.Duration { return x.a.env.Now().Sub(x.a.boot.token.issued) }

// keepAfterTouch undoes what a ceremony did to the token.
func keepAfterTouch(keep func(t, was *token)) behaviour {
	return behaviour{after: func(x *exchange) {
		if t := &x.a.boot.token; x.is(ctap.MakeCredential, ctap.GetAssertion) && t.inUse {
			was := x.boot.token
			was.rpID, was.used = t.rpID, t.used
			keep(t, &was)
		}
	}}
}

// keepEarlierToken takes the token before the one in use for that one.
func keepEarlierToken() behaviour {
	var earlier token
	b := afterCommand(ctap.ClientPIN, func(x *exchange) {
		if !bytes.Equal(x.a.boot.token.value, x.boot.token.value) && x.a.boot.token.inUse {
			earlier = x.boot.token
		}
	})
	b.before = func(x *exchange) {
		if !x.is(ctap.MakeCredential) || !earlier.inUse {
			return
		}
		var r ctap.MakeCredentialRequest
		if ctap.Decode(x.request[1:], &r) != nil || !earlier.protocol.Verify(earlier.value, r.ClientDataHash, r.PinUvAuthParam) {
			return
		}
		now := x.a.boot.token
		x.a.boot.token = earlier
		x.a.boot.token.issued = x.a.env.Now()
		x.backs = append(x.backs, func(*Device) { x.a.boot.token = now })
	}
	b.power = func(*Authenticator, boot) { earlier = token{} }
	return b
}
