package reference

import (
	"context"
	"errors"

	"fido-emu/rp"
)

// local is the service of a core in this process.
type local struct{ core *Core }

func (l local) beginRegistration(_ context.Context, token string, p rp.Person) (Begun, error) {
	return l.core.BeginRegistration(token, p)
}

func (l local) finishRegistration(_ context.Context, token, ceremony string, response []byte) (Registered, error) {
	return l.core.FinishRegistration(token, ceremony, response)
}

func (l local) beginSignIn(_ context.Context, name string) (Begun, error) {
	return l.core.BeginSignIn(name)
}

func (l local) finishSignIn(ctx context.Context, ceremony string, response []byte) (Grant, error) {
	return l.core.FinishSignInFrom(rp.SignalsOf(ctx), ceremony, response)
}

func (l local) redeemPass(ctx context.Context, name, pass string) (Grant, error) {
	return l.core.RedeemPassFrom(rp.SignalsOf(ctx), name, pass)
}

func (l local) session(_ context.Context, token string) (Grant, error) { return l.core.Session(token) }
func (l local) signOut(_ context.Context, token string) error          { return l.core.SignOut(token) }

func (l local) credentials(_ context.Context, token string) ([]rp.Credential, error) {
	return l.core.Credentials(token)
}

func (l local) renameCredential(_ context.Context, token string, id []byte, name string) error {
	return l.core.RenameCredential(token, id, name)
}

func (l local) deleteCredential(_ context.Context, token string, id []byte) error {
	return l.core.DeleteCredential(token, id)
}

func (l local) addPerson(_ context.Context, p rp.Person) error { return l.core.AddPerson(p) }

func (l local) expect(_ context.Context, name string, groups []string) error {
	return l.core.Expect(name, groups)
}

func (l local) personCredentials(_ context.Context, name string) ([]rp.Credential, error) {
	account, err := l.core.Account(name)
	return account.Credentials, err
}

func (l local) issuePass(_ context.Context, r PassRequest) (string, error) {
	return l.core.IssuePass(r)
}

func (l local) revokeSessions(_ context.Context, name string) error {
	return l.core.RevokeSessions(name)
}

func (l local) revokeCredentials(_ context.Context, name string, ids [][]byte) error {
	return l.core.RevokeCredentials(name, ids...)
}

func (l local) setPolicy(_ context.Context, group string, policy rp.Policy) error {
	return l.core.SetPolicy(group, policy)
}

func isRefused(err error, code string) bool {
	var no *rp.Refused
	return errors.As(err, &no) && no.Code == code
}
