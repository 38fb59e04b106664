package reference

import (
	"context"
	"math"
	"time"

	"fido-emu/rp"
)

func (l local) signInMethods(_ context.Context, name string) ([]rp.Method, error) {
	return l.core.SignInMethods(name)
}

func (l local) beginMethod(ctx context.Context, name, purpose, attempt, kind string) (rp.Prompt, error) {
	return l.core.BeginMethod(rp.SignalsOf(ctx), name, purpose, attempt, kind)
}

func (l local) finishMethod(_ context.Context, attempt, answer string) (rp.Progress, Grant, error) {
	return l.core.FinishMethod(attempt, answer)
}

func (l local) resetPassword(_ context.Context, attempt, password string) error {
	return l.core.ResetPassword(attempt, password)
}

func (l local) addMethod(_ context.Context, token string, e rp.Enrolment) error {
	return l.core.AddMethod(token, e)
}

func (l local) setMethodPolicy(_ context.Context, policy rp.MethodPolicy) error {
	return l.core.SetMethodPolicy(policy)
}

func (l local) enrolMethod(_ context.Context, name string, e rp.Enrolment) error {
	return l.core.EnrolMethod(name, e)
}

func (l local) personMethods(_ context.Context, name string) ([]rp.Method, error) {
	return l.core.PersonMethods(name)
}

func (l local) removeMethods(_ context.Context, name string, kinds []string) error {
	return l.core.RemoveMethods(name, kinds...)
}

func (l local) dormantMethods(_ context.Context, since time.Duration, group string) ([]rp.Dormant, error) {
	return l.core.DormantMethods(since, group)
}

func (l local) outbox(_ context.Context, name string) ([]rp.Message, error) {
	return l.core.Outbox(name)
}

func (l local) answerPush(_ context.Context, id, answer, number string) error {
	return l.core.AnswerPush(id, answer, number)
}

func (l local) handOver(_ context.Context, address, holder string) error {
	return l.core.HandOver(address, holder)
}

func (l local) setAccessRules(_ context.Context, rules []rp.AccessRule) error {
	return l.core.SetAccessRules(rules)
}

func (l local) setRisk(_ context.Context, name, level string) error {
	return l.core.SetRisk(name, level)
}

func (l local) signIns(_ context.Context, name string) ([]rp.SignInEntry, error) {
	return l.core.SignIns(name, "", math.MaxInt)
}
