package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"fido-emu/ctap"
	"fido-emu/fixtures/lab"
	"fido-emu/hid"
	"fido-emu/hid/hidraw"
	"fido-emu/hid/uhid"
)

// nodes is how many keys are plugged into the kernel at once: Linux has 64 hidraw
// nodes (HIDRAW_MAX_DEVICES), of which some may be taken.
const nodes = 60

// uhidTarget is what an assertion over the kernel may cost, compared with an echo
// of as many reports through it.
const uhidTarget = 1.2

// measureUHID measures what needs a kernel with uhid: here where there is one,
// otherwise in the lab, otherwise not at all.
func measureUHID(ctx context.Context, e effort) ([]row, error) {
	if uhid.Check() == nil {
		return overUHID(ctx, e)
	}
	if _, err := lab.FindKernel(); err != nil {
		fmt.Fprintf(os.Stderr, "  left out: no uhid here, and %v\n", err)
		return nil, nil
	}
	return inLab(ctx, e)
}

// inLab runs this program in the lab, for the rows that need uhid alone.
func inLab(ctx context.Context, e effort) ([]row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := []string{self, "--json", "--only", uhidGroup}
	if e.quick {
		command = append(command, "--quick")
	}
	var out, problems strings.Builder
	code, err := lab.Run(ctx, lab.Options{
		Command: command, Work: filepath.Dir(self), Timeout: 2 * time.Minute, Stdout: &out, Stderr: &problems,
	})
	if err == nil && code != 0 {
		err = fmt.Errorf("in the lab: exit code %d: %s", code, problems.String())
	}
	if err != nil {
		return nil, err
	}
	var rows []row
	err = json.Unmarshal([]byte(out.String()), &rows)
	return rows, err
}

// overUHID compares an assertion with an echo of its reports, and plugs in many
// keys.
func overUHID(ctx context.Context, e effort) ([]row, error) {
	assertion, err := uhidAssertion(ctx, e)
	if err != nil {
		return nil, err
	}
	rack, err := uhidRack(ctx)
	return append(assertion, rack...), err
}

// onUHID plugs a device into the kernel and opens it as a host does.
func onUHID(ctx context.Context, name string) (*uhid.Device, *hidraw.Conn, error) {
	device, err := uhid.Create(ctx, uhid.Config{Name: name, Uniq: name, Vendor: 0x1209, Product: 1})
	if err != nil {
		return nil, nil, err
	}
	node, err := device.Node(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, device.Close())
	}
	host, err := hidraw.Open(ctx, node)
	if err != nil {
		return nil, nil, errors.Join(err, device.Close())
	}
	return device, host, nil
}

func uhidAssertion(ctx context.Context, e effort) (rows []row, err error) {
	device, host, err := onUHID(ctx, "assertion")
	if err != nil {
		return nil, err
	}
	var there, back atomic.Int64
	counted := hid.Tap(host, hid.HostSide, func(way hid.Direction, _ hid.Report) {
		if way == hid.ToDevice {
			there.Add(1)
		} else {
			back.Add(1)
		}
	})
	w, err := newWired(ctx, device, counted)
	if err != nil {
		return nil, errors.Join(err, device.Close())
	}
	defer func() { err = errors.Join(err, w.stop(), device.Close()) }()
	request, err := assertRequest(w.core)
	if err != nil {
		return nil, err
	}
	there.Store(0)
	back.Store(0)
	if _, err := exchange(w.channel, request); err != nil {
		return nil, err
	}
	echo, err := newEcho(ctx, int(there.Load()), int(back.Load()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, echo.stop()) }()
	r, err := against(e, "assertion over uhid and hidraw",
		fmt.Sprintf("floor is %d reports there and %d back, keepalives included, through the same kernel, with a signature", echo.there, echo.back), uhidTarget,
		func() error { _, err := exchange(w.channel, request); return err }, func() error { return echo.once(ctx) })
	return []row{r}, err
}

// echo is a device without a protocol: for every so many reports it sends so many
// back.
type echo struct {
	there, back int
	host        *hidraw.Conn
	stop        func() error
}

func newEcho(ctx context.Context, there, back int) (*echo, error) {
	device, host, err := onUHID(ctx, "echo")
	if err != nil {
		return nil, err
	}
	sign, err := newSigner()
	if err != nil {
		return nil, errors.Join(err, device.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			if _, err := device.ReadReport(ctx); err != nil {
				return
			}
			if n%there != 0 {
				continue
			}
			if sign() != nil {
				return
			}
			for range back {
				if device.WriteReport(make(hid.Report, hid.ReportSize)) != nil {
					return
				}
			}
		}
	}()
	stop := func() error {
		cancel()
		<-done
		return errors.Join(host.Close(), device.Close())
	}
	return &echo{there, back, host, stop}, nil
}

func (e *echo) once(ctx context.Context) error {
	for range e.there {
		if err := e.host.WriteReport(make(hid.Report, hid.ReportSize)); err != nil {
			return err
		}
	}
	for range e.back {
		if _, err := e.host.ReadReport(ctx); err != nil {
			return err
		}
	}
	return nil
}

// uhidRack plugs many keys into the kernel at once; all must be found and answer.
func uhidRack(ctx context.Context) (rows []row, err error) {
	var stops []func() error
	defer func() {
		for _, stop := range stops {
			err = errors.Join(err, stop())
		}
	}()
	before := heap()
	start := time.Now()
	for i := range nodes {
		device, host, err := onUHID(ctx, fmt.Sprintf("key %d", i))
		if err != nil {
			return nil, err
		}
		w, err := newWired(ctx, device, host)
		if err != nil {
			return nil, errors.Join(err, device.Close())
		}
		stops = append(stops, w.stop, device.Close)
		if _, err := exchange(w.channel, []byte{byte(ctap.GetInfo)}); err != nil {
			return nil, err
		}
	}
	took := time.Since(start)
	found, err := hidraw.Devices()
	if err != nil {
		return nil, err
	}
	if len(found) != nodes {
		return nil, fmt.Errorf("%d of %d keys are to be found", len(found), nodes)
	}
	return []row{{
		Name: fmt.Sprintf("memory of one of %d keys over uhid", nodes), Unit: "B", Ours: float64(heap()-before) / nodes,
		Note: fmt.Sprintf("heap of a key, its host's side open, too; all %d were found and had answered after %v; Linux has 64 such nodes", nodes, took.Round(time.Millisecond)),
	}}, nil
}

// newSigner returns a function that makes one P-256 signature.
func newSigner() (func() error, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return func() error { return signFloor(key) }, nil
}
