package authenticator

import (
	"slices"

	"fido-emu/ctap"
)

// The defaults of a profile's limits.
const (
	defaultMaxMsgSize      = 1200
	defaultMaxCredentials  = 100
	defaultMaxCredIDLength = 512
	defaultMaxCredsInList  = 16
	defaultMinPINLength    = 4
	defaultMaxPINLength    = 63
	defaultPINRetries      = 8
	defaultUVRetries       = 5
)

func or(value, fallback uint) uint {
	if value != 0 {
		return value
	}
	return fallback
}

func (p *Profile) maxMsgSize() uint      { return or(p.MaxMsgSize, defaultMaxMsgSize) }
func (p *Profile) maxCredIDLength() uint { return or(p.MaxCredIDLength, defaultMaxCredIDLength) }
func (p *Profile) maxCredsInList() uint  { return or(p.MaxCredsInList, defaultMaxCredsInList) }
func (p *Profile) minPINLength() uint    { return or(p.MinPINLength, defaultMinPINLength) }
func (p *Profile) maxPINLength() uint    { return or(p.MaxPINLength, defaultMaxPINLength) }
func (p *Profile) pinRetries() uint      { return or(p.PINRetries, defaultPINRetries) }
func (p *Profile) uvRetries() uint       { return or(p.UVRetries, defaultUVRetries) }

// CredentialLimit returns how many discoverable credentials fit.
func (p *Profile) CredentialLimit() int { return int(or(p.MaxCredentials, defaultMaxCredentials)) }

// tokens tells whether the authenticator has pinUvAuthTokens with permissions, which
// came with CTAP 2.1.
func (p *Profile) tokens() bool {
	return p.ctap21() && (p.ClientPIN || p.BuiltInUV != NoBuiltInUV)
}

// ctap21 tells whether the authenticator is of CTAP 2.1 or later.
func (p *Profile) ctap21() bool {
	return slices.Contains(p.Versions, "FIDO_2_1") || slices.Contains(p.Versions, "FIDO_2_3")
}

func (p *Profile) hasExtension(id string) bool { return slices.Contains(p.Extensions, id) }

func (p *Profile) hasProtocol(n uint) bool { return slices.Contains(p.PINProtocols, n) }

// uvModalities are bits of USER_VERIFY in the FIDO registry of predefined values.
var uvModalities = map[BuiltInUV]uint{Fingerprint: 0x02, Passcode: 0x04, Face: 0x10}

// getInfo answers authenticatorGetInfo (section 6.4).
func (a *Authenticator) getInfo() (*ctap.Info, error) {
	p := &a.profile
	info := &ctap.Info{
		Versions:                 a.versions(),
		Extensions:               p.Extensions,
		AAGUID:                   p.AAGUID[:],
		Options:                  a.options(),
		MaxMsgSize:               p.maxMsgSize(),
		MaxCredentialCountInList: p.maxCredsInList(),
		MaxCredentialIDLength:    p.maxCredIDLength(),
		Transports:               p.Transports,
		FirmwareVersion:          p.FirmwareVersion,
		UvModality:               uvModalities[p.BuiltInUV],
	}
	for _, alg := range p.Algorithms {
		info.Algorithms = append(info.Algorithms, ctap.Parameters{Algorithm: int(alg), Type: ctap.PublicKeyCredential})
	}
	if p.ClientPIN || p.tokens() {
		info.PinUvAuthProtocols = p.PINProtocols
	}
	if p.ClientPIN {
		info.MinPINLength = a.device.MinPINLength
		info.ForcePINChange = a.device.ForcePINChange
		info.MaxPINLength = p.MaxPINLength
	}
	if p.BuiltInUV != NoBuiltInUV && p.tokens() {
		info.PreferredPlatformUvAttempts = p.internalUvAttempts()
	}
	if p.hasExtension(ExtMinPinLength) {
		most := uint(maxMinPINLengthRPIDs)
		info.MaxRPIDsForSetMinPINLength = &most
	}
	return info, a.remaining(info)
}

// versions puts U2F_V2 in front while it is there.
func (a *Authenticator) versions() []string {
	if a.u2f() {
		return append([]string{"U2F_V2"}, a.profile.Versions...)
	}
	return a.profile.Versions
}

// remaining fills in how many discoverable credentials still fit.
func (a *Authenticator) remaining(info *ctap.Info) error {
	if !a.profile.Discoverable || !a.profile.tokens() {
		return nil
	}
	n, err := a.env.Credentials.Count()
	if err != nil {
		return err
	}
	left := uint(max(0, a.profile.CredentialLimit()-n))
	info.RemainingDiscoverableCredentials = &left
	return nil
}

// options works out the option ids; a member is absent where the feature is.
func (a *Authenticator) options() map[string]bool {
	p := &a.profile
	o := map[string]bool{"up": true, "rk": p.Discoverable, "plat": p.Platform}
	if p.ClientPIN {
		o["clientPin"] = a.pinSet()
	}
	if p.BuiltInUV != NoBuiltInUV {
		o["uv"] = true
	}
	if p.tokens() {
		o["pinUvAuthToken"] = true
		o["makeCredUvNotRqd"] = a.makeCredUvNotRqd()
		if p.AlwaysUV || a.device.AlwaysUV || p.Config {
			o["alwaysUv"] = a.device.AlwaysUV
		}
	}
	if p.CredentialManagement {
		o["credMgmt"] = true
	}
	if p.CredentialManagementPreview {
		o["credentialMgmtPreview"] = true
	}
	if p.Config {
		o["authnrCfg"] = true
		if p.ClientPIN {
			o["setMinPINLength"] = true
		}
	}
	return o
}

func (a *Authenticator) pinSet() bool { return a.device.PINHash != nil }

// builtInUV tells whether built-in user verification is there and configured.
func (a *Authenticator) builtInUV() bool { return a.profile.BuiltInUV != NoBuiltInUV }

// protected tells whether some form of user verification is configured.
func (a *Authenticator) protected() bool { return a.pinSet() || a.builtInUV() }

func (a *Authenticator) makeCredUvNotRqd() bool { return a.profile.MakeCredNoUV && !a.device.AlwaysUV }
