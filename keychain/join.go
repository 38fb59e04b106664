package keychain

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// Request is a device's request to join an account.
type Request struct {
	ID   string `json:"id"`
	Name string `json:"name"` // of the device that asks
	// Code is shown on the device that asks and typed on the one that approves,
	// such as K7QX-2MNP-RT4C. It is derived from the new device's key and the
	// account's first key, 60 bits long, so that a service that swaps keys cannot
	// find others with the same code. Empty in the requests of Pending.
	Code string `json:"code,omitempty"`
}

// RequestJoin asks to join an account, by the approval of one of its devices. It
// takes the place of an earlier request of this device.
func (d *Device) RequestJoin(ctx context.Context, account, secret string) (Request, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	identity, l, err := d.prepare(account, secret)
	if err != nil {
		return Request{}, err
	}
	in, err := knock[admission](ctx, d, OpRequest, &l, func() any { return joinRequest{l, d.info(identity)} })
	if err != nil {
		return Request{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enter(l.Account, identity, in)
	return Request{in.Member, d.name, joinCode(l.Account, in.Anchor, identity.PublicKey().Bytes())}, d.commit()
}

// joinCode is the code that both sides of a join derive.
func joinCode(account string, anchor, publicKey []byte) string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte("fido-emu keychain join"), []byte(account), anchor, publicKey} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	code := base32.StdEncoding.EncodeToString(h.Sum(nil))[:12]
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// Pending returns the requests that wait for approval, oldest first.
func (d *Device) Pending(ctx context.Context) ([]Request, error) {
	infos, err := d.pending(ctx)
	requests := make([]Request, 0, len(infos))
	for _, i := range infos {
		requests = append(requests, Request{ID: i.ID, Name: i.Name})
	}
	return requests, err
}

func (d *Device) pending(ctx context.Context) ([]memberInfo, error) {
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	r, err := call[pendingResponse](ctx, d.cloud, OpPending, s.bearer, nothing{})
	if err != nil {
		return nil, err
	}
	return r.Requests, nil
}

// Approve lets a device join whose request has this id. code is the one that the
// device shows; with another the request is not approved ([CodeMismatch]).
func (d *Device) Approve(ctx context.Context, requestID, code string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	infos, err := d.pending(ctx)
	if err != nil {
		return err
	}
	s, err := d.session()
	if err != nil {
		return err
	}
	for _, i := range infos {
		if i.ID == requestID {
			return d.admit(ctx, &s, i, code)
		}
	}
	return failure(UnknownRequest, "ask again on the new device", "no device waits with request %q", requestID)
}

func (d *Device) admit(ctx context.Context, s *session, i memberInfo, code string) error {
	if normalCode(code) != normalCode(joinCode(s.account, s.anchor, i.PublicKey)) {
		return failure(CodeMismatch, "compare it with the one that the new device shows", "the code %q is not that of %s", code, i.Name)
	}
	return d.atEpoch(ctx, s, func() error {
		box, err := d.wrap(s.ring, s.account, i.PublicKey)
		if err != nil {
			return err
		}
		_, err = call[nothing](ctx, d.cloud, OpApprove, s.bearer, approveRequest{i.ID, s.ring.epoch(), box})
		return err
	})
}

func normalCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// CompleteJoin takes over what an approval brought. Before the approval the error
// is [NotApproved]; ask again later. The credentials come with the next Sync.
func (d *Device) CompleteJoin(ctx context.Context) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err == nil {
		return failure(AlreadyMember, "", "%s has joined already", d.name)
	}
	if s.account == "" {
		return err
	}
	if err := d.refresh(ctx, &s); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.joined = true
	return d.commit()
}
