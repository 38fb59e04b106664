package browser

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/web"
)

const referenceFile = "../web/descriptions/reference-browser.yaml"

// pages is the reference relying party, through its pages.
type pages interface {
	web.Site
	rp.SessionManager
	rp.CredentialManager
	rp.Administration
	rp.Recovery
}

func openReference(t *testing.T, ctx context.Context, o Options) pages {
	t.Helper()
	o.Browser = chromium(t)
	d, err := Load(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	o.Web.Settings = serveReference(t)
	if o.Screenshots = os.Getenv("SCREENSHOTS"); o.Screenshots == "" {
		o.Screenshots = t.TempDir()
	}
	s, err := d.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(pages)
}

// TestPagesOfTheReferenceRelyingParty goes through the life of an account: two passkeys,
// sign-in with and without a user name, a deletion, and a way back in with a pass.
func TestPagesOfTheReferenceRelyingParty(t *testing.T) {
	ctx := inTime(t)
	s := openReference(t, ctx, Options{})
	ada := rp.Person{Name: "ada@example.com", DisplayName: "Ada Lovelace"}
	first, second, third := newAgent(t, newKey(t, "first")), newAgent(t, newKey(t, "second one")), newAgent(t, newKey(t, "the third"))

	made, err := s.Register(ctx, ada, first)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Register(ctx, ada, second)
	if err != nil {
		t.Fatal("the second passkey:", err)
	}
	if _, err := s.Register(ctx, ada, second); err == nil {
		t.Error("a key took a second passkey for the account")
	}
	list, err := s.Credentials(ctx, ada)
	if err != nil || len(list) != 2 || !bytes.Equal(list[0].ID, made.ID) || list[1].AAGUID != other.AAGUID || list[0].Type != rp.DeviceBound {
		t.Errorf("passkeys %+v, %v; want %x and %x", list, err, made.ID, other.ID)
	}
	if err := s.RenameCredential(ctx, ada, other.ID, `The "second"`); err != nil {
		t.Error(err)
	}
	if err := s.SignOut(ctx, ada); err != nil {
		t.Error(err)
	}
	for _, who := range []rp.Person{ada, {}} {
		session, err := s.SignIn(ctx, who, first)
		if err != nil || session.Person != ada.Name || !bytes.Equal(session.Credential, made.ID) {
			t.Errorf("signed in as %q: %+v, %v", who.Name, session, err)
		}
	}
	if is, err := s.SignedIn(ctx, ada); !is || err != nil {
		t.Errorf("signed in: %v, %v", is, err)
	}
	if err := s.DeleteCredential(ctx, ada, other.ID); err != nil {
		t.Error(err)
	}
	if _, err := s.SignIn(ctx, ada, second); err == nil {
		t.Error("a deleted passkey signs in")
	}
	if err := s.RevokeSessions(ctx, ada); err != nil {
		t.Error(err)
	}
	if is, err := s.SignedIn(ctx, ada); is || err != nil {
		t.Errorf("signed in after all sessions ended: %v, %v", is, err)
	}

	pass, err := s.IssuePass(ctx, ada, time.Hour, true)
	if err != nil {
		t.Fatal(err)
	}
	if session, err := s.RedeemPass(ctx, ada, pass); err != nil || session.Person != ada.Name {
		t.Fatalf("the pass: %+v, %v", session, err)
	}
	if _, err := s.Register(ctx, ada, third); err != nil {
		t.Fatal("a passkey by means of the pass:", err)
	}
	if _, err := s.SignIn(ctx, ada, third); err != nil {
		t.Error(err)
	}
}
