package platform_test

import (
	"context"
	"errors"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// TestManagement lists, renames and deletes what is on an authenticator, through the
// command and through its prototype.
func TestManagement(t *testing.T) {
	for _, preview := range []bool{false, true} {
		ctx := context.Background()
		p := securityKey()
		p.CredentialManagement, p.CredentialManagementPreview = !preview, preview
		_, h := newKey(t, p)
		must(t, h.SetPIN(ctx, "1234"))
		info, err := h.Info(ctx)
		must(t, err)
		if !platform.Manages(info) {
			t.Fatalf("options %v", info.Options)
		}
		var ids [][]byte
		for _, user := range []string{"ada", "bob", "eve"} {
			r := creation(user)
			permitted, err := h.Authorise(ctx, need(ctap.PermMakeCredential), (&typist{pins: []string{"1234"}}).ask)
			must(t, err)
			permitted.MakeCredential(r)
			made, err := h.MakeCredential(ctx, r)
			must(t, err)
			ids = append(ids, made.Data.Attested.ID)
		}
		token, err := h.ManagementToken(ctx, "1234")
		must(t, err)
		must(t, h.UpdateUser(ctx, token, ids[1], ctap.User{ID: []byte("bob"), Name: "bob", DisplayName: "Bob"}))
		must(t, h.DeleteCredential(ctx, token, ids[0]))
		if err := h.DeleteCredential(ctx, token, ids[0]); !errors.Is(err, ctap.ErrNoCredentials) {
			t.Errorf("deleted twice: %v", err)
		}
		existing, remaining, err := h.CredentialCounts(ctx, token)
		if err != nil || existing != 2 || remaining == 0 {
			t.Errorf("%d credentials, room for %d: %v", existing, remaining, err)
		}
		stored, err := h.StoredCredentials(ctx, token, rpID)
		if err != nil || len(stored) != 2 || stored[1].User.DisplayName != "Bob" || stored[0].User.Name != "eve" {
			t.Errorf("%+v: %v", stored, err)
		}
		if none, err := h.StoredCredentials(ctx, token, "example.org"); err != nil || none != nil {
			t.Errorf("of another relying party: %v, %v", none, err)
		}
	}
}
