package coverage

// Label is a word by which scenarios of the library are selected.
type Label struct {
	Name  string `json:"name"`  // as labels: and run --filter write it
	About string `json:"about"` // which scenarios have it, in one sentence
}

// Labels returns the vocabulary of the library, sorted by what the words are about.
// Scenarios of others may have words of their own.
func Labels() []Label {
	return []Label{
		// The kind of story.
		{"smoke", "The few that tell quickly whether anything works at all."},
		{"basics", "Everyday use, with nobody who means harm."},
		{"attack", "Somebody tries to get in who should not."},
		{"theft", "A thief has a device, a telephone number, a mailbox or a document."},
		{"phishing", "A page pretends to be another, or passes on what people type."},
		{"social-engineering", "Somebody is talked into helping the wrong person."},
		{"detection", "What can be noticed of an attack, and what cannot."},
		{"loss", "A device is gone, or what was on it."},
		{"recovery", "Getting back in, at the relying party or at the sync provider."},
		{"faults", "Wires, services and people that fail without anybody attacking."},
		{"rollout", "A rule is changed or tried out while people are already using passkeys."},

		// Authenticators and passkeys.
		{"security-key", "Security keys play the main part."},
		{"tpm", "A computer with a TPM plays the main part, as with Windows Hello."},
		{"sync", "Passkeys that a provider syncs play the main part."},
		{"pin", "PINs of authenticators: wrong ones, and what they lock."},
		{"counter", "The signature counter, which tells copies from originals."},
		{"discoverable", "Signing in without typing a user name."},
		{"backup-state", "The flags BE and BS: whether a passkey may be synced, and whether it is."},
		{"large-blobs", "Data that a site keeps with a passkey."},
		{"post-quantum", "Algorithms that withstand quantum computers."},

		// What an organisation decides.
		{"policy", "Who may use which passkeys."},
		{"profiles", "The same, said by passkey profiles."},
		{"attestation", "Proof of which model an authenticator is."},
		{"metadata", "What the metadata service says of models."},
		{"models", "Models allowed and blocked by their AAGUID."},
		{"management", "What people and administrators add, rename, find and remove."},
		{"conditional-access", "Rules on location, device, risk and strength of the method."},
		{"risk", "An account that is thought to be in other hands."},
		{"revocation", "Ending sessions, passkeys, devices and methods."},
		{"origin", "Pages, frames and related sites of one owner."},

		// Ways in beside passkeys.
		{"fallback", "Passwords, codes, calls, requests in an app, questions."},
		{"password", "Passwords and their reset."},
		{"sms", "Codes by text or call."},
		{"push", "Requests in an app."},
		{"temporary-access-pass", "Temporary Access Passes: how they are issued, used and refused."},
		{"helpdesk", "What the helpdesk does for people, and for those who pretend to be them."},

		// Proof of who somebody is.
		{"identity", "Account recovery with a document, a face and a Verified ID."},
		{"documents", "Passports and cards, and what is wrong with them."},
		{"faces", "Faces before the camera, and what is held there instead."},
		{"names", "Names of directories and of passports that differ."},
		{"verified-id", "Verified IDs that are expired, revoked, forged or presented again."},

		// Sync providers.
		{"escrow", "A short secret in front of somebody who counts tries."},
		{"deletion", "Passkeys that are deleted, hidden and restored."},
		{"partition", "Devices that change things while they are offline, and answers that are lost."},
	}
}
