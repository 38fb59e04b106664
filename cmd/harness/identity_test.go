package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"fido-emu/identity/document"
	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/identity/services"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// ownProcess starts harness as a process of its own, waits for the line that says where
// it listens, and returns the address.
func ownProcess(t *testing.T, args ...string) string {
	t.Helper()
	_, address := launch(t, os.Stderr, "harness", args...)
	return address
}

// launch is ownProcess for whoever ends the process.
func launch(t *testing.T, stderr io.Writer, program string, args ...string) (process *exec.Cmd, address string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Env = append(os.Environ(), identityKeyVariable+"=the-key", adminTokenVariable+"=the-token")
	c.Stderr = stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v said nothing: %v", args, err)
	}
	return c, "http://" + regexp.MustCompile(`listening on (?:http://)?(127\.0\.0\.1:\d+)`).FindStringSubmatch(line)[1]
}

// anna holds the wallet.
type anna struct{ *person.Person }

func (anna) Consent(context.Context, *wallet.Asked) (bool, error) { return true, nil }
func (a anna) Selfie(context.Context) ([]byte, error) {
	return services.Selfie(a.Person, rand.Reader, person.Daylight)
}

// TestRecoveryAcrossProcesses recovers an account with the relying party and the
// services each in a process of its own.
func TestRecoveryAcrossProcesses(t *testing.T) {
	ctx := t.Context()
	at := ownProcess(t, "identity", "serve", "--listen", "127.0.0.1:0")
	site := ownProcess(t, "rp", "serve", "--listen", "127.0.0.1:0", "--identity", at, "--origin", "http://localhost:8080")
	adapter, err := reference.Dial(site, reference.DialOptions{Origin: "http://localhost:8080", AdminToken: "the-token"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := person.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	who, err := person.Find(all, "anna-eriksson")
	if err != nil {
		t.Fatal(err)
	}
	owner := rp.Person{Name: "anna@localhost"}
	must(t, adapter.SetIdentity(ctx, owner, rp.Identity{GivenName: who.Given, FamilyName: who.Family, Country: who.Country}))
	must(t, adapter.SetRecoveryPolicy(ctx, rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{{
		Name: "all", Mode: "production", Providers: []rp.RecoveryProvider{{Name: "idemia"}},
	}}}))
	key, err := newChecker(rand.Reader, time.Now)
	must(t, err)
	_, err = adapter.Register(ctx, owner, key)
	must(t, err)
	must(t, adapter.SignOut(ctx, owner))

	began, err := adapter.StartRecovery(ctx, owner, rp.RecoveryAsk{RevokeOld: true})
	must(t, err)
	holder, err := wallet.New(wallet.Config{Now: time.Now, Rand: rand.Reader, Client: http.DefaultClient, Person: anna{who}})
	must(t, err)
	must(t, prove(ctx, began.URL, who, holder))
	status, err := adapter.RecoveryStatus(ctx, began)
	must(t, err)
	must(t, holder.Present(ctx, status.URL))
	status, err = adapter.RecoveryStatus(ctx, began)
	must(t, err)
	if status.State != "pass-issued" {
		t.Fatalf("the case is %s: %s (%s)", status.State, status.Detail, status.Reason)
	}
	_, err = adapter.RedeemPass(ctx, owner, status.Pass)
	must(t, err)
	fresh, err := newChecker(rand.Reader, time.Now)
	must(t, err)
	_, err = adapter.Register(ctx, owner, fresh)
	must(t, err)
	if left, err := adapter.PersonCredentials(ctx, owner); err != nil || len(left) != 1 {
		t.Errorf("%d passkeys are left (%v), want the new one alone", len(left), err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// prove shows a passport and a face, and takes the Verified ID into the wallet.
func prove(ctx context.Context, link string, who *person.Person, holder *wallet.Wallet) error {
	passport, err := who.Document(person.Passport)
	if err != nil {
		return err
	}
	picture, err := document.Draw(who, passport)
	if err != nil {
		return err
	}
	a := &proofing.Applicant{Link: link}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if _, err := a.Proceed(ctx, proofing.Person{Person: who, Pictures: [][]byte{picture}, Condition: person.Daylight, Rand: rand.Reader}); err != nil {
		return err
	}
	offer, err := a.Offer(ctx)
	if err != nil {
		return err
	}
	_, err = holder.Accept(ctx, offer.Link, offer.TxCode)
	return err
}

// TestIdentityDocument draws a document, and refuses what there is none of.
func TestIdentityDocument(t *testing.T) {
	out := filepath.Join(t.TempDir(), "d.png")
	must(t, drawDocument("anna-eriksson", person.Passport, []string{"blurred"}, out))
	b, err := os.ReadFile(out)
	must(t, err)
	i := document.Inspector{Now: time.Now}
	if report := i.Inspect(b); !report.Has("image_blurred") {
		t.Errorf("a blurred document is found to be %v", report)
	}
	for _, args := range [][]string{{"nobody"}, {"anna-eriksson", "driving-licence"}, {"anna-eriksson", "passport", "bent"}} {
		args = append(args, "passport")[:max(len(args), 2)]
		if err := drawDocument(args[0], person.Kind(args[1]), args[2:], out); err == nil {
			t.Errorf("%v was drawn", args)
		}
	}
}
