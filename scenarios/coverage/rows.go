package coverage

// Row is one thing that organisations which move to passkeys rely on.
type Row struct {
	ID     string `json:"id"`    // as covers: names it
	Group  string `json:"group"` // heading under which it is listed
	Rule   string `json:"rule"`  // what holds, in one sentence
	NotYet string `json:"notYet,omitempty"`
}

// The headings, in the order in which they are listed.
const (
	passkeys     = "Passkeys"
	policy       = "Policy"
	signIn       = "Signing in"
	recovery     = "Loss and recovery"
	provisioning = "Administration"
)

// Rows returns the table. The rules are those of Microsoft Entra ID's public
// documentation of passkeys, account recovery, Verified ID and Graph, and of the
// standards behind them.
func Rows() []Row {
	return []Row{
		{ID: "device-bound", Group: passkeys, Rule: "A device-bound passkey never leaves its security key, TPM or phone app; losing the device loses it."},
		{ID: "synced", Group: passkeys, Rule: "A synced passkey comes to every device of its account, at once and without registering again; it has no attestation."},
		{ID: "windows", Group: passkeys, Rule: "Windows Hello holds passkeys in the TPM of machines that nobody manages."},
		{ID: "backup-state", Group: passkeys, Rule: "A passkey says whether it may be synced (BE) and whether it is (BS), and never contradicts itself."},
		{ID: "guests", Group: passkeys, Rule: "External users may use synced passkeys."},
		{ID: "phishing-resistance", Group: passkeys, Rule: "A passkey is bound to its site: a look-alike gets nothing, and what is replayed fails."},
		{ID: "theft", Group: passkeys, Rule: "A stolen or cloned authenticator does not open the account, or is noticed."},
		{ID: "cloud-account", Group: passkeys, Rule: "The cloud account behind synced passkeys is an attack surface of its own."},
		{ID: "faults", Group: passkeys, Rule: "Touches that do not come, wires that lose reports and devices pulled out leave nothing half done."},

		{ID: "passkey-profiles", Group: policy, Rule: "Profiles say by group which passkeys may be registered and used; meeting any one of one's profiles suffices."},
		{ID: "tiers", Group: policy, Rule: "Administrators use attested hardware, executives device-bound passkeys, everybody else synced ones."},
		{ID: "attestation", Group: policy, Rule: "Attestation can be enforced, at registration only, against metadata of the models."},
		{ID: "models", Group: policy, Rule: "Models are allowed or blocked by AAGUID, at registration and at sign-in."},
		{ID: "type-switched-off", Group: policy, Rule: "Switching synced passkeys off stops sign-ins with those that exist until it is on again; nothing is deleted."},
		{ID: "passkey-preferred", Group: policy, Rule: "People are asked for their strongest registered method first."},

		{ID: "phishable-methods", Group: signIn, Rule: "Passwords, codes, push and questions can be relayed, and dormant ones are found and removed."},
		{ID: "conditional-access", Group: signIn, Rule: "Risk, device compliance, location and strength decide whether a sign-in is let through."},
		{ID: "revocation", Group: signIn, Rule: "Risk ends sessions in real time, and only a new sign-in with a passkey helps."},
		{ID: "sign-in-log", Group: signIn, Rule: "The log tells the method of each sign-in, and why one failed."},
		{ID: "numbers", Group: signIn, Rule: "Success rate and time of each method are measured."},
		{ID: "cross-device", Group: signIn, Rule: "A QR code on one device is scanned with a phone, which signs in there.", NotYet: "the hybrid transport is not emulated"},

		{ID: "device-loss", Group: recovery, Rule: "Whoever loses a device carries on with what is left, and the lost one can be shut out."},
		{ID: "escrow", Group: recovery, Rule: "A sync account comes back from its provider's escrow, within its tries and never beyond."},
		{ID: "temporary-access-pass", Group: recovery, Rule: "A Temporary Access Pass lets somebody register a passkey, for its time, and once where it says so."},
		{ID: "account-recovery", Group: recovery, Rule: "Whoever lost everything proves who they are with a document and their face, and registers a new passkey."},
		{ID: "recovery-refusals", Group: recovery, Rule: "Recovery is refused for each reason that the rules name, and the account stays as it was."},
		{ID: "evaluation-mode", Group: recovery, Rule: "In evaluation mode the whole verification runs and the account is not touched."},
		{ID: "hand-over", Group: recovery, Rule: "A verification that began on a laptop goes on with a phone."},
		{ID: "self-service-reset", Group: recovery, Rule: "Password reset by oneself needs a method that is left, and so is useless after total loss."},
		{ID: "helpdesk", Group: recovery, Rule: "The helpdesk is the last way in, for owners and for those who pretend to be."},

		{ID: "provisioning", Group: provisioning, Rule: "An administrator registers a passkey on behalf of somebody, through Graph's creationOptions."},
		{ID: "policy-api", Group: provisioning, Rule: "Profiles and their targets are read and written in Graph's shapes, within its limits."},
		{ID: "verified-id", Group: provisioning, Rule: "Presentation requests, Face Check and their callbacks have the documented shapes, and what is forged is refused."},
	}
}

// IDs returns the ids of the rows, in their order.
func IDs() []string {
	var ids []string
	for _, r := range Rows() {
		ids = append(ids, r.ID)
	}
	return ids
}
