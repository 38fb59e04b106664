package browser

import (
	"fido-emu/grammar"
	"fido-emu/rp/web"
)

// Section is the name of the section of a description that this package understands.
const Section = "browser"

// Foreign returns the section browser, for package web.
func Foreign() web.Foreign {
	return web.Foreign{Member: grammar.Member{Name: Section, Kind: grammar.Object, Members: members, Text: "What people do on the pages of the site, in Chromium."}}
}

func members() []grammar.Member {
	all := []grammar.Member{
		{Name: "shim", Kind: grammar.YesNo, Text: "Whether navigator.credentials is answered by the harness's authenticators; yes when left out. Without, Chromium uses those that it finds itself."},
		{Name: "platform-authenticator", Kind: grammar.YesNo, Text: "Whether pages are told that there is a platform authenticator that verifies its user; yes when left out."},
		{Name: "hosts", List: true, Text: "Further hosts that pages may load from, beside those of bases and origin."},
		{Name: "within", Kind: grammar.Duration, Text: "How long a step may take; 20s when left out."},
		{Name: "refused", Kind: grammar.Object, Short: true, Members: refusedMembers, Text: "What the page shows when it says no; its text is the reason. A scalar is a CSS selector."},
	}
	for _, k := range kinds() {
		all = append(all, grammar.Member{Name: k.name, Kind: grammar.Object, Text: k.text, Members: k.members})
	}
	return all
}

// kind is one thing that people do.
type kind struct {
	name, text string
	more       []grammar.Member
}

func kinds() []kind {
	session := grammar.Member{Name: "session", Kind: grammar.Object, Members: sessionMembers, Text: "What the pages say of the session."}
	warnings := grammar.Member{Name: "warnings", Text: "CSS selector of what the page says of the sign-in that is worth noticing, such as a counter that went back."}
	return []kind{
		{"register", "A person adds a passkey; somebody without an account makes one. The last step must show that it was done.", []grammar.Member{
			{Name: "credential", Kind: grammar.Object, Members: recordMembers, Text: "What the pages say of the new passkey; what is left out is read from the authenticator's response. Without the shim it needs id."},
		}},
		{"sign-in", "A person signs in, in a browser without cookies. The last step must show that it was done.", []grammar.Member{session, warnings}},
		{"sign-out", "A person signs out.", nil},
		{"signed-in", "Whether a person's session stands.", []grammar.Member{
			required(where("shows", "What the page shows to somebody who is signed in.")), required(where("else", "What it shows to others.")),
		}},
		{"credentials", "A person lists their passkeys.", []grammar.Member{
			{Name: "each", Required: true, Text: "CSS selector of the passkeys."},
			{Name: "record", Kind: grammar.Named, Required: true, Each: &grammar.Member{Kind: grammar.Object, Short: true, Members: partMembers}, Text: "What the page says of each, by the names that credentials has over HTTP. A scalar is a CSS selector within it."},
		}},
		{"rename", "A person renames the passkey ${id} to ${name}.", nil},
		{"delete", "A person deletes the passkey ${id}.", nil},
		{"recover", "Somebody comes back in with ${pass}, in a browser without cookies.", []grammar.Member{session}},
	}
}

func (k kind) members() []grammar.Member {
	return append([]grammar.Member{
		{Name: "steps", Kind: grammar.Variants, List: true, Required: true, Members: stepMembers, Text: "What is done, in order."},
	}, k.more...)
}

func where(name, text string) grammar.Member {
	return grammar.Member{Name: name, Kind: grammar.Object, Short: true, Members: whereMembers, Text: text + " A scalar is a CSS selector."}
}

func required(m grammar.Member) grammar.Member {
	m.Required = true
	return m
}

func whereMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "css", Text: "CSS selector."},
		{Name: "text", Text: "Visible text, label or placeholder."},
		{Name: "frame", List: true, Text: "CSS selector of the frame that it is in; several for frames in frames."},
	}
}

func refusedMembers() []grammar.Member {
	return append(whereMembers(), grammar.Member{Name: "codes", Kind: grammar.Named, Each: &grammar.Member{Kind: grammar.Pattern}, Text: "Short reasons for programs, each with what the text holds; refused where none fits."})
}

func stepMembers() []grammar.Member {
	verb := func(m grammar.Member) grammar.Member {
		m.Verb = true
		return m
	}
	return []grammar.Member{
		{Name: "open", Verb: true, Text: "Goes to a page: /path, or base:/path."},
		verb(where("fill", "Puts the text of with into a field.")),
		verb(where("click", "Clicks on something.")),
		verb(where("wait", "Waits until something is there.")),
		verb(where("gone", "Waits until something is not there.")),
		verb(where("read", "Reads a text, or an attribute, into the variable of as.")),
		verb(where("autofill", "Focuses a field and takes the passkey that the page offers there by conditional mediation.")),
		{Name: "dialog", Verb: true, Kind: grammar.Pattern, Text: "Waits for a dialog of the page (alert, confirm or prompt) that says this and agrees to it; a prompt is given the text of with."},
		{Name: "expect", Verb: true, Kind: grammar.Object, Members: expectMembers, Text: "What the page must be."},
		{Name: "screenshot", Verb: true, Text: "Takes a picture under this name."},
		{Name: "with", Text: "What is filled in, or given to a prompt."},
		{Name: "as", Text: "Variable that is read into."},
		{Name: "attribute", Text: "Attribute that is read."},
		{Name: "default", Text: "What is read where there is no such attribute; that is an error when left out."},
		{Name: "when", Text: "The step is left out unless this holds: ${x}, not ${x}, ${x} == text, ${x} != text."},
		{Name: "within", Kind: grammar.Duration, Text: "How long the step may take."},
		{Name: "note", Text: "Why the step is there."},
	}
}

func expectMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "url", Kind: grammar.Pattern, Text: "What the page's address holds."},
		{Name: "title", Kind: grammar.Pattern, Text: "What its title holds."},
		{Name: "text", Kind: grammar.Pattern, Text: "What its visible text holds."},
	}
}

func sessionMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "person", Text: "User name of whoever is signed in; the one that was given when left out."},
		{Name: "method", Text: "How; passkey or recovery when left out."},
	}
}

func recordMembers() (all []grammar.Member) {
	for _, name := range web.CredentialMembers() {
		all = append(all, grammar.Member{Name: name})
	}
	return all
}

func partMembers() []grammar.Member {
	return []grammar.Member{
		{Name: "css", Text: "CSS selector within the passkey; the passkey's own element when left out."},
		{Name: "attribute", Text: "Attribute; the visible text when left out."},
		{Name: "pattern", Kind: grammar.Pattern, Text: "What is taken of it: the first group, or whether it fits where there is none, as true or false."},
	}
}
