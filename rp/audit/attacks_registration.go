package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fido-emu/attestation"
	"fido-emu/attestation/forged"
	"fido-emu/rp"
)

// registrationAttacks are those on ids of new passkeys, and on the response.
func registrationAttacks() []Attack {
	at := func(name, title string, step int, s Severity, gains string, run func(*bench) finding) Attack {
		return Attack{ID: "registration." + name, Group: "registration: passkey", Title: title, Section: "7.1", Step: step, Severity: s, Gains: gains, run: run}
	}
	id := func(change func(d *draft) []byte) func(*bench) finding {
		return registration(bend{claims: func(d *draft) {
			d.passkey.id = change(d)
			d.auth.Attested.ID = d.passkey.id
		}})
	}
	length := func(n int) func(*bench) finding {
		return id(func(d *draft) []byte { return append(bytes.Repeat([]byte{7}, n-32), d.passkey.id...) })
	}
	takeover := "the passkey of somebody else is bound to the attacker's account, or the other way round: who has it signs in as another"
	all := []Attack{
		at("id-length.1024", "the credential id has 1024 bytes", 25, Low, "storage, and what is quadratic in lists of ids", length(1024)),
		at("id-length.60000", "the credential id has 60,000 bytes", 25, Low, "storage, and what is quadratic in lists of ids", length(60000)),
		at("id-length.empty", "the credential id is empty", 25, Medium, "a passkey that any empty id names", id(func(*draft) []byte { return nil })),
		at("known.own", "the credential id is registered for this account, with another key", 26, High, "a key that is registered is replaced by another", knownID("attacker")),
		at("known.another", "the credential id is registered for another account, with another key", 26, Critical, takeover, knownID("victim")),
		at("known.same-key", "another account's passkey is registered again, key and all", 26, High, takeover, knownKey),
	}
	return append(all, responseAttacks(registering)...)
}

// knownID registers a new key under the id of a passkey of an account.
func knownID(purpose string) func(*bench) finding {
	return func(b *bench) finding {
		owner, err := b.account(purpose)
		if err != nil {
			return found(NotApplicable, "no account whose passkey it would be: %v", err)
		}
		a, err := b.account("attacker")
		if err != nil {
			return found(NotApplicable, "no account to attack from: %v", err)
		}
		taken := owner.client.passkeys[0].id
		f := b.tryRegister(a, bend{claims: func(d *draft) {
			d.passkey.id = taken
			d.auth.Attested.ID = taken
		}})
		if f.verdict == Accepted {
			owner.spoilt, a.spoilt = true, true
		}
		if f.verdict != Refused || owner == a {
			return f
		}
		return b.afterwards(owner, f, b.honestSignIn)
	}
}

// knownKey registers the passkey of the victim for the attacker.
func knownKey(b *bench) finding {
	owner, a, err := b.two()
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	stolen := owner.client.passkeys[0]
	f := b.tryRegister(a, bend{claims: func(d *draft) {
		copied := *stolen
		d.passkey = &copied
		d.auth.Attested.ID, d.auth.Attested.PublicKey = stolen.id, stolen.public
	}})
	if f.verdict == Accepted {
		owner.spoilt, a.spoilt = true, true
	}
	return f
}

// responseAttacks are those on the JSON around a response (section 5.1).
func responseAttacks(k kind) []Attack {
	at := func(name, title string, s Severity, gains string, change func(m, inner map[string]any, d *draft)) Attack {
		return Attack{ID: string(k) + "." + name, Group: string(k) + ": response", Title: title, Section: "5.1", Severity: s, Gains: gains,
			run: through(k, bend{sent: func(d *draft) {
				inner, _ := d.response["response"].(map[string]any)
				change(d.response, inner, d)
			}})}
	}
	all := []Attack{
		at("credential-type", "the type is password, not public-key", Low, gainsForm, func(m, _ map[string]any, _ *draft) { m["type"] = "password" }),
		at("raw-id", "rawId is another id than id", Medium, "two readers of the response take it for two passkeys", func(m, _ map[string]any, _ *draft) { m["rawId"] = b64([]byte(claimed)) }),
		at("response.missing", "there is no response", Low, gainsForm, func(m, _ map[string]any, _ *draft) { delete(m, "response") }),
		at("response.array", "the response is an array", Low, gainsForm, func(m, _ map[string]any, _ *draft) { m["response"] = []any{m["response"]} }),
		at("response.client-data-missing", "there is no client data", High, gainsForm, func(_, inner map[string]any, _ *draft) { delete(inner, "clientDataJSON") }),
		at("response.client-data-object", "client data is a JSON object, not base64url", Medium, gainsForm, func(_, inner map[string]any, d *draft) {
			inner["clientDataJSON"] = map[string]any{"type": k.clientType(), "challenge": d.asked.Challenge, "origin": d.origin}
		}),
		at("response.not-base64", "client data is not base64url", Low, gainsForm, func(_, inner map[string]any, _ *draft) { inner["clientDataJSON"] = "!!!!" }),
	}
	padded := at("response.padding", "client data is in base64 with padding", Low, gainsForm, func(_, inner map[string]any, d *draft) {
		inner["clientDataJSON"] = base64.StdEncoding.EncodeToString(d.clientJSON)
	})
	padded.Tolerated = "how a response travels is the relying party's own affair; the bytes are the same"
	results := at("response.extension-results", "client extension results answer what was not asked", Low, gainsForm, func(m, _ map[string]any, _ *draft) {
		m["clientExtensionResults"] = map[string]any{"appid": true, "uvm": []any{[]any{2, 4, 2}}}
	})
	results.Section, results.Step = k.section(), 4
	results.Tolerated = "client extension results are the client's word: relying parties may ignore what they did not ask for"
	all = append(all, padded, results)
	if k == authenticating {
		return all
	}
	attested := at("raw-id.attested", "id and rawId are another id than that in authenticator data", Medium, "the passkey is stored under an id of the attacker's choice", func(m, _ map[string]any, _ *draft) {
		m["id"], m["rawId"] = b64([]byte(claimed)), b64([]byte(claimed))
	})
	attested.run = claimedID(attested.run)
	object := at("response.object-missing", "there is no attestation object", High, gainsForm, func(_, inner map[string]any, _ *draft) { delete(inner, "attestationObject") })
	lied := at("response.public-key", "publicKey and authenticatorData beside the attestation object say something else", High, "an attacker's key stands for the one that was attested", func(_, inner map[string]any, _ *draft) {
		inner["publicKey"], inner["publicKeyAlgorithm"], inner["authenticatorData"] = b64(make([]byte, 91)), -257, b64(make([]byte, 37))
	})
	lied.Tolerated = "publicKey, publicKeyAlgorithm and authenticatorData are for relying parties that do not read the attestation object; one that does has no need to look at them"
	return append(all, attested, object, lied)
}

// claimedID judges a registration whose response has another id than authenticator
// data: what counts is under which of the two the passkey is stored.
func claimedID(run func(*bench) finding) func(*bench) finding {
	return func(b *bench) finding {
		f := run(b)
		if f.verdict != Accepted || contains(b.added, []byte(claimed)) {
			return f
		}
		f.verdict = Tolerated
		f.why += "; it is stored under the id in authenticator data, which is the one that section 7.1 speaks of"
		return f
	}
}

// claimed is the id that no authenticator gave out.
const claimed = "another id, of 32 bytes of length"

// attestationAttacks are the forgeries of attestation/forged, each of them one
// attack, where the relying party asks for attestation.
func attestationAttacks() []Attack {
	var all []Attack
	for _, f := range forged.Catalogue() {
		all = append(all, attestationAttack(f))
	}
	return append(append(unverifiedAttacks(), all...), trustAttacks()...)
}

const attestationGroup = "registration: attestation"

func attestationAttack(f forged.Forgery) Attack {
	a := Attack{ID: "registration.attestation." + f.Name, Group: attestationGroup, Title: f.Wrong, Section: "7.1", Step: 22,
		Detail: strings.TrimPrefix(f.Section, "WebAuthn "), Severity: Medium, Gains: f.Loses}
	if section, step, ok := strings.Cut(a.Detail, " step "); ok {
		n, err := strconv.Atoi(step)
		if err == nil {
			a.Section, a.Step, a.Detail = section, n, ""
		}
	}
	switch {
	case strings.Contains(f.Section, "RFC 5280"):
		a.Section, a.Step, a.Detail = "7.1", 24, "RFC 5280 section 6.1"
	case f.Format == attestation.FormatNone:
		a.run = registration(bend{sealed: func(d *draft) { d.format, d.statement = f.Format, encode(map[string]any{"x5c": []any{}}) }})
	case f.Name == "unknown-format" || f.Name == "format-in-capitals":
		a.Step = 21
	case strings.HasSuffix(f.Name, "-extra-member"), strings.HasSuffix(f.Name, "-left-over"), strings.HasSuffix(f.Name, "-not-wrapped"), f.Name == "packed-no-basic-constraints":
		a.Severity = Low
	}
	a.Tolerated = allowed(f.Name)
	if a.run == nil {
		a.run = forge(f, a.Step)
	}
	return a
}

// allowed says why the standard allows to accept a forgery.
func allowed(name string) string {
	switch name {
	case "u2f-aaguid":
		return "section 8.6 does not have the AAGUID compared with zeros; the FIDO Alliance's conformance tool does"
	case "packed-chain-out-of-order":
		return "x5c should be in the order of the chain, but path validation (step 24) may find the path in whatever order its certificates come"
	}
	return ""
}

// attested returns the account that registers with attestation.
func (b *bench) attested() (*account, error) {
	a, err := b.account("attacker")
	if err != nil {
		return nil, err
	}
	asks := func(a *account) bool {
		for _, d := range []*draft{a.client.last} {
			if d != nil && d.kind == registering && d.asked.Attestation != "" && d.asked.Attestation != "none" {
				return true
			}
		}
		return false
	}
	if err := b.askFor(registering, a); err != nil {
		return nil, err
	}
	if asks(a) {
		return a, nil
	}
	a, err = b.policed("attested", rp.Policy{RequireAttestation: true})
	if err != nil {
		return nil, fmt.Errorf("the relying party does not ask for attestation, and there is no policy that would: %w", err)
	}
	if err := b.askFor(registering, a); err != nil {
		return nil, err
	}
	if !asks(a) {
		return nil, errors.New("the relying party does not ask for attestation")
	}
	return a, nil
}

// honestAttestation tells whether a genuine statement of a format is taken.
func (b *bench) honestAttestation(a *account, format string, noAAGUID bool) error {
	if err, tried := b.genuine[format]; tried {
		return err
	}
	err := b.withAttestation(a, format, noAAGUID, func() error { return b.honestRegistration(a) })
	b.genuine[format] = err
	return err
}

// withAttestation does something while an account's client attests in a format.
func (b *bench) withAttestation(a *account, format string, noAAGUID bool, do func() error) error {
	was, model := a.client.attest, a.client.aaguid
	defer func() { a.client.attest, a.client.aaguid = was, model }()
	a.client.attest = b.attestation(format)
	if noAAGUID {
		a.client.aaguid = [16]byte{}
	}
	return do()
}

// forge registers with a forged statement.
func forge(f forged.Forgery, step int) func(*bench) finding {
	return func(b *bench) finding {
		a, err := b.attested()
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		if err := b.honestAttestation(a, f.Format, f.Format == attestation.FormatU2F); err != nil {
			return found(NotApplicable, "not even a genuine %s statement is taken: %v", f.Format, err)
		}
		if !b.verifiesFormat(a, f.Format) {
			return found(NotApplicable, "statements of format %s are taken without being verified, so that no defect in one shows: see registration.attestation.unverified", f.Format)
		}
		if step == 21 && !b.assessesTrust(a) {
			tolerated := "the relying party takes attestation by whatever authority: what it does not understand is worth as much to it as no attestation"
			f := b.tryForged(a, f)
			if f.verdict == Accepted {
				f.verdict, f.why = Tolerated, f.why+"; "+tolerated
			}
			return f
		}
		if step == 24 && !b.assessesTrust(a) {
			return found(NotApplicable, "the relying party takes attestation by whatever authority: trust is for its policy (step 24), and it assesses none")
		}
		return b.tryForged(a, f)
	}
}

// tryForged registers with a forged statement and judges what came of it.
func (b *bench) tryForged(a *account, f forged.Forgery) finding {
	was, model := a.client.attest, a.client.aaguid
	a.client.attest = f.Attestation(b.options.Authority, b.keys)
	if f.NoAAGUID {
		a.client.aaguid = [16]byte{}
	}
	return b.tryRegisterWith(a, func() { a.client.attest, a.client.aaguid = was, model })
}

// assessesTrust tells whether a genuine statement by an authority that nobody knows is
// refused.
func (b *bench) assessesTrust(a *account) bool {
	if b.trust != nil {
		return *b.trust
	}
	stranger, err := attestation.NewAuthority("Unknown Root", b.options.Rand, b.options.Now().Add(-time.Hour))
	if err != nil {
		return false
	}
	was := a.client.attest
	a.client.attest = forged.Genuine(attestation.FormatPacked, stranger, b.keys)
	f := b.tryRegisterWith(a, func() { a.client.attest = was })
	refused := f.verdict == Refused
	b.trust = &refused
	return refused
}

// tryRegisterWith registers with the client as it is, and then, before the honest
// ceremony, restores it.
func (b *bench) tryRegisterWith(a *account, restore func()) finding {
	before, _ := b.list(a)
	_, err := b.register(a, bend{})
	sent := a.client.last
	restore()
	if f, over := early(a.client, err); over {
		return f
	}
	f := b.judgeRegistration(a, before, sent, err).with(sent)
	a.client.forget(sent.passkey)
	if f.verdict == Accepted {
		b.takeBack(a, before)
		return f
	}
	return b.afterwards(a, f, b.honestRegistration)
}

// trustAttacks are attestations without a defect that no trusted authority stands
// behind, where the relying party asks for one.
func trustAttacks() []Attack {
	at := func(name, title string, change func(b *bench, a *account)) Attack {
		return Attack{ID: "registration.attestation.trust-" + name, Group: attestationGroup, Title: title, Section: "7.1", Step: 24,
			Severity: Medium, Gains: "a policy that only wants certain models is got round by software",
			run: func(b *bench) finding {
				a, err := b.policed("attested", rp.Policy{RequireAttestation: true})
				if err != nil {
					return found(NotApplicable, "the relying party has no policy that requires a trusted authority: %v", err)
				}
				was, model := a.client.attest, a.client.aaguid
				change(b, a)
				return b.tryRegisterWith(a, func() { a.client.attest, a.client.aaguid = was, model })
			}}
	}
	return []Attack{
		at("none", "there is no attestation, where a trusted authority's is required", func(_ *bench, a *account) { a.client.attest = nil }),
		at("self", "the passkey attests to itself, where a trusted authority's attestation is required", func(b *bench, a *account) {
			a.client.attest = attestation.SelfAttestation{Keys: b.keys}
		}),
		at("another", "an authority that nobody knows attests, where a trusted one is required", func(b *bench, a *account) {
			stranger, err := attestation.NewAuthority("Unknown Root", b.options.Rand, b.options.Now())
			if err == nil {
				a.client.attest = forged.Genuine("packed", stranger, b.keys)
			}
		}),
	}
}
