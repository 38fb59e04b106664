package web

import (
	"context"

	"fido-emu/rp"
)

// ExpectPerson says to which groups somebody will belong who makes an account.
func (p *Party) ExpectPerson(ctx context.Context, who rp.Person) error {
	_, err := p.perform(ctx, "expect-person", "groups for people who sign up", who, nil)
	return err
}
