package audit

import (
	"fmt"
	"slices"
)

// Severity is how much an accepted attack gives away.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical" // others' accounts
	High     Severity = "high"     // a protection that passkeys promise is not there
	Medium   Severity = "medium"   // a protection is weaker, or an attack needs more than a network
	Low      Severity = "low"      // form: nothing is gained but that more is read than must be
)

// Severities returns all severities, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// Attack is one way to break an honest ceremony.
type Attack struct {
	ID        string   `json:"id"`                  // ceremony first, such as registration.origin.scheme
	Group     string   `json:"group"`               // attacks of a group share their honest control
	Title     string   `json:"title"`               // what is broken in the honest ceremony
	Section   string   `json:"section"`             // of WebAuthn Level 3, or "accounts" for what it leaves to sites
	Step      int      `json:"step,omitempty"`      // in the section; 0 where it has none
	Detail    string   `json:"detail,omitempty"`    // where the particulars are written, such as 8.2.1
	Severity  Severity `json:"severity"`            // if it is accepted
	Gains     string   `json:"gains"`               // what an attacker has of it
	Tolerated string   `json:"tolerated,omitempty"` // why the standard allows to accept it; empty where it does not
	Cites     []string `json:"cites,omitempty"`     // published bugs that it would have found

	run func(*bench) finding
}

// Rule returns where it is written that the attack must fail, such as "7.1 step 9".
func (a Attack) Rule() string {
	rule := a.Section
	if a.Step != 0 {
		rule = fmt.Sprintf("%s step %d", rule, a.Step)
	}
	if a.Detail != "" {
		rule += ", " + a.Detail
	}
	return rule
}

// Catalogue returns all attacks, by group.
func Catalogue() []Attack {
	all := slices.Concat(
		clientDataAttacks(registering), authenticatorDataAttacks(registering), keyAttacks(), objectAttacks(), registrationAttacks(), attestationAttacks(),
		clientDataAttacks(authenticating), authenticatorDataAttacks(authenticating), signatureAttacks(), credentialAttacks(), stateAttacks(),
		requestAttacks(), challengeAttacks(), accountAttacks(), enumerationAttacks(),
	)
	for i := range all {
		all[i].Cites = append(all[i].Cites, published()[all[i].ID]...)
	}
	return all
}

// published holds the bugs that attacks would have found, by attack.
func published() map[string][]string {
	uv := "CVE-2020-8236 (Nextcloud Server: the PIN was asked for and not verified)"
	up := "CVE-2021-38299 (web-auth/webauthn-framework: user presence was not checked)"
	another := "CVE-2025-26788 (StrongKey FIDO Server: a sign-in by name was treated as one without, so that anybody's passkey opened any account)"
	return map[string][]string{
		"registration.user-verified":          {uv},
		"authentication.user-verified":        {uv},
		"registration.user-present":           {up},
		"authentication.user-present":         {up},
		"registration.challenge.used":         {"CVE-2022-42731 (django-mfa2: the challenge of a registration was not invalidated after use)"},
		"authentication.counter.kept":         {"CVE-2023-45669 (webauthn4j-spring-security: the signature counter was not saved)"},
		"authentication.credential.another":   {another},
		"authentication.credential.impostor":  {another},
		"enumeration.allow-credentials.empty": {"CVE-2024-39912 (web-auth/webauthn-framework: no allowCredentials for names that nobody has)"},
		"registration.without-session":        {"CVE-2021-3632 (Keycloak: a passkey could be registered for anybody, without a session)"},
		"authentication.user-verified.wish":   {"GHSA-h4fw-6r7f-w494 (web-auth/webauthn-framework: a client's userVerification took the place of the site's)"},
		"authentication.origin.port":          {"CVE-2026-30964 (web-auth/webauthn-framework: of allowed origins, only hosts were compared)"},
		"authentication.signature.zero":       {"CVE-2022-21449 (Java: ECDSA accepted r = s = 0)"},
	}
}
