package scenarios

// folders says of each folder of the library what questions its scenarios answer.
func folders() map[string]string {
	return map[string]string{
		"attacks":   "Look-alike sites, relays, thieves, copies, a helpdesk that is talked round: what stops each.",
		"basics":    "Registering and signing in, with and without a user name, and when nobody touches the key.",
		"fallbacks": "The other ways in: passwords, codes, requests in an app, and how each is turned against its owner.",
		"loss":      "A key, a phone, a laptop or everything is gone.",
		"origins":   "Related sites, frames, ports and plain HTTP.",
		"policy":    "Who may use which passkeys: profiles by group, attestation, models, guests, a type switched off.",
		"providers": "Where sync providers differ: ways to join, tries, deletion, recovery, and takeovers.",
		"recovery":  "Coming back with a Temporary Access Pass, or with a document, a face and a Verified ID.",
		"sessions":  "Conditional Access and risk: what lets a sign-in through, and what ends a session.",
		"sync":      "What a sync provider does with passkeys: new devices, backup state, devices that were offline.",
		"wire":      "Lost reports, and keys pulled out in the middle; with --via pipe, or over a real transport.",
	}
}

// AboutFolder says what questions the scenarios in a folder of the library answer; nothing
// for a folder of somebody else's.
func AboutFolder(name string) string { return folders()[name] }
