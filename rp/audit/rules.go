package audit

import "fido-emu/rp/verifier"

// Asks says in words what the rule asks for that an attack breaks; it is empty where
// the rule has no words of its own.
func (a Attack) Asks() string {
	if a.Step == 0 {
		return ""
	}
	for _, s := range verifier.Steps() {
		if s.Covers(a.Section, a.Step, a.Detail) {
			return s.Says
		}
	}
	return ""
}

// Link returns the place in the standard where the rule is written; it is empty for
// rules of other documents.
func (a Attack) Link() string {
	const level3 = "https://www.w3.org/TR/webauthn-3/"
	switch a.Section {
	case "7.1":
		return level3 + "#sctn-registering-a-new-credential"
	case "7.2":
		return level3 + "#sctn-verifying-assertion"
	case "6.1":
		return level3 + "#sctn-authenticator-data"
	case "14.6.2":
		return level3 + "#sctn-username-enumeration"
	case "14.6.3":
		return level3 + "#sctn-credential-id-privacy-leak"
	case "13.4.6":
		return level3 + "#sctn-credential-loss-key-mobility"
	case "5.1":
		return level3 + "#iface-pkcredential"
	}
	return ""
}
