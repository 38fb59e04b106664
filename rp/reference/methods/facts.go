package methods

import (
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
)

// Factor is what somebody proves with a method.
type Factor string

// The factors. A method of both is multifactor by itself.
const (
	Knowledge  Factor = "knowledge"  // something that one knows, and can be made to tell
	Possession Factor = "possession" // something that one has, or a thief
	Both       Factor = "both"
)

// Facts are what is known of a kind of method.
type Facts struct {
	Kind      string // such as rp.SMS
	Title     string // for people
	Factor    Factor
	Phishable bool     // a page of somebody else can have it, or use what it answers
	Strength  int      // only the order counts
	Uses      []string // rp.Primary, rp.Secondary, rp.Reset
	Addressed bool     // it is sent somewhere
	Digits    int      // of its code or number; 0 for none
	Lifetime  time.Duration
	Tries     int           // wrong answers before the method is locked, of whomever
	Lock      time.Duration // for how long
	Acts      []Act         // what it costs its user
}

// Table returns the facts of every kind, weakest first.
func Table() []Facts {
	half, signIn, all := 30*time.Minute, []string{rp.Primary, rp.Secondary}, []string{rp.Primary, rp.Secondary, rp.Reset}
	code := func(wait time.Duration) []Act { return acts(read(wait), think(), keys(6), tap()) }
	return []Facts{
		{Kind: rp.SecurityQuestions, Title: "Security questions", Factor: Knowledge, Phishable: true, Strength: 10, Uses: []string{rp.Reset}, Tries: 5, Lock: half, Acts: acts(think(), keys(8), think(), keys(8), think(), keys(8), tap())},
		{Kind: rp.Password, Title: "Password", Factor: Knowledge, Phishable: true, Strength: 20, Uses: []string{rp.Primary}, Tries: 10, Lock: time.Minute, Acts: acts(think(), keys(12), tap())},
		{Kind: rp.Email, Title: "Code by e-mail", Factor: Possession, Phishable: true, Strength: 30, Uses: []string{rp.Reset}, Addressed: true, Digits: 6, Lifetime: half, Tries: 10, Lock: half, Acts: code(15 * time.Second)},
		{Kind: rp.Voice, Title: "Phone call", Factor: Possession, Phishable: true, Strength: 40, Uses: []string{rp.Secondary, rp.Reset}, Addressed: true, Digits: 6, Lifetime: 3 * time.Minute, Tries: 10, Lock: half, Acts: code(20 * time.Second)},
		{Kind: rp.SMS, Title: "Text message", Factor: Possession, Phishable: true, Strength: 50, Uses: all, Addressed: true, Digits: 6, Lifetime: 3 * time.Minute, Tries: 10, Lock: half, Acts: code(8 * time.Second)},
		{Kind: rp.Push, Title: "Request in the app", Factor: Possession, Phishable: true, Strength: 60, Uses: []string{rp.Secondary, rp.Reset}, Addressed: true, Digits: 2, Lifetime: time.Minute, Tries: 3, Lock: half, Acts: acts(read(4*time.Second), think(), keys(2), tap(), tap())},
		{Kind: rp.AccessPass, Title: "Temporary Access Pass", Factor: Both, Phishable: true, Strength: 70, Uses: signIn, Acts: acts(think(), keys(12), tap())},
		passkey(rp.PasskeySynced, "Synced passkey", 80),
		passkey(rp.PasskeyWindowsHello, "Windows Hello", 90),
		passkey(rp.PasskeyAuthenticator, "Passkey in Microsoft Authenticator", 91),
		passkey(rp.PasskeyDeviceBound, "Device-bound passkey", 92),
	}
}

func passkey(kind, title string, strength int) Facts {
	return Facts{Kind: kind, Title: title, Factor: Both, Strength: strength, Uses: []string{rp.Primary, rp.Secondary}, Acts: acts(think(), tap())}
}

// About returns the facts of a kind.
func About(kind string) (Facts, bool) {
	table := Table()
	i := slices.IndexFunc(table, func(f Facts) bool { return f.Kind == kind })
	if i < 0 {
		return Facts{}, false
	}
	return table[i], true
}

// Kinds returns the kinds that an [Account] can hold, weakest first.
func Kinds() []string {
	var kinds []string
	for _, f := range Table() {
		if f.Factor != Both {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// IsPasskey tells whether a kind is one of the passkeys.
func IsPasskey(kind string) bool { return strings.HasPrefix(kind, "passKey") }

// For tells whether the method is good for a use.
func (f Facts) For(use string) bool { return slices.Contains(f.Uses, use) }

// PasskeyKind tells where a passkey lives from its AAGUID, as signIn of Microsoft
// Graph names it. The AAGUIDs are those of Microsoft Authenticator (Android, iOS)
// and of Windows Hello (hardware, VBS, software), as their vendor publishes them.
func PasskeyKind(aaguid string, synced bool) string {
	switch strings.ToLower(aaguid) {
	case "de1e552d-db1d-4423-a619-566b625cdc84", "90a3ccdf-635c-4729-a248-9b709135078f":
		return rp.PasskeyAuthenticator
	case "08987058-cadc-4b81-b6e1-30de50dcbe96", "9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "6028b017-b1d4-4c02-b4b3-afcdafc96bb2":
		return rp.PasskeyWindowsHello
	}
	if synced {
		return rp.PasskeySynced
	}
	return rp.PasskeyDeviceBound
}
