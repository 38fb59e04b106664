package language

import (
	"fido-emu/ctap/cose"
	"fido-emu/hid"
)

// Document lists what a scenario file may hold.
func Document() []Member {
	return []Member{
		{Name: "title", Kind: Text, Required: true, Text: "What the scenario shows, in one line."},
		{Name: "purpose", Kind: Text, Text: "Why it matters, for whoever reads the report."},
		{Name: "labels", Kind: Label, List: true, Text: "Words to select scenarios by, as in run --filter 'loss && !sync'. Any will do; harness explain labels lists those of the library."},
		{Name: "covers", Kind: CoverRow, List: true, Text: "Rows of the coverage table that the scenario shows; harness list --coverage prints the table."},
		{Name: "focus", Kind: YesNo, Default: "no", Text: "Run only the scenarios that say so; for while one is being written."},
		{Name: "skip", Kind: Text, Text: "Why the scenario is not run now; it is reported as skipped, with this reason."},
		{Name: "relying-party", Kind: Mapping, Members: relyingPartyMembers(), Text: "The site that people register at and sign in to."},
		{Name: "people", Kind: Named, Members: personMembers(), Text: "Who takes part."},
		{Name: "accounts", Kind: Named, Members: accountMembers(), Text: "Sync accounts, which keep passkeys and bring them to every device that joined."},
		{Name: "devices", Kind: Named, Members: deviceMembers(), Text: "What people hold in their hands or have on their desks."},
		{Name: "limits", Kind: Mapping, Members: limitMembers(), Text: "What times and counts may be at most, of devices behind a wire (run --via, --device, --bench)."},
		{Name: "matrix", Kind: Values, Text: "Names with lists of values. The scenario runs once for each combination, with ${name} standing for the value."},
		{Name: "steps", Kind: Steps, Required: true, Text: "What happens, in order. A step begins with its verb."},
	}
}

func relyingPartyMembers() []Member {
	return []Member{
		{Name: "id", Kind: Text, Default: "example.com", Text: "RP ID: the domain that passkeys are bound to."},
		{Name: "origin", Kind: Origin, Default: "https:// and the id", Text: "Where its pages are."},
		{Name: "name", Kind: Text, Default: "Example", Text: "What it calls itself."},
		{Name: "related-origins", Kind: Origin, List: true, Default: "none", Text: "Further sites of the same owner that may use its passkeys, as its /.well-known/webauthn tells browsers."},
		{Name: "embedded-by", Kind: Origin, List: true, Default: "none", Text: "Foreign sites that may show its pages in a frame and have people sign in there."},
		{Name: "sign-up", Kind: Word, Allowed: []string{"open", "closed"}, Default: "open", Text: "Whether people without an account may make one."},
		{Name: "policies", Kind: Named, Members: PolicyMembers(), Text: "For each group, which passkeys it may register and use."},
		{Name: "recovery", Kind: Mapping, Members: recoveryMembers(), Default: "off", Text: "Who may come back by proving who they are, and how."},
		{Name: "passkey-profiles", Kind: Named, Members: ProfileMembers(), Text: "At most three named sets of rules for passkeys, each for some groups. A group has profiles or a policy, not both."},
		{Name: "metadata", Kind: Profile, List: true, Text: "Models that the metadata BLOB tells of. With it, the relying party trusts the attestation of these models and of no others."},
		{Name: "register-within", Kind: Duration, Default: "no limit", Text: "How long after a sign-in its session may register a passkey."},
	}
}

// PolicyMembers lists what a passkey policy may say.
func PolicyMembers() []Member {
	return []Member{
		{Name: "types", Kind: Word, List: true, Allowed: []string{"device-bound", "synced"}, Default: "both", Text: "Which types of passkey are allowed."},
		{Name: "algorithms", Kind: Word, List: true, Allowed: algorithms(), Default: "ES256, EdDSA, ES384 and RS256 are offered, all allowed", Text: "Which algorithms registration offers, the preferred one first; no others are allowed."},
		{Name: "require-attestation", Kind: YesNo, Default: "no", Text: "Whether registration needs attestation by an authority that the relying party trusts."},
		{Name: "allowed-models", Kind: Model, List: true, Default: "all", Text: "AAGUIDs or profile names of the models that are allowed."},
		{Name: "blocked-models", Kind: Model, List: true, Text: "AAGUIDs or profile names of the models that are not."},
		{Name: "user-verification", Kind: Word, Allowed: []string{"required", "preferred", "discouraged"}, Default: "preferred", Text: "Whether the authenticator has to verify its user."},
		{Name: "reject-counter-rewind", Kind: YesNo, Default: "no", Text: "Whether a signature counter that went back refuses the sign-in, as a sign of a cloned key."},
	}
}

// algorithms lists the algorithms that a passkey may have.
func algorithms() []string {
	var names []string
	for _, a := range cose.Algorithms() {
		names = append(names, a.String())
	}
	return names
}

func personMembers() []Member {
	return []Member{
		{Name: "user-name", Kind: Text, Default: "the name with @ and the RP ID behind it", Text: "What the person types to sign in."},
		{Name: "display-name", Kind: Text, Default: "the name", Text: "What the relying party shows."},
		{Name: "groups", Kind: Label, List: true, Text: "Groups that policies speak of."},
		{Name: "identity", Kind: Mapping, Members: identityMembers(), Text: "Who the person is outside of the scenario, for account recovery."},
	}
}

func accountMembers() []Member {
	return []Member{
		{Name: "provider", Kind: Provider, Text: "The provider whose behaviour the account has; harness keychain providers lists them."},
		{Name: "behaviour", Kind: Text, Text: "A file that says how the account's provider behaves, in place of what is built in; its path begins at the scenario's folder. docs/keychain.md tells how to write one."},
		{Name: "owner", Kind: PersonName, Text: "Whose account it is."},
	}
}

func deviceMembers() []Member {
	return []Member{
		{Name: "profile", Kind: Profile, Required: true, Text: "What kind of device it is; harness explain profiles lists them."},
		{Name: "owner", Kind: PersonName, Text: "Whose it is. It may be left out where only one person takes part."},
		{Name: "account", Kind: AccountRef, Text: "The sync account that it belongs to from the start. The first device of an account founds it."},
		{Name: "pin", Kind: Secret, Text: "The PIN that is set on it at the start and that its owner knows."},
		{Name: "passcode", Kind: Secret, Text: "The passcode that unlocks it, and its escrow record where its account has one."},
		{Name: "touch", Kind: Word, Allowed: Touches(), Default: "yes", Text: "How its holder answers when it asks for a touch."},
		{Name: "tags", Kind: Label, List: true, Text: "Words that the slot of a bench must have in which it is to be; elsewhere they mean nothing."},
		{Name: "quirks", Kind: Label, List: true, Text: "Ways in which it breaks its specification; fido-emu profiles --quirks lists them."},
		{Name: "faults", Kind: Named, Members: FaultMembers(), Text: "What goes wrong on its wire, counted from the first step until it is unplugged. It needs a wire: run --via pipe, or another way."},
	}
}

// FaultMembers lists what may be said of a fault on the wire. A report is what CTAPHID
// sends at a time, 64 bytes; a message is one or several.
func FaultMembers() []Member {
	return []Member{
		{Name: "kind", Kind: Word, Required: true, Allowed: faultKinds(), Text: "What happens to the report: it is lost, comes twice, after the next one or late, is changed in one byte, or names the wrong channel or sequence number; keepalives stop or never end; or the device is unplugged in that moment."},
		{Name: "direction", Kind: Word, Allowed: []string{string(hid.ToHost), string(hid.ToDevice)}, Default: string(hid.ToHost), Text: "The way of the report that is hit."},
		{Name: "command", Kind: Word, Allowed: faultCommands(), Default: "all", Text: "Only reports of messages of this command count."},
		{Name: "report", Kind: Number, Default: "1", Text: "Which report is hit, counted from 1."},
		{Name: "count", Kind: Number, Default: "1", Text: "How many in a row are hit."},
		{Name: "for-ever", Kind: YesNo, Default: "no", Text: "Whether all are hit from there on."},
		{Name: "delay", Kind: Duration, Text: "How late it comes, in real time; for kind delay."},
		{Name: "offset", Kind: Number, Default: "0", Text: "Which byte is changed; for kind corrupt."},
	}
}

// Touches lists how the holder of a device may answer when it asks for a touch.
func Touches() []string { return []string{"yes", "no", "never", "wrong-finger"} }
