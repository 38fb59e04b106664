package verifier

import (
	"fmt"
	"strings"
)

// Step is one thing that a relying party must look at.
type Step struct {
	Name    string `json:"name"`             // such as registration.origin
	Section string `json:"section"`          // of WebAuthn Level 3
	Number  int    `json:"number,omitempty"` // of the step in it; 0 where the section has none
	Detail  string `json:"detail,omitempty"` // the section with the particulars, such as 8.2
	Says    string `json:"says"`             // what it demands
}

// Rule returns where the step is written, such as "7.1 step 9".
func (s Step) Rule() string {
	rule := s.Section
	if s.Number != 0 {
		rule = fmt.Sprintf("%s step %d", rule, s.Number)
	}
	if s.Detail != "" {
		rule += ", " + s.Detail
	}
	return rule
}

// Covers tells whether a rule is about this step, or about a particular of it.
func (s Step) Covers(section string, number int, detail string) bool {
	return s.Section == section && s.Number == number && strings.HasPrefix(detail, s.Detail)
}

// check is a step with what it does. Without a function it is a part of an earlier
// step, which can be left out by itself.
type check struct {
	Step
	run func(*Verifier, *response) error
}

// Steps returns all steps that can be left out, in the order of the ceremonies. The
// name of a part begins with that of its step.
func Steps() []Step {
	var all []Step
	for _, c := range append(registration(), authentication()...) {
		all = append(all, c.Step)
	}
	return all
}

// client returns the steps that both ceremonies take with client data; first is the
// number of the one about its type.
func client(kind, section string, first int) []check {
	step := func(name string, number int, says string, run func(*Verifier, *response) error) check {
		return check{Step{Name: kind + "." + name, Section: section, Number: number, Says: says}, run}
	}
	return []check{
		step("json", first-1, "client data is one JSON object, with no member twice", (*Verifier).checkJSON),
		step("json.duplicates", first-1, "no member of client data is there twice", nil),
		step("json.left-over", first-1, "nothing follows the JSON object", nil),
		step("type", first, "client data is of this ceremony", (*Verifier).checkType),
		step("challenge", first+1, "the challenge is the one that was given out", (*Verifier).checkChallenge),
		step("challenge.whole", first+1, "the whole challenge is compared", nil),
		step("challenge.encoding", first+1, "the challenge is compared as it was encoded", nil),
		step("challenge.empty", first+1, "an empty challenge is none", nil),
		step("origin", first+2, "the origin is one that is expected", (*Verifier).checkOrigin),
		step("origin.scheme", first+2, "the scheme of the origin is compared", nil),
		step("origin.port", first+2, "the port of the origin is compared", nil),
		step("origin.subdomain", first+2, "a subdomain is another origin", nil),
		step("origin.prefix", first+2, "an origin that begins like ours is another", nil),
		step("origin.suffix", first+2, "an origin that ends like ours is another", nil),
		step("origin.case", first+2, "origins are compared byte by byte", nil),
		step("origin.null", first+2, "null is no origin of ours", nil),
		step("origin.missing", first+2, "there is an origin", nil),
		step("cross-origin", first+3, "frames of other origins are expected, or there are none", (*Verifier).checkCrossOrigin),
		step("top-origin", first+4, "the top origin is expected, or there is none", (*Verifier).checkTopOrigin),
	}
}

// authenticatorSteps returns the steps that both ceremonies take with authenticator
// data; first is the number of the one about the RP ID.
func authenticatorSteps(kind, section string, first int) []check {
	step := func(name string, number int, says string, run func(*Verifier, *response) error) check {
		return check{Step{Name: kind + "." + name, Section: section, Number: number, Says: says}, run}
	}
	return []check{
		{Step{Name: kind + ".auth-data.left-over", Section: "6.1", Says: "nothing follows authenticator data"}, (*Verifier).checkLeftOver},
		{Step{Name: kind + ".auth-data.extensions", Section: "6.1", Says: "ED is 1 exactly where there are extensions, a CBOR map"}, (*Verifier).checkExtensions},
		step("rp-id", first, "authenticator data is for this RP ID", (*Verifier).checkRPID),
		step("user-present", first+1, "the user was present", (*Verifier).checkPresence),
		step("user-verified", first+2, "the user was verified where that is required", (*Verifier).checkVerification),
		step("backup-state", first+3, "what cannot be backed up is not backed up", (*Verifier).checkBackupState),
	}
}

func registration() []check {
	step := func(name string, number int, detail, says string, run func(*Verifier, *response) error) check {
		return check{Step{Name: "registration." + name, Section: "7.1", Number: number, Detail: detail, Says: says}, run}
	}
	all := []check{
		{Step{Name: "registration.credential-type", Section: "5.1", Says: "the type is public-key"}, (*Verifier).checkCredentialType},
		{Step{Name: "registration.raw-id", Section: "5.1", Says: "id and rawId are the same, and the id of the passkey that was made"}, (*Verifier).checkRawID},
		{Step{Name: "registration.raw-id.attested", Section: "5.1", Says: "rawId is the id of the passkey that was made"}, nil},
	}
	all = append(all, client("registration", "7.1", 7)...)
	all = append(all,
		step("object", 13, "", "the attestation object is one CBOR map, with no member twice", (*Verifier).checkObject),
		step("object.duplicates", 13, "", "no member of the attestation object is there twice", nil),
		step("object.indefinite", 13, "", "lengths in the attestation object are definite", nil),
		step("object.left-over", 13, "", "nothing follows the attestation object", nil),
		step("attested", 13, "6.5.1", "there is attested credential data", (*Verifier).checkAttested),
	)
	all = append(all, authenticatorSteps("registration", "7.1", 14)...)
	return append(all,
		step("algorithm", 20, "", "the algorithm is one that was offered", (*Verifier).checkAlgorithm),
		step("key", 20, "5.8.5", "the public key is one of its algorithm", (*Verifier).checkKey),
		step("key.type", 20, "5.8.5", "the key type is that of the algorithm", nil),
		step("key.curve", 20, "5.8.5", "the curve is that of the algorithm", nil),
		step("key.point", 20, "5.8.5", "the point is on the curve", nil),
		step("key.rsa-size", 20, "5.8.5", "an RSA modulus has 2048 bits or more", nil),
		step("key.rsa-exponent", 20, "5.8.5", "an RSA exponent is odd and 3 or more", nil),
		step("format", 21, "", "the attestation statement format is known", (*Verifier).checkFormat),
		step("format.case", 21, "", "formats are compared byte by byte", nil),
		step("statement", 22, "", "the attestation statement is verified", (*Verifier).checkStatement),
		step("statement.none", 22, "8.7", "a statement of format none is empty", nil),
		step("statement.packed", 22, "8.2", "a packed statement is verified", nil),
		step("statement.tpm", 22, "8.3", "a tpm statement is verified", nil),
		step("statement.android-key", 22, "8.4", "an android-key statement is verified", nil),
		step("statement.fido-u2f", 22, "8.6", "a fido-u2f statement is verified", nil),
		step("statement.apple", 22, "8.8", "an apple statement is verified", nil),
		step("statement.compound", 22, "8.9", "every member of a compound statement is verified", nil),
		step("trust", 24, "", "a trusted authority stands behind the attestation, where that is required", (*Verifier).checkTrust),
		step("trust.root", 24, "", "the chain ends at a trusted root", nil),
		step("trust.dates", 24, "", "the certificates are valid today", nil),
		step("trust.self", 24, "", "self attestation is not a trusted authority's", nil),
		step("trust.none", 24, "", "no attestation is not a trusted authority's", nil),
		step("id-length", 25, "", "the credential id has at most 1023 bytes", (*Verifier).checkIDLength),
		step("id-length.empty", 25, "", "the credential id is not empty", nil),
		step("known", 26, "", "the credential id is not registered for anybody", (*Verifier).checkKnown),
		step("known.others", 26, "", "the credential id is not registered for somebody else", nil),
		step("known.own", 26, "", "the credential id is not registered for this user", nil),
	)
}

func authentication() []check {
	step := func(name string, number int, detail, says string, run func(*Verifier, *response) error) check {
		return check{Step{Name: "authentication." + name, Section: "7.2", Number: number, Detail: detail, Says: says}, run}
	}
	all := []check{
		{Step{Name: "authentication.credential-type", Section: "5.1", Says: "the type is public-key"}, (*Verifier).checkCredentialType},
		{Step{Name: "authentication.raw-id", Section: "5.1", Says: "id and rawId are the same"}, (*Verifier).checkRawID},
		step("allowed", 5, "", "the passkey is one of allowCredentials", (*Verifier).checkAllowed),
		step("owner", 6, "", "the passkey is that of whoever signs in", (*Verifier).checkOwner),
		step("user-handle", 6, "", "the user handle is that of the passkey's owner", (*Verifier).checkUserHandle),
		step("user-handle.missing", 6, "", "where nobody is named, the user handle is there", nil),
	}
	all = append(all, client("authentication", "7.2", 10)...)
	all = append(all, check{Step{Name: "authentication.attested", Section: "6.1", Says: "an assertion has no attested credential data"}, (*Verifier).checkNotAttested})
	all = append(all, authenticatorSteps("authentication", "7.2", 15)...)
	return append(all,
		step("backup-eligible", 19, "", "what could be backed up still can, and the other way round", (*Verifier).checkBackupEligible),
		step("backup-eligible.gained", 19, "", "what could not be backed up still cannot", nil),
		step("backup-eligible.lost", 19, "", "what could be backed up still can", nil),
		step("hash", 20, "", "the hash is of the client data as it came", nil),
		step("signature", 21, "", "the passkey's key made the signature", (*Verifier).checkSignature),
		step("signature.zero", 21, "", "r and s are not 0", nil),
		step("signature.client-data", 21, "", "the signature is over the client data", nil),
		step("signature.auth-data", 21, "", "the signature is over the authenticator data", nil),
		step("signature.left-over", 21, "", "nothing follows the signature", nil),
		step("counter", 22, "", "the signature counter goes up", (*Verifier).checkCounter),
		step("counter.equal", 22, "", "a signature counter that stands still does not go up", nil),
		step("counter.zero", 22, "", "a signature counter that is 0 again does not go up", nil),
	)
}
