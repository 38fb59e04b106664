package reference

import (
	"context"
	"time"

	"fido-emu/rp"
)

var _ interface {
	rp.Fallbacks
	rp.MethodAdministration
	rp.ConditionalAccess
} = (*Adapter)(nil)

// methodService is the part of a service that is about methods and access.
type methodService interface {
	signInMethods(ctx context.Context, name string) ([]rp.Method, error)
	beginMethod(ctx context.Context, name, purpose, attempt, kind string) (rp.Prompt, error)
	finishMethod(ctx context.Context, attempt, answer string) (rp.Progress, Grant, error)
	resetPassword(ctx context.Context, attempt, password string) error
	addMethod(ctx context.Context, token string, e rp.Enrolment) error

	setMethodPolicy(ctx context.Context, policy rp.MethodPolicy) error
	enrolMethod(ctx context.Context, name string, e rp.Enrolment) error
	personMethods(ctx context.Context, name string) ([]rp.Method, error)
	removeMethods(ctx context.Context, name string, kinds []string) error
	dormantMethods(ctx context.Context, since time.Duration, group string) ([]rp.Dormant, error)
	outbox(ctx context.Context, name string) ([]rp.Message, error)
	answerPush(ctx context.Context, id, answer, number string) error
	handOver(ctx context.Context, address, holder string) error

	setAccessRules(ctx context.Context, rules []rp.AccessRule) error
	setRisk(ctx context.Context, name, level string) error
	signIns(ctx context.Context, name string) ([]rp.SignInEntry, error)
}

// SignInMethods lists the ways in that are offered to p, the first first.
func (a *Adapter) SignInMethods(ctx context.Context, p rp.Person) ([]rp.Method, error) {
	return a.service.signInMethods(ctx, p.Name)
}

// BeginMethod begins to prove with a method who p is.
func (a *Adapter) BeginMethod(ctx context.Context, p rp.Person, purpose, attempt, kind string) (rp.Prompt, error) {
	return a.service.beginMethod(ctx, p.Name, purpose, attempt, kind)
}

// FinishMethod takes what was typed.
func (a *Adapter) FinishMethod(ctx context.Context, _ rp.Person, attempt, answer string) (rp.Progress, error) {
	progress, g, err := a.service.finishMethod(ctx, attempt, answer)
	if err == nil && progress.Session != nil {
		_, err = a.welcomeIn(ctx, g, nil)
	}
	return progress, err
}

// ResetPassword sets a new password once a reset is ready.
func (a *Adapter) ResetPassword(ctx context.Context, _ rp.Person, attempt, password string) error {
	return a.service.resetPassword(ctx, attempt, password)
}

// AddMethod adds a method to the account of p, who is signed in.
func (a *Adapter) AddMethod(ctx context.Context, p rp.Person, e rp.Enrolment) error {
	return a.service.addMethod(ctx, a.tokenIn(ctx, p), e)
}

// SetMethodPolicy says which methods are taken, and how.
func (a *Adapter) SetMethodPolicy(ctx context.Context, policy rp.MethodPolicy) error {
	return a.service.setMethodPolicy(ctx, policy)
}

// EnrolMethod adds a method to the account of p as an administrator.
func (a *Adapter) EnrolMethod(ctx context.Context, p rp.Person, e rp.Enrolment) error {
	return a.service.enrolMethod(ctx, p.Name, e)
}

// PersonMethods lists all methods of p.
func (a *Adapter) PersonMethods(ctx context.Context, p rp.Person) ([]rp.Method, error) {
	return a.service.personMethods(ctx, p.Name)
}

// RemoveMethods removes methods of p that are no passkeys.
func (a *Adapter) RemoveMethods(ctx context.Context, p rp.Person, kinds ...string) error {
	return a.service.removeMethods(ctx, p.Name, kinds)
}

// DormantMethods lists phishable methods that were not used for so long.
func (a *Adapter) DormantMethods(ctx context.Context, since time.Duration, group string) ([]rp.Dormant, error) {
	return a.service.dormantMethods(ctx, since, group)
}

// Outbox lists what was sent to p, oldest first.
func (a *Adapter) Outbox(ctx context.Context, p rp.Person) ([]rp.Message, error) {
	return a.service.outbox(ctx, p.Name)
}

// AnswerPush answers a request in the app.
func (a *Adapter) AnswerPush(ctx context.Context, id, answer, number string) error {
	return a.service.answerPush(ctx, id, answer, number)
}

// HandOver says who holds a phone, an app or a mailbox.
func (a *Adapter) HandOver(ctx context.Context, address, holder string) error {
	return a.service.handOver(ctx, address, holder)
}

// SetAccessRules sets all rules of Conditional Access.
func (a *Adapter) SetAccessRules(ctx context.Context, rules []rp.AccessRule) error {
	return a.service.setAccessRules(ctx, rules)
}

// SetRisk sets the user risk of p.
func (a *Adapter) SetRisk(ctx context.Context, p rp.Person, level string) error {
	return a.service.setRisk(ctx, p.Name, level)
}

// SignIns lists the sign-ins of p, oldest first.
func (a *Adapter) SignIns(ctx context.Context, p rp.Person) ([]rp.SignInEntry, error) {
	return a.service.signIns(ctx, p.Name)
}

// browser names the browser in which somebody acts for p: a stranger's is kept
// apart from p's own.
func browser(ctx context.Context, name string) string {
	if rp.SignalsOf(ctx).Stranger {
		return "stranger\x00" + fold(name)
	}
	return fold(name)
}

func (a *Adapter) tokenIn(ctx context.Context, p rp.Person) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens[browser(ctx, p.Name)]
}

func (a *Adapter) welcomeIn(ctx context.Context, g Grant, err error) (rp.Session, error) {
	if err != nil {
		return rp.Session{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[browser(ctx, g.Session.Person)] = g.Token
	return g.Session, nil
}
