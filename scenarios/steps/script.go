package steps

import (
	"context"
	"encoding/base64"
	"strings"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// registerScript are the members of register about what the page's script asks for.
func registerScript() []language.Member {
	return []language.Member{
		{Name: "large-blob", Kind: language.Word, Allowed: []string{"required", "preferred"}, Text: "Whether the page needs or likes room for a large blob with the passkey. Needed, it must be there."},
		{Name: "cred-blob", Kind: language.Text, Text: "What the page has the device keep with the passkey (credBlob); the device must keep it."},
		{Name: "payment", Kind: language.YesNo, Default: "no", Text: "Whether the passkey is for payments, also on pages of others."},
		{Name: "enterprise-attestation", Kind: language.YesNo, Default: "no", Text: "Whether the page asks for attestation of this one device, with a browser whose policy lets it. The attestation must name the device."},
	}
}

// signInScript are the members of sign-in about what the page's script does.
func signInScript() []language.Member {
	return []language.Member{
		{Name: "write-large-blob", Kind: language.Text, Text: "What the page writes as the passkey's large blob. The person must say who they are, and have one passkey."},
		{Name: "large-blob", Kind: language.Text, Text: "What the page should read as the passkey's large blob; nothing for none."},
		{Name: "cred-blob", Kind: language.Text, Text: "What the page should get that the device keeps with the passkey (credBlob)."},
	}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// scriptOf returns what the page's script asks for in a registration.
func scriptOf(c language.Call) world.Script {
	s := world.Script{Enterprise: c.Yes("enterprise-attestation"), Extensions: map[string]any{}}
	if c.Has("large-blob") {
		s.Extensions["largeBlob"] = map[string]any{"support": c.Text("large-blob")}
	}
	if c.Has("cred-blob") {
		s.Extensions["credBlob"] = b64(c.Text("cred-blob"))
	}
	if c.Yes("payment") {
		s.Extensions["payment"] = map[string]any{"isPayment": true}
	}
	return s
}

// scriptAt returns what the page's script does in a sign-in.
func scriptAt(c language.Call) world.Script {
	s := world.Script{Extensions: map[string]any{}}
	switch {
	case c.Has("write-large-blob"):
		s.Extensions["largeBlob"] = map[string]any{"write": b64(c.Text("write-large-blob"))}
	case c.Has("large-blob"):
		s.Extensions["largeBlob"] = map[string]any{"read": true}
	}
	if c.Has("cred-blob") {
		s.Extensions["getCredBlob"] = true
	}
	return s
}

// scriptRegistered checks what the script got out of a registration.
func scriptRegistered(c language.Call, b *world.Browser) error {
	if c.Yes("enterprise-attestation") {
		if err := attestedByName(c, b); err != nil {
			return err
		}
	}
	if !c.Has("cred-blob") {
		return nil
	}
	r, err := b.Results()
	if err != nil {
		return err
	}
	if r.CredBlob == nil || !*r.CredBlob {
		return &Unmet{Claim: "the device should keep the blob", Found: "it does not", Device: c.Device()}
	}
	return nil
}

// attestedByName demands that the attestation names one of the devices at hand.
func attestedByName(c language.Call, b *world.Browser) error {
	serial, err := b.AttestedSerial()
	if err != nil {
		return err
	}
	for _, d := range b.Devices {
		if serial != "" && d.IsSerial(serial) {
			return nil
		}
	}
	return &Unmet{
		Claim: "the attestation should name " + strings.Join(c.Texts("with"), " or "), Found: "it names " + orNothing(serial),
		Device: c.Device(), Hint: "enable enterprise attestation on the device first",
	}
}

// scriptSignedIn checks what the script got out of a sign-in.
func scriptSignedIn(c language.Call, b *world.Browser) error {
	if !c.Has("write-large-blob") && !c.Has("large-blob") && !c.Has("cred-blob") {
		return nil
	}
	r, err := b.Results()
	if err != nil {
		return err
	}
	large := r.LargeBlob
	switch {
	case c.Has("write-large-blob"):
		if large == nil || large.Written == nil || !*large.Written {
			return &Unmet{Claim: "the large blob should be written", Found: "it was not", Device: c.Device()}
		}
	case c.Has("large-blob"):
		var found *string
		if large != nil {
			found = large.Blob
		}
		if err := sameBlob("the large blob", c.Text("large-blob"), found, c); err != nil {
			return err
		}
	}
	if c.Has("cred-blob") {
		return sameBlob("the blob", c.Text("cred-blob"), r.GetCredBlob, c)
	}
	return nil
}

// sameBlob compares a blob, in base64url, with the text that it should be.
func sameBlob(what, want string, got *string, c language.Call) error {
	found := ""
	if got != nil {
		b, err := base64.RawURLEncoding.DecodeString(*got)
		if err != nil {
			return err
		}
		found = string(b)
	}
	if found != want {
		return &Unmet{Claim: what + " should be " + orNothing(want), Found: "it is " + orNothing(found), Device: c.Device()}
	}
	return nil
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func enableEnterprise(ctx context.Context, w *world.World, c language.Call) error {
	d, err := held(w, c.Subject)
	if err != nil {
		return err
	}
	return d.EnableEnterpriseAttestation(ctx)
}
