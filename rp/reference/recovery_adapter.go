package reference

import (
	"context"

	"fido-emu/rp"
)

var _ rp.IdentityRecovery = (*Adapter)(nil)

// recoveryService is the part of a service that is about account recovery.
type recoveryService interface {
	startRecovery(ctx context.Context, name string, ask rp.RecoveryAsk) (rp.RecoveryCase, error)
	recoveryStatus(ctx context.Context, id, secret string) (rp.RecoveryStatus, error)

	setIdentity(ctx context.Context, name string, id rp.Identity) error
	setRecoveryPolicy(ctx context.Context, policy rp.RecoveryPolicy) error
	recoveryNotices(ctx context.Context, name string) ([]rp.RecoveryNotice, error)
	recoveryLog(ctx context.Context, name string) ([]rp.RecoveryEvent, error)
}

// StartRecovery begins a case for p, who is signed in nowhere.
func (a *Adapter) StartRecovery(ctx context.Context, p rp.Person, ask rp.RecoveryAsk) (rp.RecoveryCase, error) {
	return a.service.startRecovery(ctx, p.Name, ask)
}

// RecoveryStatus tells how a case stands.
func (a *Adapter) RecoveryStatus(ctx context.Context, c rp.RecoveryCase) (rp.RecoveryStatus, error) {
	return a.service.recoveryStatus(ctx, c.ID, c.Secret)
}

// SetIdentity says what the directory has on p.
func (a *Adapter) SetIdentity(ctx context.Context, p rp.Person, id rp.Identity) error {
	return a.service.setIdentity(ctx, p.Name, id)
}

// SetRecoveryPolicy says who may recover and how.
func (a *Adapter) SetRecoveryPolicy(ctx context.Context, policy rp.RecoveryPolicy) error {
	return a.service.setRecoveryPolicy(ctx, policy)
}

// RecoveryNotices returns what p was told of recoveries.
func (a *Adapter) RecoveryNotices(ctx context.Context, p rp.Person) ([]rp.RecoveryNotice, error) {
	return a.service.recoveryNotices(ctx, p.Name)
}

// RecoveryLog returns what was logged of recoveries of p.
func (a *Adapter) RecoveryLog(ctx context.Context, p rp.Person) ([]rp.RecoveryEvent, error) {
	return a.service.recoveryLog(ctx, p.Name)
}

func (l local) startRecovery(ctx context.Context, name string, ask rp.RecoveryAsk) (rp.RecoveryCase, error) {
	return l.core.StartRecovery(ctx, name, "", ask)
}

func (l local) recoveryStatus(ctx context.Context, id, secret string) (rp.RecoveryStatus, error) {
	return l.core.RecoveryStatus(ctx, id, secret)
}

func (l local) setIdentity(_ context.Context, name string, id rp.Identity) error {
	return l.core.SetIdentity(name, id)
}

func (l local) setRecoveryPolicy(_ context.Context, policy rp.RecoveryPolicy) error {
	return l.core.SetRecoveryPolicy(policy)
}

func (l local) recoveryNotices(_ context.Context, name string) ([]rp.RecoveryNotice, error) {
	return l.core.RecoveryNotices(name)
}

func (l local) recoveryLog(_ context.Context, name string) ([]rp.RecoveryEvent, error) {
	return l.core.RecoveryLog(name), nil
}
