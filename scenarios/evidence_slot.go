package scenarios

import (
	"context"
	"slices"

	"fido-emu/fixtures/slots/strategy"
)

// key returns the key of the slot as it is used outside of steps: what is said to it is
// evidence, should the attempt go wrong.
func (t *lent) key() strategy.Key {
	if t.heard == nil {
		return t.stand
	}
	return witnessed{t.stand, t.device.Name, t.heard}
}

// witnessed is a key with a witness to what is said to it.
type witnessed struct {
	strategy.Key
	device   string
	evidence *evidence
}

// Exchange takes a request to the key.
func (w witnessed) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	response, err := w.Key.Exchange(ctx, request)
	w.evidence.said(spoken{w.device, slices.Clone(request), slices.Clone(response), err})
	return response, err
}
