package reference_test

import (
	"context"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

func TestSmoke(t *testing.T) {
	core, err := reference.New(reference.Config{RPID: "example.com", Origins: []string{"https://example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	a, c, ctx := reference.InProcess(core, ""), newToy(t), context.Background()
	ada := rp.Person{Name: "ada@example.com", DisplayName: "Ada"}
	cr, err := a.Register(ctx, ada, c)
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.SignIn(ctx, ada, c)
	if err != nil {
		t.Fatal(err)
	}
	s2, err := a.SignIn(ctx, rp.Person{}, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(cr, s, s2, core.Audit(0, 10))
}
