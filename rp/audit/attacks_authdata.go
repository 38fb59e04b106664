package audit

import (
	"fmt"

	"crypto/sha256"

	"fido-emu/ctap"
	"fido-emu/rp"
)

// authenticatorDataAttacks are those on authenticator data (section 6.1), which both
// ceremonies have.
func authenticatorDataAttacks(k kind) []Attack {
	at := func(name, title string, step int, s Severity, gains string, how bend) Attack {
		a := Attack{ID: string(k) + "." + name, Group: string(k) + ": authenticator data", Title: title,
			Section: k.section(), Step: k.step(step), Severity: s, Gains: gains, run: through(k, how)}
		if step == 0 {
			a.Section, a.Step = "6.1", 0
		}
		return a
	}
	flags := func(set, clear ctap.Flags) bend {
		return bend{claims: func(d *draft) { d.auth.Flags = d.auth.Flags&^clear | set }}
	}
	rpID := func(name func(d *draft) string) bend {
		return bend{claims: func(d *draft) { d.auth.RPIDHash = sha256.Sum256([]byte(name(d))) }}
	}
	verified := at("user-verified", "the user was not verified, although that is required", 16, High,
		"whoever holds the authenticator needs neither PIN nor fingerprint", flags(0, ctap.FlagUV))
	verified.run = whereVerified(k, flags(0, ctap.FlagUV))
	all := []Attack{
		at("rp-id.other", "authenticator data is for another RP ID", 14, Critical, gainsPhishing, rpID(func(*draft) string { return "evil.example" })),
		at("rp-id.subdomain", "authenticator data is for a subdomain of the RP ID", 14, High, gainsPhishing, rpID(func(d *draft) string { return "sub." + d.asked.RPID })),
		at("rp-id.origin", "the hash is of the origin, not of the RP ID", 14, High, gainsPhishing, rpID(func(d *draft) string { return d.origin })),
		at("rp-id.zeros", "the hash of the RP ID is zeros", 14, Critical, gainsPhishing, bend{claims: func(d *draft) { d.auth.RPIDHash = [32]byte{} }}),
		at("rp-id.flipped", "the last bit of the hash of the RP ID is flipped", 14, High, gainsPhishing, bend{claims: func(d *draft) { d.auth.RPIDHash[31] ^= 1 }}),
		at("user-present", "the user was not present", 15, High, "malware uses the authenticator while nobody is there", flags(0, ctap.FlagUP)),
		at("user-present.verified", "the user was verified and not present", 15, Medium, gainsForm, flags(ctap.FlagUV, ctap.FlagUP)),
		verified,
		at("backup-state", "the passkey is backed up and cannot be (BE 0, BS 1)", 17, Medium, "policies about synced passkeys are got round", flags(ctap.FlagBS, ctap.FlagBE)),
		at("auth-data.left-over", "a byte follows authenticator data", 0, Low, gainsForm, bend{bytes: func(d *draft) { d.authBytes = append(d.authBytes, 0) }}),
		at("auth-data.left-over.map", "an empty CBOR map follows authenticator data, and ED is 0", 0, Low, gainsForm, bend{bytes: func(d *draft) { d.authBytes = append(d.authBytes, 0xA0) }}),
		at("auth-data.cut-short", "authenticator data has 36 bytes", 0, High, gainsForm, bend{bytes: func(d *draft) { d.authBytes = d.authBytes[:36] }}),
		at("auth-data.empty", "authenticator data is empty", 0, High, gainsForm, bend{bytes: func(d *draft) { d.authBytes = nil }}),
		at("auth-data.extensions.missing", "ED is 1 and there are no extensions", 0, Low, gainsForm, bend{bytes: func(d *draft) { d.authBytes[32] |= byte(ctap.FlagED) }}),
		at("auth-data.extensions.array", "the extensions are an array, not a map", 0, Low, gainsForm, bend{claims: func(d *draft) { d.auth.Extensions = []byte{0x80} }}),
		at("auth-data.extensions.left-over", "a byte follows the extensions", 0, Low, gainsForm, bend{
			claims: func(d *draft) { d.auth.Extensions = []byte{0xA0} },
			bytes:  func(d *draft) { d.authBytes = append(d.authBytes, 0) },
		}),
	}
	reserved := at("auth-data.reserved", "the reserved flags are 1", 0, Low, gainsForm, flags(0x22, 0))
	reserved.Tolerated = "section 6.1 reserves the bits for future use and has nobody refuse them"
	unsolicited := at("extensions.unsolicited", "an extension answers that was not asked", 0, Low, gainsForm, bend{claims: func(d *draft) {
		d.auth.Extensions = []byte{0xA1, 0x63, 'f', 'o', 'o', 0xF5}
	}})
	unsolicited.Section, unsolicited.Step = k.section(), map[kind]int{registering: 28, authenticating: 23}[k]
	unsolicited.Tolerated = "relying parties must be prepared for extensions that were not requested, and may ignore them"
	return append(all, reserved, unsolicited)
}

// whereVerified makes an attack where user verification is required: at an account of
// the relying party's own policy, or at one under a policy that says so.
func whereVerified(k kind, how bend) func(*bench) finding {
	return func(b *bench) finding {
		a, err := b.verified(k)
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		if k == registering {
			return b.tryRegister(a, how)
		}
		return b.trySignIn(a, a.client, how)
	}
}

// verified returns an account of which user verification is required.
func (b *bench) verified(k kind) (*account, error) {
	a, err := b.account(map[kind]string{registering: "attacker", authenticating: "victim"}[k])
	if err == nil {
		err = b.askFor(k, a)
	}
	if err != nil || a.client.last.asked.UserVerification == "required" {
		return a, err
	}
	a, err = b.policed("verified", rp.Policy{UserVerification: "required"})
	if err != nil {
		return nil, fmt.Errorf("the relying party does not require user verification, and there is no policy that would: %w", err)
	}
	if err := b.askFor(k, a); err != nil || a.client.last.asked.UserVerification != "required" {
		return nil, fmt.Errorf("the relying party does not require user verification, not even under a policy that does (%v)", err)
	}
	return a, nil
}

// askFor takes an honest ceremony, to see what the relying party asks for.
func (b *bench) askFor(k kind, a *account) error {
	if k == registering {
		if err := b.honestRegistration(a); err != nil {
			return err
		}
		if a.client.last.kind == registering {
			return nil
		}
		_, err := b.register(a, bend{})
		return err
	}
	return b.honestSignIn(a)
}
