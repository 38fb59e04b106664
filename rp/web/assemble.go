package web

// The bits of which parts a site has.
const (
	hasSessions = 1 << iota
	hasManager
	hasAdmin
	hasDirectory
	hasRecovery
)

// withParts returns the site with the interfaces for which there are sections. Go has
// no way to add an interface to a value, so each choice is a type of its own.
func (p *Party) withParts() Site {
	s, m, a, d, r := sessionPart{p}, managerPart{p}, adminPart{p}, directoryPart{p}, recoveryPart{p}
	switch p.parts() {
	case hasSessions:
		return struct {
			*Party
			sessionPart
		}{p, s}
	case hasManager:
		return struct {
			*Party
			managerPart
		}{p, m}
	case hasSessions | hasManager:
		return struct {
			*Party
			sessionPart
			managerPart
		}{p, s, m}
	case hasAdmin:
		return struct {
			*Party
			adminPart
		}{p, a}
	case hasSessions | hasAdmin:
		return struct {
			*Party
			sessionPart
			adminPart
		}{p, s, a}
	case hasManager | hasAdmin:
		return struct {
			*Party
			managerPart
			adminPart
		}{p, m, a}
	case hasSessions | hasManager | hasAdmin:
		return struct {
			*Party
			sessionPart
			managerPart
			adminPart
		}{p, s, m, a}
	case hasDirectory:
		return struct {
			*Party
			directoryPart
		}{p, d}
	case hasSessions | hasDirectory:
		return struct {
			*Party
			sessionPart
			directoryPart
		}{p, s, d}
	case hasManager | hasDirectory:
		return struct {
			*Party
			managerPart
			directoryPart
		}{p, m, d}
	case hasSessions | hasManager | hasDirectory:
		return struct {
			*Party
			sessionPart
			managerPart
			directoryPart
		}{p, s, m, d}
	case hasAdmin | hasDirectory:
		return struct {
			*Party
			adminPart
			directoryPart
		}{p, a, d}
	case hasSessions | hasAdmin | hasDirectory:
		return struct {
			*Party
			sessionPart
			adminPart
			directoryPart
		}{p, s, a, d}
	case hasManager | hasAdmin | hasDirectory:
		return struct {
			*Party
			managerPart
			adminPart
			directoryPart
		}{p, m, a, d}
	case hasSessions | hasManager | hasAdmin | hasDirectory:
		return struct {
			*Party
			sessionPart
			managerPart
			adminPart
			directoryPart
		}{p, s, m, a, d}
	case hasRecovery:
		return struct {
			*Party
			recoveryPart
		}{p, r}
	case hasSessions | hasRecovery:
		return struct {
			*Party
			sessionPart
			recoveryPart
		}{p, s, r}
	case hasManager | hasRecovery:
		return struct {
			*Party
			managerPart
			recoveryPart
		}{p, m, r}
	case hasSessions | hasManager | hasRecovery:
		return struct {
			*Party
			sessionPart
			managerPart
			recoveryPart
		}{p, s, m, r}
	case hasAdmin | hasRecovery:
		return struct {
			*Party
			adminPart
			recoveryPart
		}{p, a, r}
	case hasSessions | hasAdmin | hasRecovery:
		return struct {
			*Party
			sessionPart
			adminPart
			recoveryPart
		}{p, s, a, r}
	case hasManager | hasAdmin | hasRecovery:
		return struct {
			*Party
			managerPart
			adminPart
			recoveryPart
		}{p, m, a, r}
	case hasSessions | hasManager | hasAdmin | hasRecovery:
		return struct {
			*Party
			sessionPart
			managerPart
			adminPart
			recoveryPart
		}{p, s, m, a, r}
	case hasDirectory | hasRecovery:
		return struct {
			*Party
			directoryPart
			recoveryPart
		}{p, d, r}
	case hasSessions | hasDirectory | hasRecovery:
		return struct {
			*Party
			sessionPart
			directoryPart
			recoveryPart
		}{p, s, d, r}
	case hasManager | hasDirectory | hasRecovery:
		return struct {
			*Party
			managerPart
			directoryPart
			recoveryPart
		}{p, m, d, r}
	case hasSessions | hasManager | hasDirectory | hasRecovery:
		return struct {
			*Party
			sessionPart
			managerPart
			directoryPart
			recoveryPart
		}{p, s, m, d, r}
	case hasAdmin | hasDirectory | hasRecovery:
		return struct {
			*Party
			adminPart
			directoryPart
			recoveryPart
		}{p, a, d, r}
	case hasSessions | hasAdmin | hasDirectory | hasRecovery:
		return struct {
			*Party
			sessionPart
			adminPart
			directoryPart
			recoveryPart
		}{p, s, a, d, r}
	case hasManager | hasAdmin | hasDirectory | hasRecovery:
		return struct {
			*Party
			managerPart
			adminPart
			directoryPart
			recoveryPart
		}{p, m, a, d, r}
	case hasSessions | hasManager | hasAdmin | hasDirectory | hasRecovery:
		return struct {
			*Party
			sessionPart
			managerPart
			adminPart
			directoryPart
			recoveryPart
		}{p, s, m, a, d, r}
	}
	return p
}

// parts returns which parts there are.
func (p *Party) parts() (bits int) {
	for _, part := range []struct {
		bit      int
		sections []string
	}{
		{hasSessions, []string{"sign-out", "signed-in"}},
		{hasManager, []string{"credentials", "rename", "delete"}},
		{hasAdmin, []string{"add-person", "issue-pass", "revoke-sessions", "revoke-credentials", "policy"}},
		{hasDirectory, []string{"person-credentials"}},
		{hasRecovery, []string{"recover"}},
	} {
		if p.d.offers(part.sections...) {
			bits |= part.bit
		}
	}
	return bits
}
