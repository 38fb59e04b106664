package keychain

import (
	"context"
	"errors"
)

// knock asks for an operation with the account secret. Where the provider wants a code
// besides, it has one sent, reads it and asks again; request is then made anew with the
// code in l.
func knock[Response any](ctx context.Context, d *Device, op Operation, l *login, request func() any) (*Response, error) {
	r, err := call[Response](ctx, d.cloud, op, nil, request())
	if !errors.Is(err, SecondFactor) || l.Code != "" || d.env.SecondFactor == nil {
		return r, err
	}
	if _, err := call[nothing](ctx, d.cloud, OpCode, nil, paramsRequest{*l}); err != nil {
		return nil, err
	}
	code, readErr := d.env.SecondFactor(ctx)
	if readErr != nil || code == "" {
		return nil, errors.Join(err, readErr)
	}
	l.Code = code
	return call[Response](ctx, d.cloud, op, nil, request())
}

// Notices returns what happened to the account since they were last asked for, oldest
// first, as far as the provider tells.
func (d *Device) Notices(ctx context.Context) ([]Notice, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	since := d.heard
	d.mu.Unlock()
	r, err := call[noticesResponse](ctx, d.cloud, OpNotices, s.bearer, noticesRequest{since})
	if err != nil || len(r.Notices) == 0 {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = r.Notices[len(r.Notices)-1].Number
	return r.Notices, d.commit()
}
