package webauthn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// Device is an authenticator that a [UserAgent] can use.
type Device struct {
	Name          string // unique among the browser's devices; it appears in prompts and reports
	Authenticator ctap.Authenticator
	Attachment    string // platform or cross-platform; empty for what getInfo's plat option says
}

// Exchange is one exchange with a device.
type Exchange struct {
	Device   string
	Request  []byte
	Response []byte // nil when the transport failed
	Err      error  // of the transport
}

// attached is a device that is plugged in.
type attached struct {
	Device
	host *platform.Host
}

// Plug adds a device, in place of one with the same name.
func (u *UserAgent) Plug(d Device) {
	a := &attached{d, platform.New(u.watched(d), u.config.Rand)}
	u.mu.Lock()
	defer u.mu.Unlock()
	if i := u.index(d.Name); i >= 0 {
		u.devices[i] = a
		return
	}
	u.devices = append(u.devices, a)
}

// Unplug removes a device and tells whether it was there.
func (u *UserAgent) Unplug(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.index(name)
	if i < 0 {
		return false
	}
	u.devices = slices.Delete(u.devices, i, i+1)
	return true
}

// Host returns the platform side of a device, for what pages cannot ask for, such
// as setting its PIN; nil for a device that is not there. Exchanges made through
// it are observed too.
func (u *UserAgent) Host(name string) *platform.Host {
	u.mu.Lock()
	defer u.mu.Unlock()
	if i := u.index(name); i >= 0 {
		return u.devices[i].host
	}
	return nil
}

// Forget drops what is remembered of these devices' getInfo, of all when there
// are no names. Call it when devices changed by themselves: a power cycle, a reset
// that did not go through [UserAgent.Host].
func (u *UserAgent) Forget(names ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, d := range u.devices {
		if len(names) == 0 || slices.Contains(names, d.Name) {
			d.host.Forget()
		}
	}
}

func (u *UserAgent) index(name string) int {
	return slices.IndexFunc(u.devices, func(d *attached) bool { return d.Name == name })
}

// attached returns the devices that among lets through, nil for all.
func (u *UserAgent) attached(among func(*attached) bool) []*attached {
	u.mu.Lock()
	defer u.mu.Unlock()
	devices := make([]*attached, 0, len(u.devices))
	for _, d := range u.devices {
		if among == nil || among(d) {
			devices = append(devices, d)
		}
	}
	return devices
}

// watched returns a device's authenticator, whose exchanges are told of when
// somebody listens.
func (u *UserAgent) watched(d Device) ctap.Authenticator {
	if u.config.OnExchange == nil {
		return d.Authenticator
	}
	return watched{d, u.config.OnExchange}
}

type watched struct {
	device Device
	tell   func(Exchange)
}

func (w watched) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	response, err := w.device.Authenticator.Exchange(ctx, request)
	w.tell(Exchange{Device: w.device.Name, Request: request, Response: response, Err: err})
	return response, err
}

// candidate is a device that may serve a ceremony, and what its getInfo said.
type candidate struct {
	*attached
	info  *ctap.Info
	holds bool
}

// stale tells whether a refusal contradicts what getInfo said, and getInfo says
// something else by now: the device changed by itself, as when its PIN was set
// elsewhere. The candidate then knows what it says.
func (c *candidate) stale(ctx context.Context, err error) bool {
	contradicts := func(s ctap.Status) bool { return errors.Is(err, s) }
	if !slices.ContainsFunc([]ctap.Status{ctap.ErrPUATRequired, ctap.ErrPINNotSet, ctap.ErrInvalidOption, ctap.ErrUnsupportedOption}, contradicts) {
		return false
	}
	c.host.Forget()
	info, err := c.host.Info(ctx)
	if err != nil || reflect.DeepEqual(info, c.info) {
		return false
	}
	c.info = info
	return true
}

// attachment returns the device's authenticator attachment modality (section
// 5.4.5).
func (c *candidate) attachment() string {
	switch {
	case c.Attachment != "":
		return c.Attachment
	case c.info.Options["plat"]:
		return attachmentPlatform
	}
	return attachmentCrossPlatform
}

// transports returns the transports that the device is known to have.
func (c *candidate) transports() []string {
	if len(c.info.Transports) == 0 && c.attachment() == attachmentPlatform {
		return []string{"internal"}
	}
	return c.info.Transports
}

// rejection is why a device does not come into question. Of several, the one that
// got furthest is told.
type rejection struct {
	stage int
	err   *Error
}

// candidates returns the devices that suit a ceremony. unsuitable returns nil for
// one that does.
func candidates(ctx context.Context, devices []*attached, unsuitable func(*candidate) *rejection) ([]*candidate, error) {
	var suitable []*candidate
	var worst *rejection
	var failed error
	for _, d := range devices {
		info, err := d.host.Info(ctx)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", d.Name, err))
			continue
		}
		c := &candidate{attached: d, info: info}
		if r := unsuitable(c); r == nil {
			suitable = append(suitable, c)
		} else if worst == nil || r.stage > worst.stage {
			worst = r
		}
	}
	switch {
	case len(suitable) > 0:
		return suitable, nil
	case worst != nil:
		return nil, worst.err
	case failed != nil:
		return nil, failed
	}
	return nil, notAllowed("no authenticator is available", nil)
}

// hinted sorts candidates by the page's hints (section 5.8.7): those that the
// first hint means, then the second's, then the others.
func hinted(all []*candidate, hints []choice) {
	rank := func(c *candidate) int {
		i := slices.IndexFunc(hints, c.meant)
		if i < 0 {
			return len(hints)
		}
		return i
	}
	slices.SortStableFunc(all, func(a, b *candidate) int { return rank(a) - rank(b) })
}

// meant tells whether a hint means this device.
func (c *candidate) meant(hint choice) bool {
	hybrid := slices.Contains(c.info.Transports, "hybrid")
	switch hint {
	case "client-device":
		return c.attachment() == attachmentPlatform
	case "security-key":
		return c.attachment() == attachmentCrossPlatform && !hybrid
	case "hybrid":
		return c.attachment() == attachmentCrossPlatform && hybrid
	}
	return false
}

// hintedAttachment returns the attachment that the first known hint stands for,
// which wins over authenticatorAttachment (section 5.8.7); empty for none.
func hintedAttachment(hints []choice) string {
	for _, h := range hints {
		switch h {
		case "client-device":
			return attachmentPlatform
		case "security-key", "hybrid":
			return attachmentCrossPlatform
		}
	}
	return ""
}

// choose puts the device that the user picks in front, as the only one. Without a
// hook, or a choice, all remain.
func (c *ceremony) choose(ctx context.Context, typ string, all []*candidate) ([]*candidate, error) {
	hook := c.agent.config.ChooseDevice
	if hook == nil || len(all) == 1 {
		return all, nil
	}
	choice := DeviceChoice{Type: typ, RPID: c.rpID}
	for _, d := range all {
		choice.Candidates = append(choice.Candidates, Candidate{d.Name, d.attachment(), d.holds})
	}
	i, err := hook(ctx, choice)
	if err != nil {
		return nil, notAllowed("no authenticator was chosen", err)
	}
	if i < 0 || i >= len(all) {
		return nil, fmt.Errorf("ChooseDevice answered %d of %d devices", i, len(all))
	}
	return all[i : i+1], nil
}
