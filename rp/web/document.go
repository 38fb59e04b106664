package web

import (
	"fido-emu/grammar"
)

// Document lists what a description may hold, beside the sections of other packages.
func Document() []grammar.Member {
	members := []grammar.Member{
		{Name: "name", Required: true, Text: "What the site is called in reports."},
		{Name: "server", Kind: grammar.Word, Allowed: []string{"reference"}, Text: "A relying party that the harness starts itself on loopback, afresh for every scenario, unless the setting address is given: reference is the one that harness rp serve runs."},
		{Name: "settings", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Object, Members: settingMembers}, Text: "What differs from place to place, by names of your own; ${name} puts one in."},
		{Name: "bases", Kind: grammar.Named, Required: true, Each: &grammar.Member{Kind: grammar.Text}, Text: "The addresses of the site, by names of your own. No request goes anywhere else. The first is meant where a request names none."},
		{Name: "origin", Text: "Origin of the page where the ceremonies happen; that of the first base when left out."},
		{Name: "rp-id", Text: "RP ID of the site; the host of the origin when left out."},
		{Name: "user-name", Text: "User name of a person of a scenario: ${person} is the name there and ${run} differs from run to run. ${person}.${run}@ and the RP ID when left out."},
		{Name: "headers", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Text}, Text: "Headers of every request. Origin is the ceremony origin unless it is given here."},
		{Name: "secure-cookies-to-loopback", Kind: grammar.YesNo, Text: "Whether cookies that are Secure go to loopback over plain HTTP too, as browsers do for localhost."},
		{Name: "limits", Kind: grammar.Object, Members: limitMembers, Text: "What nothing may go beyond."},
		{Name: "refused", Kind: grammar.Object, Members: refusedMembers, Text: "How the site says no, where a request does not say so itself."},
		{Name: "codes", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Text}, Text: "What the site's reasons for a no are called in scenarios, such as PASSKEY_NOT_FOUND: unknown-credential. The name is the site's code, or part of its reason; a site without codes has status-400 and the like."},
		{Name: "repeat", Kind: grammar.Object, Members: repeatMembers, Text: "When requests are made again that do not say so themselves: for sites that ask to be asked more slowly."},
		{Name: "capabilities", Kind: grammar.Object, Members: capabilityMembers, Text: "What the site can do. Scenarios that need more are skipped, with the reason."},
		{Name: "inbox", Kind: grammar.Object, Members: inboxMembers, Text: "Where the site's mail arrives, on loopback."},
	}
	for _, k := range sectionKinds() {
		members = append(members, grammar.Member{Name: k.name, Kind: grammar.Object, Text: k.text, Members: k.members})
	}
	return members
}

func settingMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "env", Text: "Environment variable that holds it."},
		{Name: "default", Text: "What it is when the variable is not set. Without one it must be set."},
		{Name: "secret", Kind: grammar.YesNo, Text: "Whether it is never shown."},
		{Name: "text", Text: "What it is, for people."},
	}
}

func limitMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "body", Kind: grammar.Number, Text: "KiB of an answer; 4096 when left out."},
		{Name: "time", Kind: grammar.Duration, Text: "Time of a request; 30s when left out."},
		{Name: "redirects", Kind: grammar.Number, Text: "Redirects of a request; 5 when left out."},
		{Name: "steps", Kind: grammar.Number, Text: "Steps that a section takes, those done again counted again; 100 when left out."},
	}
}

func capabilityMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "usernameless", Kind: grammar.YesNo, Text: "Whether people can sign in without saying who they are."},
		{Name: "sign-up", Kind: grammar.YesNo, Text: "Whether people make their accounts themselves, by registering; yes when left out. Where they do not, add-person makes them."},
		{Name: "single-user", Kind: grammar.YesNo, Text: "Whether it has one account only."},
		{Name: "serial", Kind: grammar.YesNo, Text: "Whether it bears one thing at a time only."},
		{Name: "stable-user-handle", Kind: grammar.YesNo, Text: "Whether an account keeps its user handle (user.id) from one registration to the next."},
		{Name: "trusts-test-attestation", Kind: grammar.YesNo, Text: "Whether it trusts the attestation of emulated keys."},
	}
}

func inboxMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "smtp", Text: "Address to take mail at over SMTP, such as 127.0.0.1:2525."},
		{Name: "http", Text: "Address to take mail at over HTTP: POST /messages {to, subject, text, html}."},
	}
}

// sectionKind is one thing that a description may tell how to do.
type sectionKind struct {
	name, text string
	as         string // who does it where a step does not say
	proof      bool   // success must be proved, or said to be unproved
	more       []grammar.Member
}

func (k sectionKind) members() []grammar.Member {
	proof := "Steps that show that it really happened; should they fail, the site contradicts itself."
	all := []grammar.Member{
		{Name: "steps", Kind: grammar.Variants, List: true, Required: true, Members: stepMembers, Text: "What is done, in order."},
		{Name: "proof", Kind: grammar.Variants, List: true, Members: stepMembers, Text: proof},
		{Name: "unproved", Text: "Why nothing can show that it happened. It is said in every result."},
	}
	return append(all, k.more...)
}

func sectionKinds() []sectionKind {
	session := grammar.Member{Name: "session", Kind: grammar.Object, Members: sessionMembers, Text: "What the site says of the session."}
	records := []grammar.Member{
		{Name: "each", Required: true, Text: "The list, such as ${body/credentials}."},
		{Name: "record", Kind: grammar.Object, Required: true, Members: credentialMembers, Text: "What the list says of a passkey, which is ${item}. What is left out is not known, and no scenario may ask for it."},
	}
	return []sectionKind{
		{"register", "A person adds a passkey; somebody without an account makes one.", person, true, []grammar.Member{{Name: "credential", Kind: grammar.Object, Members: credentialMembers, Text: "What the site says of the new passkey; what is left out is read from the authenticator's response."}}},
		{"sign-in", "A person signs in with a passkey, in a browser without cookies.", person, true, []grammar.Member{session}},
		{"sign-out", "A person signs out.", person, false, nil},
		{"signed-in", "Whether a person's session stands: a refusal says no.", person, false, nil},
		{"credentials", "A person lists their passkeys.", person, false, records},
		{"rename", "A person renames the passkey ${id} to ${name}.", person, false, nil},
		{"delete", "A person deletes the passkey ${id}.", person, false, nil},
		{"add-person", "An administrator makes an account.", admin, false, nil},
		{"expect-person", "An administrator says to which ${person.groups} somebody will belong who makes an account on the pages; for descriptions with a section browser.", admin, false, nil},
		{"issue-pass", "A person gets a secret to come back in with: a Temporary Access Pass from an administrator, or a link or code by mail.", admin, false, []grammar.Member{
			{Name: "pass", Required: true, Text: "The pass, such as ${code}."},
			{Name: "once", Kind: grammar.Word, Allowed: []string{"always", "never", "as-asked"}, Text: "Whether it is good for one use only. As asked when left out: ${once} says which."},
		}},
		{"revoke-sessions", "An administrator ends all sessions of a person.", admin, false, nil},
		{"revoke-credentials", "An administrator removes the passkeys ${ids} of a person, all when that is empty.", admin, false, nil},
		{"person-credentials", "An administrator lists the passkeys of a person.", admin, false, records},
		{"policy", "An administrator sets the ${policy} of ${group}.", admin, false, nil},
		{"recover", "Somebody comes back in with ${pass}, on a new device, whose cookies are the person's from then on.", device, true, []grammar.Member{session}},
	}
}

// The actors, each with cookies of its own.
const (
	person = "person"
	admin  = "admin"
	device = "device"
)

func credentialMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "id", Text: "Its credential ID, in base64url or base64."},
		{Name: "name", Text: "What its owner calls it."},
		{Name: "aaguid", Text: "AAGUID, with or without dashes."},
		{Name: "algorithm", Text: "COSE algorithm, such as ES256 or -7."},
		{Name: "attestation", Text: "Attestation statement format."},
		{Name: "trusted", Text: "Whether the site trusts its attestation."},
		{Name: "type", Text: "deviceBound or synced."},
		{Name: "backup-eligible", Text: "BE, true or false."},
		{Name: "backed-up", Text: "BS, true or false."},
		{Name: "sign-count", Text: "Signature counter."},
		{Name: "created", Text: "When it was made, by RFC 3339."},
		{Name: "last-used", Text: "When it was last used, by RFC 3339."},
	}
}

func sessionMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "person", Text: "User name of whoever is signed in; the one that was given when left out."},
		{Name: "method", Text: "How; passkey when left out."},
		{Name: "credential", Text: "ID of the passkey, in base64url or base64; the one that was used when left out."},
		{Name: "warnings", Text: "A list of what the site noticed."},
	}
}

func stepMembers() []grammar.Member {
	extraction := &grammar.Member{Kind: grammar.Object, Short: true, Members: extractionMembers}
	return []grammar.Member{
		{Name: "request", Verb: true, Text: "A request: POST /path, or POST base:/path, or GET ${link}."},
		{Name: "create", Verb: true, Kind: grammar.Object, Bare: true, Members: ceremonyMembers, Text: "navigator.credentials.create with the options of the latest answer."},
		{Name: "get", Verb: true, Kind: grammar.Object, Bare: true, Members: ceremonyMembers, Text: "navigator.credentials.get, likewise."},
		{Name: "mail", Verb: true, Kind: grammar.Object, Members: mailMembers, Text: "Waits for a message, which counts once."},
		{Name: "set", Verb: true, Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Any}, Text: "Gives variables their values."},
		{Name: "refuse", Verb: true, Text: "Ends the section as refused, with this reason."},
		{Name: "unsupported", Verb: true, Text: "Ends the section, and the scenario as skipped, with this reason."},
		{Name: "goto", Alone: true, Text: "The label to go on at once the step is done."},
		{Name: "label", Text: "A name for goto."},
		{Name: "when", Text: "The step is left out unless this holds: ${x}, not ${x}, ${x} == text, ${x} != text."},
		{Name: "as", Kind: grammar.Word, Allowed: []string{person, admin, device}, Text: "Whose cookies go along."},
		{Name: "headers", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Text}, Text: "Headers of this request."},
		{Name: "query", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Text, List: true}, Text: "Members of the query."},
		{Name: "json", Kind: grammar.Any, Text: "The body, as JSON. ${response} is the authenticator's."},
		{Name: "form", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Text}, Text: "The body, as a form. ${response|tojson} is the authenticator's response."},
		{Name: "text", Text: "The body, as it is."},
		{Name: "follow", Kind: grammar.YesNo, Text: "Whether redirects are followed, within the bases; yes when left out."},
		{Name: "expect", Kind: grammar.Object, Members: expectMembers, Text: "What the answer must be; a status from 200 to 299 when left out."},
		{Name: "refused", Kind: grammar.Object, Members: refusedMembers, Text: "What answer is a no: here, before the description's own."},
		{Name: "take", Kind: grammar.Named, Each: extraction, Text: "Variables taken from the answer, for this section. A scalar is a JSON pointer."},
		{Name: "keep", Kind: grammar.Named, Each: extraction, Text: "Variables taken from the answer and kept with the actor's cookies, such as a bearer token."},
		{Name: "codes", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Text}, Text: "What the site's reasons for a no are called in scenarios, such as PASSKEY_NOT_FOUND: unknown-credential. The name is the site's code, or part of its reason; a site without codes has status-400 and the like."},
		{Name: "repeat", Kind: grammar.Object, Members: repeatMembers, Text: "The request is made again as long as something holds."},
		{Name: "note", Text: "Why the step is there; shown by harness rp check."},
	}
}

func ceremonyMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "options", Kind: grammar.Object, Short: true, Members: extractionMembers, Text: "Where the options are; the whole answer when left out. A scalar is a JSON pointer."},
		{Name: "unwrap", List: true, Text: "Members that the options may be wrapped in, each taken off where it is, such as publicKey."},
		{Name: "defaults", Kind: grammar.Any, Text: "Members of the options where the site gives none: what its page script adds."},
		{Name: "set", Kind: grammar.Any, Text: "Members of the options whatever the site gives."},
		{Name: "tolerant-base64", Kind: grammar.YesNo, Text: "Whether bytes may be in any base64, padded or not."},
		{Name: "save", Text: "Variable for the response; response when left out."},
	}
}

func mailMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "to", Required: true, Text: "Recipient, such as ${person.name}."},
		{Name: "pattern", Kind: grammar.Pattern, Required: true, Text: "What its subject or text must hold; its first group is what is wanted."},
		{Name: "save", Required: true, Text: "Variable for what was found."},
		{Name: "within", Kind: grammar.Duration, Text: "How long to wait; 10s when left out."},
	}
}

func expectMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "status", Kind: grammar.Number, List: true, Text: "HTTP statuses."},
		{Name: "json", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Any}, Text: "JSON pointers and what is there; nothing behind one stands for whatever it is."},
		{Name: "not", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Any}, Text: "JSON pointers and what is not there; nothing behind one means that it is absent."},
		{Name: "text", Kind: grammar.Pattern, Text: "What the body must hold."},
		{Name: "that", List: true, Text: "Conditions as in when, over what was taken too."},
	}
}

func refusedMembers() []grammar.Member {
	extraction := func(name, text string) grammar.Member {
		return grammar.Member{Name: name, Kind: grammar.Object, Short: true, Members: extractionMembers, Text: text}
	}
	return []grammar.Member{
		{Name: "status", Kind: grammar.Number, List: true, Text: "HTTP statuses of a no; 400 to 499 when nothing is said of status, json or text."},
		{Name: "json", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Any}, Text: "JSON pointers and what is there in a no, whatever the status is."},
		{Name: "text", Kind: grammar.Pattern, Text: "What the body of a no holds, whatever the status is."},
		extraction("code", "Where the no has a short reason for programs; status-400 and the like when left out."),
		extraction("reason", "Where it has one for people."),
	}
}

func repeatMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "times", Kind: grammar.Number, Required: true, Text: "How often at most; 50 is the most."},
		{Name: "while", Required: true, Text: "The condition, such as ${status} == 429."},
		{Name: "pause", Kind: grammar.Duration, Text: "Time between; Retry-After of the answer counts where it asks for more."},
	}
}

func extractionMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "from", Text: "A variable to look in, such as ${page}; the latest answer when left out."},
		{Name: "json", Text: "JSON pointer (RFC 6901)."},
		{Name: "where", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Any}, Text: "Takes from a list the first item for which these JSON pointers have these values."},
		{Name: "where-not", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Any}, Text: "Takes from a list the first item for which they have not."},
		{Name: "all", Kind: grammar.YesNo, Text: "All such items, or with html all such elements, as a list."},
		{Name: "then", Text: "JSON pointer into what was found, or into each."},
		{Name: "header", Text: "A header of the answer."},
		{Name: "cookie", Text: "A cookie that the actor has after the answer."},
		{Name: "pattern", Kind: grammar.Pattern, Text: "Regular expression (RE2); its first group is taken."},
		{Name: "query", Text: "A member of the query of the address: of Location where the answer redirects."},
		{Name: "html", Text: "CSS selector of an element; its text is taken, or its attribute."},
		{Name: "attribute", Text: "Attribute of the element."},
		{Name: "filters", Kind: grammar.Word, List: true, Allowed: filterNames(), Text: "What is done to it, in order."},
		{Name: "optional", Kind: grammar.YesNo, Text: "Whether it may be missing: then it is empty."},
		{Name: "secret", Kind: grammar.YesNo, Text: "Whether it is never shown."},
	}
}
