package keychain

import (
	"context"
	"errors"
	"time"
)

// Member is a device of an account.
type Member struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"` // pending, recovering, member or revoked
	Self  bool   `json:"self"`  // the device that asked

	Via   JoinWay   `json:"via,omitempty"` // how it joined; empty for the founder, and where that was not noted
	Since time.Time `json:"since,omitzero"`
}

// Members lists the devices of the account, those that asked to join and those
// that were revoked, in the order in which they came.
func (d *Device) Members(ctx context.Context) ([]Member, error) {
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	r, err := call[membersResponse](ctx, d.cloud, OpMembers, s.bearer, nothing{})
	if err != nil {
		return nil, err
	}
	members := make([]Member, 0, len(r.Members))
	for _, m := range r.Members {
		one := Member{ID: m.ID, Name: m.Name, State: m.State, Self: m.ID == s.member, Via: m.Via}
		if m.Since != 0 {
			one.Since = time.Unix(0, m.Since).UTC()
		}
		members = append(members, one)
	}
	return members, nil
}

// Revoke removes a device, by its id or its name, and begins a new epoch: the
// device gets nothing more from the service, and could not decrypt what came
// after. What is on it stays on it.
func (d *Device) Revoke(ctx context.Context, member string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return err
	}
	return d.atEpoch(ctx, &s, func() error { return d.revoke(ctx, &s, member) })
}

func (d *Device) revoke(ctx context.Context, s *session, member string) error {
	r, err := call[membersResponse](ctx, d.cloud, OpMembers, s.bearer, nothing{})
	if err != nil {
		return err
	}
	gone, err := find(r.Members, member)
	if err != nil {
		return err
	}
	if gone.ID == s.member {
		return failure(UnknownMember, "revoke it from another device, or wipe it", "%s cannot revoke itself", d.name)
	}
	request, ring, err := d.rotate(s, r, gone.ID)
	if err != nil {
		return err
	}
	if _, err := call[nothing](ctx, d.cloud, OpRevoke, s.bearer, request); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ring = ring
	return d.commit()
}

// find returns the device with an id or a name that is not revoked.
func find(members []memberInfo, member string) (found memberInfo, err error) {
	for _, m := range members {
		if m.State == string(stateRevoked) || m.ID != member && m.Name != member {
			continue
		}
		if found.ID != "" {
			return found, failure(UnknownMember, "use its id", "several devices are called %q", member)
		}
		found = m
	}
	if found.ID == "" {
		return found, failure(UnknownMember, "", "no device %q is in the account", member)
	}
	return found, nil
}

// rotate makes the next domain key and wraps it to everyone but gone.
func (d *Device) rotate(s *session, r *membersResponse, gone string) (*revokeRequest, keyring, error) {
	d.mu.Lock()
	raw, err := randomBytes(d.env.Rand, keyLen)
	d.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	ring, err := s.ring.append(raw)
	if err != nil {
		return nil, nil, err
	}
	request := &revokeRequest{Member: gone, Epoch: ring.epoch()}
	if request.Link, err = d.link(s, ring); err != nil {
		return nil, nil, err
	}
	for _, m := range r.Members {
		if m.State != string(stateMember) || m.ID == gone {
			continue
		}
		box, err := d.wrap(ring, s.account, m.PublicKey)
		if err != nil {
			return nil, nil, err
		}
		request.Boxes = append(request.Boxes, wrapped{m.ID, box})
	}
	if r.EscrowKey != nil {
		if request.EscrowBox, err = d.wrap(ring, s.account, r.EscrowKey); err != nil {
			return nil, nil, err
		}
	}
	request.Spares, err = d.rewrapSpares(s, ring, r.Spares)
	return request, ring, err
}

func (d *Device) link(s *session, ring keyring) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sealLink(d.env.Rand, ring.current(), s.account, ring.epoch(), s.ring.current())
}

// atEpoch does something that needs the current domain key. When another device
// rotated it meanwhile, it gets the new one and tries again, a few times.
func (d *Device) atEpoch(ctx context.Context, s *session, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !errors.Is(err, StaleEpoch) || try == 4 {
			return err
		}
		if err := d.refresh(ctx, s); err != nil {
			return err
		}
	}
}
