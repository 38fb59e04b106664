package scenarios

import (
	"context"
	"fmt"
	"strings"

	"fido-emu/ctap/platform"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/report"
)

// sweep deletes passkeys that a scenario which broke off has left on a key: those for
// names that are reserved for examples and tests, where nobody has an account. The
// bench's own stays. It is done once in a run, and whenever what is on the key is not
// known.
func (t *lent) sweep(ctx context.Context, p *pool) error {
	host := platform.New(t.key(), p.Bench.rand)
	if !platform.Manages(t.info) || t.pin == "" {
		return nil // a key without credential management keeps what is on it
	}
	token, err := host.ManagementToken(ctx, t.pin)
	if err != nil {
		return err
	}
	parties, err := host.StoredRelyingParties(ctx, token)
	if err != nil {
		return err
	}
	swept := 0
	for _, party := range parties {
		if party.ID == strategy.RPID || !reserved(party.ID) {
			continue
		}
		left, err := host.StoredCredentials(ctx, token, party.ID)
		for i := 0; err == nil && i < len(left); i++ {
			err = host.DeleteCredential(ctx, token, left[i].ID)
		}
		if err != nil {
			return fmt.Errorf("passkeys that were left on it: %w", err)
		}
		swept += len(left)
	}
	p.mu.Lock()
	t.place.swept = true
	p.mu.Unlock()
	if swept > 0 {
		p.stream.Emit(report.Event{Kind: report.Note, Text: fmt.Sprintf("Passkeys that a scenario which broke off had left on the key of slot %s were deleted: %d.", t.slot.Name, swept)})
	}
	return nil
}

// reserved tells of a domain whether nobody can have an account there (RFC 2606, sections
// 2 and 3).
func reserved(domain string) bool {
	for _, name := range []string{"test", "example", "invalid", "example.com", "example.net", "example.org"} {
		if domain == name || strings.HasSuffix(domain, "."+name) {
			return true
		}
	}
	return false
}
