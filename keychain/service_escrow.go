package keychain

import "crypto/subtle"

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
	return nothing{}, v.commit(&escrowRecord{
		Account: v.acct.ID, Salt: r.Salt, Iterations: r.Iterations, Verifier: verifier(r.Salt, r.Proof),
		Sealed: r.Sealed, PublicKey: r.PublicKey, Box: r.Box, TriesLeft: v.provider.EscrowTries,
	})
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

// record returns the escrow record while there are tries left.
func (v *visit) record() (*escrowRecord, error) {
	e := v.acct.escrow
	switch {
	case e == nil:
		return nil, failure(NoEscrow, "without a device of the account what is in it is lost; reset it to begin anew", "the account has no escrow record")
	case e.Destroyed || e.TriesLeft == 0:
		return nil, failure(EscrowDestroyed, "join by a device of the account, or reset it to begin anew", "the escrow record was destroyed after too many wrong passcodes")
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
	admitted, err := v.admit(&v.acct.accountRecord, r.Device, stateRecovering, nil)
	if err != nil {
		return nil, err
	}
	return openResponse{*admitted, e.Sealed, keysResponse{v.acct.Epoch, e.Box, v.acct.Links}}, nil
}

// try counts a try, durably, and then compares. The last wrong one destroys the
// record; a right one gives all tries back.
func (v *visit) try(e *escrowRecord, proof []byte) error {
	counted := *e
	counted.TriesLeft--
	if err := v.commit(&counted); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(verifier(e.Salt, proof), e.Verifier) == 1 {
		restored := counted
		restored.TriesLeft = v.provider.EscrowTries
		return v.commit(&restored)
	}
	if counted.TriesLeft > 0 {
		refused := failure(WrongPasscode, "after the last try the record is destroyed", "the passcode is wrong; %d tries left", counted.TriesLeft)
		refused.TriesLeft = &counted.TriesLeft
		return refused
	}
	if err := v.commit(&escrowRecord{Account: e.Account, Destroyed: true}); err != nil {
		return err
	}
	refused := failure(EscrowDestroyed, "join by a device of the account, or reset it to begin anew", "the passcode was wrong and that was the last try: the escrow record is destroyed")
	refused.TriesLeft = new(uint)
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
