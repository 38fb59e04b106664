package platform

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// Host drives one authenticator. It is safe for concurrent use, but a sequence
// such as a token and the request that uses it belongs to one caller at a time.
type Host struct {
	authenticator ctap.Authenticator
	rand          io.Reader

	mu   sync.Mutex
	info *ctap.Info
}

// New returns a Host for an authenticator. rand is where key agreement keys and
// initialisation vectors come from.
func New(authenticator ctap.Authenticator, rand io.Reader) *Host {
	return &Host{authenticator: authenticator, rand: rand}
}

// Info returns the answer to authenticatorGetInfo (section 6.4). It asks once and
// remembers; [Host.Forget] makes it ask again. The result is shared: do not change
// it.
func (h *Host) Info(ctx context.Context) (*ctap.Info, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.info != nil {
		return h.info, nil
	}
	var info ctap.Info
	if err := h.call(ctx, ctap.GetInfo.String(), ctap.GetInfo, nil, &info); err != nil {
		return nil, err
	}
	if len(info.Versions) == 0 {
		return nil, broken(ctap.GetInfo.String(), "no versions", nil)
	}
	if len(info.AAGUID) != 16 {
		return nil, broken(ctap.GetInfo.String(), fmt.Sprintf("an AAGUID of %d bytes", len(info.AAGUID)), nil)
	}
	h.info = &info
	return h.info, nil
}

// Forget drops what is remembered of authenticatorGetInfo. Call it when the
// authenticator changed without this Host: a power cycle, a PIN set elsewhere, a
// fingerprint enrolled on the device.
func (h *Host) Forget() {
	h.mu.Lock()
	h.info = nil
	h.mu.Unlock()
}

// Reset returns the authenticator to factory state (section 6.6).
func (h *Host) Reset(ctx context.Context) error {
	defer h.Forget()
	err := h.call(ctx, ctap.Reset.String(), ctap.Reset, nil, nil)
	if r, ok := err.(*Refused); ok && r.Status == ctap.ErrNotAllowed {
		r.Hint = "take the authenticator out, insert it and reset it within ten seconds"
	}
	return err
}

// Selection asks for a touch, to find out which of several authenticators the
// user means (section 6.9).
func (h *Host) Selection(ctx context.Context) error {
	return h.call(ctx, ctap.Selection.String(), ctap.Selection, nil, nil)
}

// requestSize is how many bytes most requests take at most.
const requestSize = 512

// call sends a command and reads its answer into result, which is nil when only
// the status counts.
func (h *Host) call(ctx context.Context, doing string, command ctap.Command, params, result any) error {
	var request bytes.Buffer
	request.Grow(requestSize)
	request.WriteByte(byte(command))
	if params != nil {
		if err := ctap.EncodeTo(&request, params); err != nil {
			return fmt.Errorf("%s: cannot encode the request: %w", doing, err)
		}
	}
	response, err := h.authenticator.Exchange(ctx, request.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	body, err := answer(doing, response)
	if err != nil || result == nil {
		return err
	}
	if err := ctap.DecodeLoose(body, result); err != nil {
		return broken(doing, "its parameters cannot be read", err)
	}
	return nil
}

// protocol returns the first PIN/UV auth protocol of getInfo that is known here.
// An authenticator of CTAP 2.0 that lists none speaks protocol one.
func protocol(info *ctap.Info) (pinuv.Protocol, error) {
	if len(info.PinUvAuthProtocols) == 0 {
		if _, has := info.Options["clientPin"]; has {
			return pinuv.One, nil
		}
		return pinuv.Protocol{}, ErrNoProtocol
	}
	for _, n := range info.PinUvAuthProtocols {
		if p, ok := pinuv.ByNumber(n); ok {
			return p, nil
		}
	}
	return pinuv.Protocol{}, fmt.Errorf("%w: it lists %d", ErrNoProtocol, info.PinUvAuthProtocols)
}

// Has tells whether info lists an extension.
func Has(info *ctap.Info, extension string) bool {
	return slices.Contains(info.Extensions, extension)
}
