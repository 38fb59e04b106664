package keychain

import (
	"crypto/sha256"
	"crypto/subtle"
)

// The service's part in recovery by a group. The group's key opens the domain key of
// whoever trusts it; it is the service that keeps what is encrypted from the group, and
// gives the wrapped key out only once the owner has answered a mail.

// groupRecord is a recovery group, held by the devices of an account.
type groupRecord struct {
	Account   string `cbor:"-"`
	PublicKey []byte `cbor:"1,keyasint"`
	Epoch     uint   `cbor:"2,keyasint"`
	Sealed    []byte `cbor:"3,keyasint"`
}

func (r *groupRecord) key() string      { return "group/" + r.Account }
func (r *groupRecord) apply(s *Service) { s.account(r.Account).group = r }

// caseRecord is a recovery under way, of the account that is recovered.
type caseRecord struct {
	Account string `cbor:"-"`
	Token   []byte `cbor:"1,keyasint,omitempty"` // SHA-256 of the mail's
	Member  string `cbor:"2,keyasint,omitempty"` // the device that waits; empty until the mail was answered
	Salt    []byte `cbor:"3,keyasint,omitempty"` // of the new account secret
	Proof   []byte `cbor:"4,keyasint,omitempty"` // its verifier
	Closed  bool   `cbor:"5,keyasint,omitempty"`
}

func (r *caseRecord) key() string      { return "case/" + r.Account }
func (r *caseRecord) apply(s *Service) { s.account(r.Account).recovery = r }

// makeGroup makes a recovery group of the asking device's account.
func (v *visit) makeGroup() (any, error) {
	r, err := parse[groupRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	if err := v.allow(ByGroup); err != nil {
		return nil, err
	}
	if err := checkPoint(r.PublicKey); err != nil {
		return nil, err
	}
	if err := checkBox(r.Sealed); err != nil {
		return nil, err
	}
	if r.Epoch != v.acct.Epoch {
		return nil, v.stale(r.Epoch)
	}
	if v.acct.group != nil {
		return nil, failure(AccountExists, "use it", "the account holds a recovery group already")
	}
	return nothing{}, v.commit(&groupRecord{v.acct.ID, r.PublicKey, r.Epoch, r.Sealed})
}

// groupKey gives a device of the group's account the group's key.
func (v *visit) groupKey() (any, error) {
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	g := v.acct.group
	if g == nil {
		return nil, failure(NoRecovery, "make one first", "the account holds no recovery group")
	}
	return groupRequest{v.acct.ID, g.PublicKey, g.Epoch, g.Sealed}, nil
}

// trusting returns the account of a case and its spare key for the asking device's group.
func (v *visit) trusting(id string) (*account, *spareRecord, error) {
	if err := v.identify(stateMember); err != nil {
		return nil, nil, err
	}
	if err := v.allow(ByGroup); err != nil {
		return nil, nil, err
	}
	if a := v.accounts[id]; a != nil {
		for _, s := range a.spares {
			if s.Way == ByGroup && s.Group == v.acct.ID {
				return a, s, nil
			}
		}
	}
	return nil, nil, failure(NoRecovery, "its owner has to choose the group while there is a device left", "that account does not trust this group")
}

// startCase begins a recovery: a mail with a token goes to the owner.
func (v *visit) startCase() (any, error) {
	r, err := parse[caseRequest](v.body)
	if err != nil {
		return nil, err
	}
	a, _, err := v.trusting(r.Account)
	if err != nil {
		return nil, err
	}
	token, err := digits(v.rand, 19)
	if err != nil {
		return nil, err
	}
	by := v.member.Name
	v.acct = a
	hash := sha256.Sum256([]byte(token))
	if err := v.commit(v.noted(NoticeRecovery, by, &caseRecord{Account: a.ID, Token: hash[:]})...); err != nil {
		return nil, err
	}
	v.send(Message{a.ID, "mail", "Somebody of your recovery group began to recover your account. To go on, use " + token + ".", token})
	return nothing{}, nil
}

// confirmCase takes the owner's answer to the mail: a new secret, and the device that is
// to have the account.
func (v *visit) confirmCase() (any, error) {
	r, err := parse[caseConfirm](v.body)
	if err != nil {
		return nil, err
	}
	v.event.Device, v.event.Account = r.Device.Name, r.Account
	a := v.accounts[r.Account]
	hash := sha256.Sum256([]byte(r.Token))
	if a == nil || a.recovery == nil || a.recovery.Closed || a.recovery.Member != "" || subtle.ConstantTimeCompare(hash[:], a.recovery.Token) != 1 {
		return nil, failure(NotConfirmed, "use the token of the newest mail, once", "no recovery waits for this token")
	}
	v.acct = a
	changed, err := v.withSecret(r.Proof)
	if err != nil {
		return nil, err
	}
	if err := r.Device.check(); err != nil {
		return nil, err
	}
	confirmed := *a.recovery
	confirmed.Member, confirmed.Salt, confirmed.Proof = memberID(r.Device.PublicKey), changed.Salt, changed.Verifier
	return v.admit(&a.accountRecord, r.Device, memberRecord{State: statePending, Via: ByGroup}, &confirmed)
}

// confirmed returns a case that the owner has confirmed, with the device that waits.
func (v *visit) confirmed(id string) (*account, *spareRecord, *memberRecord, error) {
	a, s, err := v.trusting(id)
	if err != nil {
		return nil, nil, nil, err
	}
	if a.recovery == nil || a.recovery.Closed || a.recovery.Member == "" {
		return nil, nil, nil, failure(NotConfirmed, "wait for the owner to answer the mail", "the owner has not confirmed")
	}
	return a, s, a.members[a.recovery.Member], nil
}

// caseBox gives the group the wrapped domain key of a confirmed case, and nothing that
// it decrypts.
func (v *visit) caseBox() (any, error) {
	r, err := parse[caseRequest](v.body)
	if err != nil {
		return nil, err
	}
	a, s, m, err := v.confirmed(r.Account)
	if err != nil {
		return nil, err
	}
	return caseBox{a.Epoch, s.Box, s.PublicKey, a.Anchor, memberInfo{m.ID, m.Name, string(m.State), m.PublicKey, m.Via, m.Since}}, nil
}

// finishCase makes a member of the device that waited, and the new secret the account's.
func (v *visit) finishCase() (any, error) {
	r, err := parse[caseFinish](v.body)
	if err != nil {
		return nil, err
	}
	a, _, m, err := v.confirmed(r.Account)
	if err != nil {
		return nil, err
	}
	v.acct = a
	if m.State != statePending {
		return nil, failure(UnknownRequest, "begin again", "the device that waited waits no more")
	}
	secret := a.accountRecord
	secret.Salt, secret.Verifier = a.recovery.Salt, a.recovery.Proof
	return nothing{}, v.promote(m, r.Epoch, r.Box, &secret, &caseRecord{Account: a.ID, Closed: true})
}
