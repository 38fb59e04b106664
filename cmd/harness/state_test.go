package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fido-emu/identity/person"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/recovery"
	"fido-emu/webauthn"
)

// serving is harness rp serve --state in a process of its own, that is killed and started
// again under the same address.
type serving struct {
	*reference.Adapter
	t       *testing.T
	dir     string
	flags   []string
	address string
	process *exec.Cmd
}

// serve starts the relying party of a new directory.
func serve(t *testing.T, flags ...string) *serving {
	t.Helper()
	s := &serving{t: t, dir: filepath.Join(t.TempDir(), "rp"), flags: append(flags, "--origin", "http://localhost:8080")}
	s.start("127.0.0.1:0")
	var err error
	s.Adapter, err = reference.Dial(s.address, reference.DialOptions{Origin: "http://localhost:8080", AdminToken: "the-token"})
	must(t, err)
	return s
}

func (s *serving) start(listen string) {
	s.t.Helper()
	s.process, s.address = launch(s.t, os.Stderr, "harness", s.args(listen)...)
}

func (s *serving) args(listen string) []string {
	return append([]string{"rp", "serve", "--listen", listen, "--state", s.dir}, s.flags...)
}

// kill ends it as a power cut would, and starts it again.
func (s *serving) kill() {
	s.t.Helper()
	must(s.t, s.process.Process.Kill())
	if err := s.process.Wait(); err == nil {
		s.t.Fatal("it ended by itself")
	}
	s.start(strings.TrimPrefix(s.address, "http://"))
}

// refused wants a refusal with a code.
func (s *serving) refused(err error, code string) {
	s.t.Helper()
	if no, ok := errors.AsType[*rp.Refused](err); !ok || no.Code != code {
		s.t.Fatalf("got %v, want the refusal %s", err, code)
	}
}

// recovering is somebody who has lost every passkey, with a wallet.
type recovering struct {
	*serving
	owner  rp.Person
	who    *person.Person
	holder *wallet.Wallet
}

func newRecovering(t *testing.T) *recovering {
	t.Helper()
	at := ownProcess(t, "identity", "serve", "--listen", "127.0.0.1:0")
	r := &recovering{serving: serve(t, "--identity", at), owner: rp.Person{Name: "anna@localhost"}}
	all, err := person.Shipped()
	must(t, err)
	r.who, err = person.Find(all, "anna-eriksson")
	must(t, err)
	r.holder, err = wallet.New(wallet.Config{Now: time.Now, Rand: rand.Reader, Client: http.DefaultClient, Person: anna{r.who}})
	must(t, err)
	must(t, r.SetIdentity(t.Context(), r.owner, rp.Identity{GivenName: r.who.Given, FamilyName: r.who.Family, Country: r.who.Country}))
	must(t, r.SetRecoveryPolicy(t.Context(), rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{{
		Name: "all", Mode: recovery.Production, Reuse: true, Providers: []rp.RecoveryProvider{{Name: "idemia"}},
	}}}))
	return r
}

// begin begins a case whose owner presents the Verified ID that there is.
func (r *recovering) begin() rp.RecoveryCase {
	r.t.Helper()
	c, err := r.StartRecovery(r.t.Context(), r.owner, rp.RecoveryAsk{RevokeOld: true, Reuse: true})
	must(r.t, err)
	return c
}

// gone wants nobody to know of a case any more, and no pass to come of what was under way.
func (r *recovering) gone(c rp.RecoveryCase) {
	r.t.Helper()
	_, err := r.RecoveryStatus(r.t.Context(), c)
	r.refused(err, recovery.CaseUnknown)
}

func newKey(t *testing.T) webauthn.Client {
	t.Helper()
	key, err := newChecker(rand.Reader, time.Now)
	must(t, err)
	return key
}

// TestKilledInRecovery kills the relying party after every step of a recovery: the owner
// begins again, or goes on where the step was an end, and nobody gains from it.
func TestKilledInRecovery(t *testing.T) {
	r, ctx := newRecovering(t), t.Context()
	old, fresh := newKey(t), newKey(t)
	_, err := r.Register(ctx, r.owner, old)
	must(t, err)
	r.kill()
	if in, err := r.SignedIn(ctx, r.owner); err != nil || !in {
		t.Errorf("signed in: %v, %v", in, err)
	}
	must(t, r.SignOut(ctx, r.owner))

	// The case is open at the provider.
	c, err := r.StartRecovery(ctx, r.owner, rp.RecoveryAsk{RevokeOld: true})
	must(t, err)
	r.kill()
	r.gone(c)
	c, err = r.StartRecovery(ctx, r.owner, rp.RecoveryAsk{RevokeOld: true})
	must(t, err)
	must(t, prove(ctx, c.URL, r.who, r.holder))

	// The presentation is asked for.
	status, err := r.RecoveryStatus(ctx, c)
	must(t, err)
	r.kill()
	r.gone(c)
	_ = r.holder.Present(ctx, status.URL) // whatever the wallet is told, the case is over
	r.gone(c)

	// The wallet has looked at what is asked for.
	c = r.begin()
	asked, err := r.holder.Open(ctx, c.URL)
	must(t, err)
	r.kill()
	answer, err := r.holder.Answer(ctx, asked)
	must(t, err)
	_ = r.holder.Submit(ctx, asked, answer) // as above
	r.gone(c)

	// The pass is issued, and nobody has seen it.
	c = r.begin()
	must(t, r.holder.Present(ctx, c.URL))
	r.kill()
	r.gone(c)

	// The pass was shown.
	c = r.begin()
	must(t, r.holder.Present(ctx, c.URL))
	status, err = r.RecoveryStatus(ctx, c)
	must(t, err)
	r.kill()
	r.gone(c)

	// It was redeemed, once and for all.
	_, err = r.RedeemPass(ctx, r.owner, status.Pass)
	must(t, err)
	r.kill()
	thief, err := reference.Dial(r.address, reference.DialOptions{Origin: "http://localhost:8080"})
	must(t, err)
	_, err = thief.RedeemPass(ctx, r.owner, status.Pass)
	r.refused(err, reference.PassUsed)

	// A passkey is registered, and the old one is gone, as was asked for three processes ago.
	_, err = r.Register(ctx, r.owner, fresh)
	must(t, err)
	r.kill()
	must(t, r.SignOut(ctx, r.owner))
	_, err = r.SignIn(ctx, r.owner, fresh)
	must(t, err)
	if left, err := r.PersonCredentials(ctx, r.owner); err != nil || len(left) != 1 {
		t.Errorf("%d passkeys are left (%v), want the new one alone", len(left), err)
	}
	r.wantLog(recovery.StepEnd+" "+recovery.CaseInterrupted, 3) // two were over before they were killed
	r.wantLog(recovery.StepIssue+" ", 2)
	r.wantLog(recovery.StepRevoke+" ", 1)
}

// wantLog wants so many entries of a step and a reason.
func (r *recovering) wantLog(step string, want int) {
	r.t.Helper()
	log, err := r.RecoveryLog(r.t.Context(), r.owner)
	must(r.t, err)
	got := 0
	for _, e := range log {
		if e.Step+" "+e.Reason == step {
			got++
		}
	}
	if got != want {
		r.t.Errorf("%d entries %q, want %d, in %+v", got, step, want, log)
	}
}

// TestKilledWhileRedeeming kills the relying party while a pass is redeemed: it is good
// once, however the race ends.
func TestKilledWhileRedeeming(t *testing.T) {
	s, ada := serve(t), rp.Person{Name: "ada@localhost"}
	must(t, s.AddPerson(t.Context(), ada))
	for round := range 6 {
		pass, err := s.IssuePass(t.Context(), ada, time.Hour, true)
		must(t, err)
		time.AfterFunc(time.Duration(round)*400*time.Microsecond, func() { _ = s.process.Process.Kill() })
		_, first := s.RedeemPass(t.Context(), ada, pass)
		for err := error(nil); err == nil; {
			_, err = s.PersonCredentials(t.Context(), ada) // until it is dead
		}
		_ = s.process.Wait()
		s.start(strings.TrimPrefix(s.address, "http://"))
		_, second := s.RedeemPass(t.Context(), ada, pass)
		t.Logf("round %d: %v, then %v", round, first, second)
		switch {
		case first == nil:
			s.refused(second, reference.PassUsed)
		case second != nil: // it was on the disk, and the answer did not leave
			s.refused(second, reference.PassUsed)
		}
		_, third := s.RedeemPass(t.Context(), ada, pass)
		s.refused(third, reference.PassUsed)
	}
}

// TestDiskFull runs out of room: what cannot be saved is answered with 503 and did not
// happen, and the process ends and says why.
func TestDiskFull(t *testing.T) {
	s := serve(t)
	must(t, s.process.Process.Kill())
	_ = s.process.Wait() // it was killed
	var said strings.Builder
	limited := []string{"-c", `ulimit -f 256; exec harness "$@"`, "sh"} // of 512 bytes each
	s.process, _ = launch(t, &said, "sh", append(limited, s.args(strings.TrimPrefix(s.address, "http://"))...)...)
	made := 0
	err := error(nil)
	for ; err == nil && made < 1000; made++ {
		err = s.AddPerson(t.Context(), rp.Person{Name: fmt.Sprint("person ", made), DisplayName: strings.Repeat("x", 100)})
	}
	if broken := (*rp.Broken)(nil); !errors.As(err, &broken) || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("after %d accounts: %v", made, err)
	}
	made--
	if exit := (*exec.ExitError)(nil); !errors.As(s.process.Wait(), &exit) || exit.ExitCode() != exitBench {
		t.Errorf("it ends with %v", exit)
	}
	if text := said.String(); !strings.Contains(text, s.dir) || !strings.Contains(text, "make room") || strings.Count(text, "\n") != 2 {
		t.Errorf("it says %s", text)
	}
	s.start(strings.TrimPrefix(s.address, "http://"))
	if _, err := s.PersonCredentials(t.Context(), rp.Person{Name: fmt.Sprint("person ", made-1)}); err != nil {
		t.Errorf("the last account that was made: %v", err)
	}
	_, err = s.PersonCredentials(t.Context(), rp.Person{Name: fmt.Sprint("person ", made)})
	s.refused(err, reference.UnknownPerson)
}

// TestStateRefused starts on what is in use, and on what is another's.
func TestStateRefused(t *testing.T) {
	s := serve(t)
	inUse, err := exec.Command("harness", s.args("127.0.0.1:0")...).CombinedOutput()
	if code := exitCode(err); code != exitBench || !strings.Contains(string(inUse), fmt.Sprintf("process %d; end that process, or name another directory", s.process.Process.Pid)) {
		t.Errorf("in use: exit code %d, %s", code, inUse)
	}
	must(t, s.process.Process.Signal(os.Interrupt))
	must(t, s.process.Wait())
	other, err := exec.Command("harness", append(s.args("127.0.0.1:0"), "--rp-id", "example.com")...).CombinedOutput()
	if code := exitCode(err); code != exitBench || !strings.Contains(string(other), `of the relying party "localhost", not of "example.com"`) {
		t.Errorf("another's: exit code %d, %s", code, other)
	}
	info, err := os.Stat(s.dir)
	must(t, err)
	file, err := os.Stat(filepath.Join(s.dir, "relying-party.db"))
	must(t, err)
	if info.Mode().Perm() != 0o700 || file.Mode().Perm() != 0o600 {
		t.Errorf("directory %s, file %s", info.Mode(), file.Mode())
	}
}

func exitCode(err error) int {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return exitPassed
}

// TestStopped ends in good order on every signal, and leaves nothing but the state.
func TestStopped(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		s := serve(t)
		must(t, s.AddPerson(t.Context(), rp.Person{Name: "ada"}))
		must(t, s.process.Process.Signal(signal))
		if err := s.process.Wait(); err != nil {
			t.Errorf("%s: %v", signal, err)
		}
		left, err := os.ReadDir(s.dir)
		if err != nil || len(left) != 1 || left[0].Name() != "relying-party.db" {
			t.Errorf("%s leaves %v, %v", signal, left, err)
		}
	}
}
