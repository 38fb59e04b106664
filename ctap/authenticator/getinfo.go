package authenticator

import (
	"slices"

	"fido-emu/ctap"
)

// leastMaxCredBlob is what section 6.4 asks of maxCredBlobLength, bytes.
const leastMaxCredBlob = 32

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

// ctap22 tells whether the authenticator is of CTAP 2.2 or later, of which 2.3 is the
// only one with a version string.
func (p *Profile) ctap22() bool { return slices.Contains(p.Versions, "FIDO_2_3") }

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
		Certifications:           p.Certifications,
		TransportsForReset:       p.ResetTransports,
	}
	for _, alg := range p.Algorithms {
		info.Algorithms = append(info.Algorithms, ctap.Parameters{Algorithm: int(alg), Type: ctap.PublicKeyCredential})
	}
	if p.ClientPIN || p.tokens() {
		info.PinUvAuthProtocols = p.PINProtocols
	}
	if p.BuiltInUV != NoBuiltInUV && p.tokens() {
		info.PreferredPlatformUvAttempts = p.internalUvAttempts()
	}
	if p.LargeBlobs {
		info.MaxSerializedLargeBlobArray = p.maxLargeBlobs()
	}
	if p.hasExtension(ExtCredBlob) {
		info.MaxCredBlobLength = max(p.MaxCredBlob, leastMaxCredBlob)
	}
	if p.ctap22() {
		info.AttestationFormats = a.attestationFormats()
	}
	a.pinInfo(info)
	a.configInfo(info)
	if err := a.identities(info); err != nil {
		return nil, err
	}
	return info, a.remaining(info)
}

// FormattedAttestation is an [Attestation] that says in what formats it attests, for
// getInfo of authenticators of CTAP 2.2 and later.
type FormattedAttestation interface {
	Attestation
	Formats() []string
}

// attestationFormats is nil where none but "none" is given.
func (a *Authenticator) attestationFormats() []string {
	if a.profile.Attestation == SelfAttestation {
		return []string{"packed"}
	}
	if f, ok := a.env.Attestation.(FormattedAttestation); ok && a.profile.Attestation == ExternalAttestation {
		return f.Formats()
	}
	return nil
}

// pinInfo fills in what is about the PIN.
func (a *Authenticator) pinInfo(info *ctap.Info) {
	p := &a.profile
	if !p.ClientPIN {
		return
	}
	info.MinPINLength = a.device.MinPINLength
	info.ForcePINChange = a.device.ForcePINChange
	info.MaxPINLength = p.MaxPINLength
	if p.PINComplexityPolicy {
		on := a.device.PINComplexityPolicy
		info.PinComplexityPolicy = &on
		if p.PINComplexityURL != "" {
			info.PinComplexityPolicyURL = []byte(p.PINComplexityURL)
		}
	}
	if p.BuiltInUV != NoBuiltInUV && p.ctap22() {
		count := a.device.UVSincePIN
		info.UvCountSinceLastPinEntry = &count
	}
}

// configInfo fills in what authenticatorConfig can change.
func (a *Authenticator) configInfo(info *ctap.Info) {
	p := &a.profile
	if !p.Config {
		return
	}
	if p.ClientPIN {
		most := p.maxPINRPIDs()
		info.MaxRPIDsForSetMinPINLength = &most
	}
	if p.LongTouchForReset {
		on := a.device.LongTouchForReset
		info.LongTouchForReset = &on
	}
	info.VendorPrototypeConfigCommands = p.VendorConfigCommands
	if p.ctap22() { // the member came with CTAP 2.3
		info.AuthenticatorConfigCommands = p.configCommands()
	}
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
		o["uv"] = a.builtInUV()
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
	if p.Biometrics.Enrollment {
		o["bioEnroll"] = len(a.device.Templates) > 0
	}
	if p.Biometrics.Preview {
		o["userVerificationMgmtPreview"] = len(a.device.Templates) > 0
	}
	if p.Enterprise.Capable {
		o["ep"] = a.device.EnterpriseEnabled
	}
	for id, has := range map[string]bool{
		"noMcGaPermissionsWithClientPin": a.noMcGaWithPIN(), "largeBlobs": p.LargeBlobs,
		"uvBioEnroll": p.UVBioEnroll, "uvAcfg": p.UVConfig, "perCredMgmtRO": p.ReadOnlyManagement,
	} {
		if has {
			o[id] = true
		}
	}
	return o
}

func (a *Authenticator) pinSet() bool { return a.device.PINHash != nil }

// builtInUV tells whether built-in user verification is there and configured.
func (a *Authenticator) builtInUV() bool {
	taught := !a.profile.Biometrics.HasSensor() || len(a.device.Templates) > 0
	return a.profile.BuiltInUV != NoBuiltInUV && taught
}

// protected tells whether some form of user verification is configured.
func (a *Authenticator) protected() bool { return a.pinSet() || a.builtInUV() }

func (a *Authenticator) makeCredUvNotRqd() bool { return a.profile.MakeCredNoUV && !a.device.AlwaysUV }
