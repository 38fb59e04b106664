package keychain

import (
	"crypto/subtle"
	"time"
)

// The escrow part of the service stands in for a hardware security module: it
// counts tries and forgets.

const (
	minIterations = 1000
	maxIterations = 10_000_000
)

// deposit takes an escrow record, in place of an earlier one.
func (v *visit) deposit() (any, error) {
	r, err := parse[depositRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	if err := v.allow(ByEscrow); err != nil {
		return nil, err
	}
	if r.Epoch != v.acct.Epoch {
		return nil, v.stale(r.Epoch)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return nothing{}, v.commit(v.noted(NoticeSetUp, v.member.Name, &escrowRecord{
		Account: v.acct.ID, Salt: r.Salt, Iterations: r.Iterations, Verifier: verifier(r.Salt, r.Proof),
		Sealed: r.Sealed, PublicKey: r.PublicKey, Box: r.Box, TriesLeft: v.provider.Escrow.Tries,
	})...)
}

func (r *depositRequest) check() error {
	if len(r.Salt) < 16 || len(r.Salt) > 64 || r.Iterations < minIterations || r.Iterations > maxIterations {
		return failure(BadRequest, "", "a salt has 16 to 64 bytes, and iterations are %d to %d", minIterations, maxIterations)
	}
	if len(r.Proof) < 16 || len(r.Proof) > 64 || len(r.Sealed) == 0 || len(r.Sealed) > maxBox {
		return failure(BadRequest, "", "a proof has 16 to 64 bytes, and a sealed key 1 to %d", maxBox)
	}
	if err := checkPoint(r.PublicKey); err != nil {
		return err
	}
	return checkBox(r.Box)
}

// record returns the escrow record while it may be tried.
func (v *visit) record() (*escrowRecord, error) {
	e := v.acct.escrow
	switch {
	case e == nil:
		return nil, failure(NoEscrow, "without a device of the account what is in it is lost; reset it to begin anew", "the account has no escrow record")
	case e.Destroyed || e.TriesLeft == 0 && v.provider.Escrow.AtEnd == Destroyed:
		return nil, failure(EscrowDestroyed, "join by a device of the account, or reset it to begin anew", "the escrow record was destroyed after too many wrong passcodes")
	case v.now().UnixNano() < e.LockedUntil:
		return nil, failure(EscrowLocked, "wait, or join by a device of the account", "the escrow record is locked until %s", time.Unix(0, e.LockedUntil).UTC().Format(time.RFC3339))
	}
	return e, nil
}

// params tells with what to derive the proof from a passcode.
func (v *visit) params() (any, error) {
	r, err := parse[paramsRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.authenticate(r.login); err != nil {
		return nil, err
	}
	if err := v.allow(ByEscrow); err != nil {
		return nil, err
	}
	e, err := v.record()
	if err != nil {
		return nil, err
	}
	return paramsResponse{e.Salt, e.Iterations, e.TriesLeft}, nil
}

// open gives the sealed recovery key to who knows the passcode.
func (v *visit) open() (any, error) {
	r, err := parse[openRequest](v.body)
	if err != nil {
		return nil, err
	}
	v.event.Device = r.Device.Name
	if err := v.authenticate(r.login); err != nil {
		return nil, err
	}
	if err := v.allow(ByEscrow); err != nil {
		return nil, err
	}
	if err := r.Device.check(); err != nil {
		return nil, err
	}
	e, err := v.record()
	if err != nil {
		return nil, err
	}
	if err := v.try(e, r.Passcode); err != nil {
		return nil, err
	}
	e = v.acct.escrow
	admitted, err := v.admit(&v.acct.accountRecord, r.Device, memberRecord{State: stateRecovering, Via: ByEscrow})
	if err != nil {
		return nil, err
	}
	return openResponse{*admitted, e.Sealed, keysResponse{v.acct.Epoch, e.Box, v.acct.Links}}, nil
}

// try counts a try, durably and with what follows from the last one, and then
// compares. A right one gives all tries back.
func (v *visit) try(e *escrowRecord, proof []byte) error {
	counted := v.counted(e)
	if err := v.commit(counted); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(verifier(e.Salt, proof), e.Verifier) == 1 {
		restored := *counted
		restored.TriesLeft, restored.Ends, restored.LockedUntil = v.provider.Escrow.Tries, 0, 0
		return v.commit(&restored)
	}
	switch {
	case v.provider.Escrow.AtEnd == Never:
		return v.wrong(NoticeWrong, counted, failure(WrongPasscode, "there is no end to trying", "the passcode is wrong"))
	case counted.LockedUntil > e.LockedUntil:
		wait := time.Duration(counted.LockedUntil - v.now().UnixNano())
		refused := failure(EscrowLocked, "wait, or join by a device of the account", "the passcode was wrong, and the escrow record is locked for %s", wait)
		refused.TriesLeft = new(uint)
		return v.wrong(NoticeLocked, counted, refused)
	case counted.TriesLeft > 0:
		refused := failure(WrongPasscode, "after the last try the record is "+string(v.provider.Escrow.AtEnd), "the passcode is wrong; %d tries left", counted.TriesLeft)
		refused.TriesLeft = &counted.TriesLeft
		return v.wrong(NoticeWrong, counted, refused)
	}
	refused := failure(EscrowDestroyed, "join by a device of the account, or reset it to begin anew", "the passcode was wrong and that was the last try: the escrow record is destroyed")
	refused.TriesLeft = new(uint)
	return v.wrong(NoticeDestroyed, &escrowRecord{Account: e.Account, Destroyed: true}, refused)
}

// counted returns the record with one try less. Where the last one locks it, it is
// locked already, and one try is left for afterwards: nobody gains one by cutting the
// power.
func (v *visit) counted(e *escrowRecord) *escrowRecord {
	c, rule := *e, v.provider.Escrow
	if rule.AtEnd == Never || c.TriesLeft == 0 && rule.AtEnd == Destroyed {
		return &c
	}
	if c.TriesLeft > 1 || rule.AtEnd == Destroyed {
		c.TriesLeft--
		return &c
	}
	minutes := rule.LockMinutes[min(int(c.Ends), len(rule.LockMinutes)-1)]
	c.Ends, c.TriesLeft = c.Ends+1, 1
	c.LockedUntil = v.now().Add(time.Duration(minutes) * time.Minute).UnixNano()
	return &c
}

// wrong notes what a wrong passcode led to, and refuses it.
func (v *visit) wrong(kind Kind, e *escrowRecord, refused *Error) error {
	if err := v.commit(v.noted(kind, v.event.Device, e)...); err != nil {
		return err
	}
	return refused
}

// finish makes a member of a device that opened the escrow.
func (v *visit) finish() (any, error) {
	r, err := parse[finishRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateRecovering); err != nil {
		return nil, err
	}
	return nothing{}, v.promote(v.member, r.Epoch, r.Box)
}
