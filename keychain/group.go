package keychain

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"errors"
)

// Recovery groups, in outline as in AgileBits' 1Password Security Design, "Restoring a
// user's access to a vault": the group has a key pair; whoever trusts it wraps the domain
// key to it; its members can open that, and the service keeps from them what the domain
// key decrypts. Only when the owner has answered a mail does it give out the wrapped key.

// Group is what one needs to know of a recovery group to trust it.
type Group struct {
	Account   string `json:"account"` // id of the account that holds it
	PublicKey []byte `json:"publicKey"`
}

// MakeGroup makes a recovery group that the devices of this account hold, or returns the
// one that they hold already.
func (d *Device) MakeGroup(ctx context.Context) (Group, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return Group{}, err
	}
	key, err := d.groupKey(ctx, &s)
	if err == nil {
		return Group{s.account, key.PublicKey().Bytes()}, nil
	}
	if !errors.Is(err, NoRecovery) {
		return Group{}, err
	}
	d.mu.Lock()
	key, err = newP256(d.env.Rand)
	d.mu.Unlock()
	if err != nil {
		return Group{}, err
	}
	g := Group{s.account, key.PublicKey().Bytes()}
	return g, d.atEpoch(ctx, &s, func() error {
		d.mu.Lock()
		sealed, err := sealSecret(d.env.Rand, s.ring.current().raw, s.account, ByGroup, key.Bytes())
		d.mu.Unlock()
		if err != nil {
			return err
		}
		_, err = call[nothing](ctx, d.cloud, OpGroup, s.bearer, groupRequest{s.account, g.PublicKey, s.ring.epoch(), sealed})
		return err
	})
}

// TrustGroup lets a recovery group help, in place of an earlier one.
func (d *Device) TrustGroup(ctx context.Context, g Group) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return err
	}
	return d.leave(ctx, &s, spareRequest{ID: string(ByGroup), Way: ByGroup, PublicKey: g.PublicKey, Group: g.Account})
}

// BeginGroupRecovery begins to recover somebody's account, on a device that holds the
// recovery group. The service writes to the owner.
func (d *Device) BeginGroupRecovery(ctx context.Context, account string) error {
	s, err := d.session()
	if err != nil {
		return err
	}
	_, err = call[nothing](ctx, d.cloud, OpCaseStart, s.bearer, caseRequest{accountID(account)})
	return err
}

// ConfirmGroupRecovery is the owner's answer, on a new device: the token of the mail, and
// a new account secret. The device shows the code of the request; CompleteJoin goes on
// once the group has finished.
func (d *Device) ConfirmGroupRecovery(ctx context.Context, account, token, secret string) (Request, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	identity, l, err := d.prepare(account, secret)
	if err != nil {
		return Request{}, err
	}
	in, err := call[admission](ctx, d.cloud, OpCaseConfirm, nil, caseConfirm{l, token, d.info(identity)})
	if err != nil {
		return Request{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enter(l.Account, identity, in)
	return Request{in.Member, d.name, joinCode(l.Account, in.Anchor, identity.PublicKey().Bytes())}, d.commit()
}

// FinishGroupRecovery gives the account to the device that waits, if it shows this code.
// Before the owner has answered, the error is [NotConfirmed].
func (d *Device) FinishGroupRecovery(ctx context.Context, account, code string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return err
	}
	id := accountID(account)
	b, err := call[caseBox](ctx, d.cloud, OpCaseBox, s.bearer, caseRequest{id})
	if err != nil {
		return err
	}
	if normalCode(code) != normalCode(joinCode(id, b.Anchor, b.Device.PublicKey)) {
		return failure(CodeMismatch, "ask the owner, on a way that you trust", "the code %q is not that of %s", code, b.Device.Name)
	}
	raw, err := d.openCase(ctx, &s, id, b)
	if err != nil {
		return err
	}
	box, err := d.wrapCase(id, b, raw)
	if err != nil {
		return err
	}
	_, err = call[nothing](ctx, d.cloud, OpCaseFinish, s.bearer, caseFinish{id, b.Epoch, box})
	return err
}

// openCase opens the domain key of the account that is recovered with the group's key.
func (d *Device) openCase(ctx context.Context, s *session, id string, b *caseBox) ([]byte, error) {
	key, err := d.groupKey(ctx, s)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(key.PublicKey().Bytes(), b.PublicKey) {
		return nil, damaged("the account was wrapped to another group")
	}
	raw, err := openBox(key, nil, boxHeader(id, b.Epoch, memberID(b.PublicKey)), b.Box)
	if err != nil {
		return nil, &Error{Code: Damaged, Message: "the domain key that was wrapped to the group", Err: err}
	}
	return raw, nil
}

// groupKey opens the key of the group that the account holds.
func (d *Device) groupKey(ctx context.Context, s *session) (*ecdh.PrivateKey, error) {
	g, err := call[groupRequest](ctx, d.cloud, OpGroupKey, s.bearer, nothing{})
	if err != nil {
		return nil, err
	}
	if g.Epoch > s.ring.epoch() {
		if err := d.refresh(ctx, s); err != nil {
			return nil, err
		}
	}
	sealing, err := s.ring.key(g.Epoch)
	if err != nil {
		return nil, err
	}
	return openSecret(sealing.raw, s.account, ByGroup, g.Sealed)
}

// wrapCase wraps it to the device that waits.
func (d *Device) wrapCase(id string, b *caseBox, raw []byte) ([]byte, error) {
	to, err := ecdh.P256().NewPublicKey(b.Device.PublicKey)
	if err != nil {
		return nil, damaged("a public key that is not one: %v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return sealBox(d.env.Rand, to, nil, boxHeader(id, b.Epoch, b.Device.ID), raw)
}
