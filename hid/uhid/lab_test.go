package uhid_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/hid"
	"fido-emu/hid/hidraw"
	"fido-emu/hid/uhid"
)

// lab skips a test outside the lab's kernel and bounds it inside.
func lab(t testing.TB) context.Context {
	t.Helper()
	if os.Getenv("LAB") == "" {
		t.Skip("plugs devices into the kernel: runs in the lab, where LAB=1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// plug creates a device that d stands behind, and returns how the host sees it.
func plug(ctx context.Context, t testing.TB, c uhid.Config, d hid.Device) (*uhid.Device, hidraw.Device) {
	t.Helper()
	device, err := uhid.Create(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- hid.Serve(context.Background(), device, d) }()
	t.Cleanup(func() {
		device.Close()
		if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
			t.Errorf("Serve: %v", err)
		}
	})
	node, err := device.Node(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return device, node
}

// patience is for a guest on a machine with other things to do.
const patience = 30 * time.Second

// dial opens a channel to a device over hidraw.
func dial(ctx context.Context, t testing.TB, node hidraw.Device) *hid.Channel {
	t.Helper()
	conn, err := hidraw.Open(ctx, node)
	if err != nil {
		t.Fatal(err)
	}
	dialer := hid.Dialer{Rand: rand.NewChaCha8([32]byte{2}), OpenTimeout: patience, ReplyTimeout: patience}
	channel, err := dialer.Dial(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { channel.Close() })
	return channel
}

// newCore returns an authenticator that says yes to everything.
func newCore(t testing.TB) *authenticator.Authenticator {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	core, err := authenticator.New(authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{0xf1, 0xd0}, Versions: []string{"FIDO_2_0", "FIDO_2_1"},
		Discoverable: true, ClientPIN: true, PINProtocols: []uint{2, 1}, MakeCredNoUV: true,
		Algorithms: []cose.Algorithm{cose.ES256}, Attestation: authenticator.SelfAttestation,
	}, authenticator.Env{
		Now: time.Now, Rand: random, User: authenticator.Consenting{}, Keys: softkeys.New(random, true),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(10),
	})
	if err != nil {
		t.Fatal(err)
	}
	return core
}

var key = uhid.Config{Name: "fido-emu Key", Uniq: "0001", Phys: "bench/1", Vendor: 0x1209, Product: 0xF1D0, Version: 0x0100}

func run(ctx context.Context, t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(ctx, command, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestLabFIDO2Token(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key, hid.Device{Authenticator: newCore(t)})
	if got, want := run(ctx, t, "fido2-token", "-L"), node.Path+": vendor=0x1209, product=0xf1d0"; !strings.HasPrefix(got, want) {
		t.Errorf("fido2-token -L: %q, want %q", got, want)
	}
	info := run(ctx, t, "fido2-token", "-I", node.Path)
	for _, want := range []string{"aaguid: f1d0000000", "FIDO_2_1", "proto: 0x02", "clientPin", "pin retries: "} {
		if !strings.Contains(info, want) {
			t.Errorf("fido2-token -I lacks %q:\n%s", want, info)
		}
	}
}

// libfido2 takes the lock that hidraw.Open takes, and waits for it.
func TestLabFIDO2TokenTakesTurns(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key, hid.Device{Authenticator: newCore(t)})
	conn, err := hidraw.Open(ctx, node)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- exec.CommandContext(ctx, "fido2-token", "-I", node.Path).Run() }()
	select {
	case err := <-ended:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("when it was free: %v", err)
	}
}

func TestLabRegistersAndAsserts(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key, hid.Device{Authenticator: newCore(t)})
	hash := strings.Repeat("A", 43) + "="
	dir := t.TempDir()
	file := func(name string, lines ...string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cred := file("cred", hash, "example.com", "alice", "YWxpY2U=")
	run(ctx, t, "fido2-cred", "-M", "-i", cred, "-o", dir+"/made", node.Path, "es256")
	run(ctx, t, "fido2-cred", "-V", "-i", dir+"/made", "-o", dir+"/verified", "es256")
	verified, err := os.ReadFile(dir + "/verified")
	if err != nil {
		t.Fatal(err)
	}
	id, publicKey, _ := strings.Cut(string(verified), "\n")
	run(ctx, t, "fido2-assert", "-G", "-i", file("assert", hash, "example.com", id), "-o", dir+"/asserted", node.Path)
	run(ctx, t, "fido2-assert", "-V", "-i", dir+"/asserted", file("public", strings.TrimSpace(publicKey)), "es256")
}

// The longest message has 129 reports; the kernel keeps 32 for a device and 64 for a
// host.
func TestLabLongestMessages(t *testing.T) {
	ctx := lab(t)
	// on a busy machine a guest may stand still for longer than the usual time-outs
	_, node := plug(ctx, t, key, hid.Device{Authenticator: newCore(t), PacketTimeout: patience})
	channel := dial(ctx, t, node)
	sent := bytes.Repeat([]byte{0x5A}, hid.MaxMessage)
	for i := range 10 {
		if echo, err := channel.Ping(ctx, sent); err != nil || !bytes.Equal(echo, sent) {
			t.Fatalf("ping %d: %d bytes, %v", i, len(echo), err)
		}
	}
}

func TestLabRefusesGetAndSetReport(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key, hid.Device{Authenticator: newCore(t)})
	f, err := os.OpenFile(node.Path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, request := range map[string]uint{"HIDIOCGFEATURE": 0xC0414807, "HIDIOCSFEATURE": 0xC0414806} {
		began := time.Now()
		if err := unix.IoctlSetInt(int(f.Fd()), request, 0); err == nil || time.Since(began) > 3*time.Second {
			t.Errorf("%s: %v after %v, want an error at once", name, err, time.Since(began))
		}
	}
	dial(ctx, t, node) // and it still works
}

func TestLabKnowsWhoIsThere(t *testing.T) {
	ctx := lab(t)
	device, node := plug(ctx, t, key, hid.Device{Authenticator: newCore(t)})
	if node.Serial != "0001" || node.Port != "bench/1" || node.Name != "fido-emu Key" || node.Bus != 3 {
		t.Errorf("seen as %+v", node)
	}
	conn, err := hidraw.Open(ctx, node)
	if err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "open", device.Opened)
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	eventually(ctx, t, "closed", func() bool { return !device.Opened() })
}

// eventually waits for what the kernel does in its own time.
func eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not so in time", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// Linux has 64 hidraw nodes (HIDRAW_MAX_DEVICES).
func TestLabAsManyKeysAsTheKernelTakes(t *testing.T) {
	ctx := lab(t)
	const most = 64
	core := hid.Device{Authenticator: newCore(t)}
	for i := range most {
		c := key
		c.Phys, c.Uniq = fmt.Sprintf("rack/%d", i), fmt.Sprint(i)
		_, node := plug(ctx, t, c, core)
		channel := dial(ctx, t, node)
		if response, err := channel.Exchange(ctx, []byte{byte(ctap.GetInfo)}); err != nil || response[0] != 0 {
			t.Errorf("key %d: %x, %v", i, response, err)
		}
	}
	if listed, err := hidraw.Devices(); len(listed) != most || err != nil {
		t.Errorf("%d keys are listed, %v", len(listed), err)
	}
	d, err := uhid.Create(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Node(ctx); err == nil || !strings.Contains(err.Error(), "at most 64") {
		t.Errorf("one more: %v", err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

func TestLabThousandPlugsLeaveNothing(t *testing.T) {
	ctx := lab(t)
	cycle := func() {
		d, err := uhid.Create(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	goroutines, files, began := runtime.NumGoroutine(), descriptors(t), time.Now()
	for range 1000 {
		cycle()
	}
	t.Logf("1000 times in and out took %v", time.Since(began).Round(time.Millisecond))
	eventually(ctx, t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	if now := descriptors(t); now > files {
		t.Errorf("%d file descriptors, %d before", now, files)
	}
	if left, err := hidraw.Devices(); len(left) > 0 || err != nil {
		t.Errorf("%d devices are left, %v", len(left), err)
	}
}
