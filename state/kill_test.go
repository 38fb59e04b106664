//go:build unix

package state_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fido-emu/ctap/authenticator/storetest"
	"fido-emu/state"
)

// The test binary is its own victim: with this in its environment it changes the
// file that it names, or fills it up.
const (
	victimVariable = "FIDO_EMU_STATE_TEST_VICTIM"
	fillVariable   = "FIDO_EMU_STATE_TEST_FILL"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(victimVariable) != "":
		fmt.Println("stopped:", changeForEver(os.Getenv(victimVariable)))
	case os.Getenv(fillVariable) != "":
		fmt.Println(fill(os.Getenv(fillVariable)))
	default:
		os.Exit(m.Run())
	}
}

// changeForEver takes a PIN try, counts a signature and puts a credential, and
// deletes every third again; it prints what has been acknowledged.
func changeForEver(path string) error {
	f, err := state.OpenDevice(path)
	if err != nil {
		return err
	}
	d, credentials := f.Device(), f.Credentials(0)
	for {
		device, err := d.Load()
		if err != nil {
			return err
		}
		device.PINLength++ // stands for tries used: it only grows
		if err := d.Save(device); err != nil {
			return err
		}
		fmt.Println("tries", device.PINLength)
		n, err := d.NextCounter()
		if err != nil {
			return err
		}
		fmt.Println("counter", n)
		id := fmt.Sprint("c", n)
		if err := credentials.Put(storetest.New(id, "example.com", id, int(n))); err != nil {
			return err
		}
		fmt.Println("put", id)
		if n%3 != 0 {
			continue
		}
		if err := credentials.Delete([]byte(id)); err != nil {
			return err
		}
		fmt.Println("delete", id)
	}
}

// promises is what a victim acknowledged.
type promises struct {
	tries   uint
	counter uint32
	there   map[string]bool
	doomed  string // credential that is deleted next, perhaps without an acknowledgement
}

// TestKill kills a process that makes changes, again and again, and finds all that
// it acknowledged. How far it gets each time is random.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "device")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	p := promises{there: map[string]bool{}}
	for range 40 {
		p.killAfter(t, path, 1+rand.IntN(25))
		p.check(t, path)
	}
}

// killAfter lets a victim make n changes, kills it, and reads what else it
// acknowledged before it died.
func (p *promises) killAfter(t *testing.T, path string, n int) {
	t.Helper()
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimVariable+"="+path)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 1; lines.Scan(); i++ {
		p.note(t, lines.Text())
		if i == n {
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := victim.Wait(); err == nil {
		t.Fatal("the victim ended by itself")
	}
}

func (p *promises) note(t *testing.T, line string) {
	t.Helper()
	what, value, _ := strings.Cut(line, " ")
	var err error
	switch what {
	case "tries":
		_, err = fmt.Sscan(value, &p.tries)
	case "counter":
		_, err = fmt.Sscan(value, &p.counter)
	case "put":
		p.there[value], p.doomed = true, ""
		if p.counter%3 == 0 {
			p.doomed = value
		}
	case "delete":
		delete(p.there, value)
	default:
		err = errors.New("unexpected")
	}
	if err != nil {
		t.Fatalf("the victim says %q: %v", line, err)
	}
}

// check demands what was promised, and allows the one change more that was under
// way.
func (p *promises) check(t *testing.T, path string) {
	t.Helper()
	f := open(t, path)
	defer f.Close()
	device, err := f.Device().Load()
	if err != nil {
		t.Fatal(err)
	}
	if device.PINLength < p.tries || device.PINLength > p.tries+1 {
		t.Fatalf("%d tries are stored, %d were acknowledged", device.PINLength, p.tries)
	}
	if device.Counter < p.counter || device.Counter > p.counter+1 {
		t.Fatalf("the counter is %d, %d was acknowledged", device.Counter, p.counter)
	}
	all, err := f.Credentials(0).All()
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, c := range all {
		stored[string(c.ID)] = true
	}
	for id := range p.there {
		if !stored[id] && id != p.doomed {
			t.Fatalf("%s was acknowledged and is lost", id)
		}
	}
	if len(stored) > len(p.there)+1 || len(stored) < len(p.there)-1 {
		t.Fatalf("%d credentials are stored, %d were acknowledged", len(stored), len(p.there))
	}
	p.tries, p.counter, p.there = device.PINLength, device.Counter, stored
}

// fill puts credentials until there is no room, with files limited to 200 KiB,
// and tells how it ended and that the file is as it was before the last Put.
func fill(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 200 << 10, Max: 200 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	f, err := state.OpenDevice(path)
	if err != nil {
		return err
	}
	credentials := f.Credentials(0)
	for i := 0; ; i++ {
		id := fmt.Sprint("c", i)
		if err := credentials.Put(storetest.New(id, "example.com", id, i)); err != nil {
			n, countErr := credentials.Count()
			return fmt.Errorf("%d stored of %d, full %v, names it %v: %w", n, i, errors.Is(err, state.DiskFull),
				strings.Contains(err.Error(), path), errors.Join(err, countErr))
		}
	}
}

func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "device")
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fillVariable+"="+path)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var stored, acknowledged int
	if _, err := fmt.Sscanf(string(out), "%d stored of %d, full true, names it true", &stored, &acknowledged); err != nil || stored != acknowledged || stored == 0 {
		t.Fatalf("it ended with: %s", out)
	}
	if n, err := open(t, path).Credentials(0).Count(); n != stored || err != nil {
		t.Fatalf("%d are left, %v; want %d", n, err, stored)
	}
}
