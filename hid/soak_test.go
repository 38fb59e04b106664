package hid_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
	"fido-emu/hid"
)

// user touches at once.
type user struct{}

func (user) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

func (user) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// newKey is a security key.
func newKey(t testing.TB) *authenticator.Authenticator {
	t.Helper()
	random := rand.NewChaCha8([32]byte{3})
	p := authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{1}, Versions: []string{"FIDO_2_0", "FIDO_2_1"}, Discoverable: true, MakeCredNoUV: true,
		ClientPIN: true, PINProtocols: []uint{2}, Algorithms: []cose.Algorithm{cose.ES256},
		Attestation: authenticator.SelfAttestation, Counter: authenticator.GlobalCounter,
	}
	key, err := authenticator.New(p, authenticator.Env{
		Now: time.Now, Rand: random, User: user{}, Keys: softkeys.New(random, true),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(p.CredentialLimit()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// register makes a credential and asserts it.
func register(ctx context.Context, key ctap.Authenticator) error {
	host := platform.New(key, rand.NewChaCha8([32]byte{4}))
	_, err := host.MakeCredential(ctx, &ctap.MakeCredentialRequest{
		ClientDataHash: make([]byte, 32), RP: &ctap.RelyingParty{ID: "example.com"},
		User:             &ctap.User{ID: []byte("u"), Name: "u"},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: -7, Type: ctap.PublicKeyCredential}},
		Options:          map[string]bool{"rk": true},
	})
	if err != nil {
		return err
	}
	return signIn(ctx, host)
}

func signIn(ctx context.Context, host *platform.Host) error {
	_, err := host.GetAssertion(ctx, &ctap.GetAssertionRequest{RPID: "example.com", ClientDataHash: make([]byte, 32)})
	return err
}

// randomReport is any report, with a bias towards the fields that mean something.
func randomReport(random *rand.Rand) hid.Report {
	r := make(hid.Report, hid.ReportSize)
	for i := 0; i < len(r); i += 8 {
		binary.LittleEndian.PutUint64(r[i:], random.Uint64())
	}
	if random.IntN(8) > 0 {
		channels := []uint32{1, 1, 1, 2, 3, 0, hid.Broadcast}
		binary.BigEndian.PutUint32(r, channels[random.IntN(len(channels))])
	}
	switch random.IntN(3) {
	case 0:
		commands := []hid.Command{hid.Ping, hid.Msg, hid.Init, hid.CBOR, hid.CBOR, hid.Cancel, hid.Wink, hid.VendorFirst}
		r[4] = byte(commands[random.IntN(len(commands))]) | 0x80
		binary.BigEndian.PutUint16(r[5:], uint16(random.IntN(200)))
		r[7] = byte(random.IntN(16))
		if random.IntN(2) == 0 {
			r[5], r[6] = 0, 8
		}
	case 1:
		r[4] = byte(random.IntN(4))
	}
	return r
}

// TestSoak writes a million random reports to a security key, which then registers and
// signs in as if nothing had been.
func TestSoak(t *testing.T) {
	reports := 1_000_000
	if testing.Short() {
		reports = 20_000
	}
	device, host := hid.Pipe()
	served := make(chan error)
	key := newKey(t)
	go func() {
		served <- hid.Serve(context.Background(), device, hid.Device{
			Authenticator: key, Message: func(context.Context, []byte) []byte { return []byte{0x6D, 0} },
			Wink: func() {}, PacketTimeout: time.Millisecond,
		})
	}()
	random := rand.New(rand.NewPCG(1, 2))
	answers := soak(t, host, random, reports)
	c, err := hid.Dial(t.Context(), host, rand.NewChaCha8([32]byte{5}))
	if err != nil {
		t.Fatal(err)
	}
	if err := register(t.Context(), c); err != nil {
		t.Error(err)
	}
	if answers < reports/10 {
		t.Errorf("only %d reports came back", answers)
	}
	c.Close()
	if err := <-served; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("Serve ended with %v", err)
	}
}

// soak writes random reports, and returns how many came back until all were read.
func soak(t *testing.T, conn hid.Conn, random *rand.Rand, reports int) (answers int) {
	t.Helper()
	last := hid.Report(make([]byte, hid.ReportSize))
	copy(last, "\xff\xff\xff\xff\x86\x00\x08the last")
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for {
			r, err := conn.ReadReport(t.Context())
			if err != nil || bytes.HasPrefix(r[7:], last[7:15]) {
				return
			}
			answers++
		}
	}()
	for range reports {
		if err := conn.WriteReport(randomReport(random)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.WriteReport(last); err != nil {
		t.Fatal(err)
	}
	<-drained
	return answers
}

// BenchmarkAssertion is an assertion in process and over a pipe; the difference is what
// CTAPHID costs.
func BenchmarkAssertion(b *testing.B) {
	b.Run("in process", func(b *testing.B) { benchmark(b, newKey(b)) })
	b.Run("over a pipe", func(b *testing.B) {
		device, host := hid.Pipe()
		go hid.Serve(context.Background(), device, hid.Device{Authenticator: newKey(b)})
		c, err := hid.Dial(b.Context(), host, rand.NewChaCha8([32]byte{5}))
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		benchmark(b, c)
	})
}

func benchmark(b *testing.B, key ctap.Authenticator) {
	b.Helper()
	if err := register(b.Context(), key); err != nil {
		b.Fatal(err)
	}
	host := platform.New(key, rand.NewChaCha8([32]byte{4}))
	b.ReportAllocs()
	for b.Loop() {
		if err := signIn(b.Context(), host); err != nil {
			b.Fatal(err)
		}
	}
}
