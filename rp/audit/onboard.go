package audit

import (
	"context"
	"time"

	"fido-emu/rp"
)

// Onboard returns how accounts are opened where people cannot sign up: an administrator
// makes the account and, where the adapter can, issues a pass with which its owner
// comes in to register the first passkey.
func Onboard(site rp.RelyingParty) func(context.Context, rp.Person) error {
	return func(ctx context.Context, p rp.Person) error {
		admin, ok := site.(rp.Administration)
		if !ok {
			return &rp.Unsupported{What: "accounts that an administrator makes"}
		}
		if err := admin.AddPerson(ctx, p); err != nil {
			return err
		}
		recovery, ok := site.(rp.Recovery)
		if !ok {
			return nil
		}
		pass, err := admin.IssuePass(ctx, p, time.Hour, true)
		if err == nil {
			_, err = recovery.RedeemPass(ctx, p, pass)
		}
		if unsupported(err) {
			return nil
		}
		return err
	}
}
