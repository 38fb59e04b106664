package conformance

import (
	"slices"

	"fido-emu/ctap"
)

// StartWithPIN has a case begin with a PIN that is set, so that a token does not prove
// presence.
func StartWithPIN(c Case) Case {
	c.Start = WithPIN
	return c
}

// StartBlank has a case begin after a reset.
func StartBlank(c Case) Case {
	c.Start = Blank
	return c
}

// Leaving has a case leave discoverable credentials or settings behind.
func Leaving(c Case) Case {
	c.Destructive = true
	return c
}

// Needing gives a case more needs, which are looked at before its own.
func Needing(c Case, needs ...Need) Case {
	c.Needs = slices.Concat(needs, c.Needs)
	return c
}

// WithHands has more done in a case than it said.
func WithHands(c Case, g Gesture) Case {
	c.Hands |= g
	return c
}

// UnknownDescriptors are so many descriptors of short ids that nobody made.
func (r *Run) UnknownDescriptors(n uint) []S {
	list := make([]S, n)
	for i := range list {
		list[i] = S{"type": ctap.PublicKeyCredential, "id": r.Bytes(16)}
	}
	return list
}

// ListFits needs a maxCredentialCountInList that a request has room to exceed.
func ListFits(f *Facts) string {
	const bytesEach, besides = 40, 600
	i := f.Info
	if i == nil || i.MaxCredentialCountInList == 0 {
		return "getInfo has no maxCredentialCountInList"
	}
	if (i.MaxCredentialCountInList+1)*bytesEach+besides > max(i.MaxMsgSize, 1024) {
		return "a list longer than maxCredentialCountInList does not fit into maxMsgSize"
	}
	return ""
}
