package reference

import (
	"context"
	"sync"
	"time"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// Adapter drives a reference relying party for the harness: in this process, see
// [InProcess], or over HTTP, see [Dial]. It keeps the sessions of the people it
// signs in.
type Adapter struct {
	service service
	origin  string

	mu     sync.Mutex
	tokens map[string]string // by folded user name
}

var _ interface {
	rp.RelyingParty
	rp.SessionManager
	rp.CredentialManager
	rp.Administration
	rp.Directory
	rp.Recovery
} = (*Adapter)(nil)

// service is what a relying party offers to an adapter: what [Core] does, here or
// at the other end of a connection. A token is the session's; it is empty where
// there is none.
type service interface {
	beginRegistration(ctx context.Context, token string, p rp.Person) (Begun, error)
	finishRegistration(ctx context.Context, token, ceremony string, response []byte) (Registered, error)
	beginSignIn(ctx context.Context, name string) (Begun, error)
	finishSignIn(ctx context.Context, ceremony string, response []byte) (Grant, error)
	redeemPass(ctx context.Context, name, pass string) (Grant, error)
	session(ctx context.Context, token string) (Grant, error)
	signOut(ctx context.Context, token string) error
	credentials(ctx context.Context, token string) ([]rp.Credential, error)
	renameCredential(ctx context.Context, token string, id []byte, name string) error
	deleteCredential(ctx context.Context, token string, id []byte) error

	addPerson(ctx context.Context, p rp.Person) error
	expect(ctx context.Context, name string, groups []string) error
	personCredentials(ctx context.Context, name string) ([]rp.Credential, error)
	issuePass(ctx context.Context, r PassRequest) (string, error)
	revokeSessions(ctx context.Context, name string) error
	revokeCredentials(ctx context.Context, name string, ids [][]byte) error
	setPolicy(ctx context.Context, group string, policy rp.Policy) error

	methodService
	profileService
	recoveryService
}

// InProcess returns an adapter to a relying party in this process, whose pages
// people see at origin: one of Config.Origins, or the first when empty.
func InProcess(core *Core, origin string) *Adapter {
	if origin == "" {
		origin = core.config.Origins[0]
	}
	return newAdapter(local{core}, origin)
}

func newAdapter(s service, origin string) *Adapter {
	return &Adapter{service: s, origin: origin, tokens: map[string]string{}}
}

// Origin returns the origin of the pages that people see.
func (a *Adapter) Origin() string { return a.origin }

// Register adds a passkey to the account of p, who is signed in or signs up. For
// somebody who signs up and has groups, an administrator says so first.
func (a *Adapter) Register(ctx context.Context, p rp.Person, client webauthn.Client) (rp.Credential, error) {
	token := a.tokenIn(ctx, p)
	if token == "" && len(p.Groups) > 0 {
		err := a.service.expect(ctx, p.Name, p.Groups)
		if err != nil && !isRefused(err, PersonExists) {
			return rp.Credential{}, err
		}
	}
	begun, err := a.service.beginRegistration(ctx, token, p)
	if err != nil {
		return rp.Credential{}, err
	}
	response, err := client.Create(ctx, a.origin, begun.Options)
	if err != nil {
		return rp.Credential{}, err
	}
	done, err := a.service.finishRegistration(ctx, token, begun.Ceremony, response)
	if err != nil {
		return rp.Credential{}, err
	}
	if done.Grant != nil {
		_, err = a.welcomeIn(ctx, *done.Grant, nil)
	}
	return done.Credential, err
}

// SignIn signs p in with a passkey, or whomever the authenticator names.
func (a *Adapter) SignIn(ctx context.Context, p rp.Person, client webauthn.Client) (rp.Session, error) {
	begun, err := a.service.beginSignIn(ctx, p.Name)
	if err != nil {
		return rp.Session{}, err
	}
	response, err := client.Get(ctx, a.origin, begun.Options)
	if err != nil {
		return rp.Session{}, err
	}
	g, err := a.service.finishSignIn(ctx, begun.Ceremony, response)
	return a.welcomeIn(ctx, g, err)
}

// RedeemPass signs p in with a Temporary Access Pass; the session may only
// register a passkey.
func (a *Adapter) RedeemPass(ctx context.Context, p rp.Person, pass string) (rp.Session, error) {
	g, err := a.service.redeemPass(ctx, p.Name, pass)
	return a.welcomeIn(ctx, g, err)
}

// SignOut ends the session that p has here.
func (a *Adapter) SignOut(ctx context.Context, p rp.Person) error {
	token := a.token(p)
	if token == "" {
		return nil
	}
	a.mu.Lock()
	delete(a.tokens, fold(p.Name))
	a.mu.Unlock()
	return a.service.signOut(ctx, token)
}

// SignedIn tells whether the session that p has here still stands.
func (a *Adapter) SignedIn(ctx context.Context, p rp.Person) (bool, error) {
	token := a.tokenIn(ctx, p)
	if token == "" {
		return false, nil
	}
	_, err := a.service.session(ctx, token)
	if isRefused(err, SignInRequired) {
		return false, nil
	}
	return err == nil, err
}

// Credentials lists the passkeys of p, who is signed in.
func (a *Adapter) Credentials(ctx context.Context, p rp.Person) ([]rp.Credential, error) {
	return a.service.credentials(ctx, a.token(p))
}

// RenameCredential renames a passkey of p, who is signed in.
func (a *Adapter) RenameCredential(ctx context.Context, p rp.Person, id []byte, name string) error {
	return a.service.renameCredential(ctx, a.token(p), id, name)
}

// DeleteCredential deletes a passkey of p, who is signed in.
func (a *Adapter) DeleteCredential(ctx context.Context, p rp.Person, id []byte) error {
	return a.service.deleteCredential(ctx, a.token(p), id)
}

// AddPerson makes an account with its groups, without any way to sign in.
func (a *Adapter) AddPerson(ctx context.Context, p rp.Person) error {
	return a.service.addPerson(ctx, p)
}

// PersonCredentials lists the passkeys of p, who need not be signed in.
func (a *Adapter) PersonCredentials(ctx context.Context, p rp.Person) ([]rp.Credential, error) {
	return a.service.personCredentials(ctx, p.Name)
}

// IssuePass issues a pass that is good from now on.
func (a *Adapter) IssuePass(ctx context.Context, p rp.Person, lifetime time.Duration, once bool) (string, error) {
	return a.IssuePassFrom(ctx, p, time.Time{}, lifetime, once)
}

// IssuePassFrom issues a pass that is good from start on.
func (a *Adapter) IssuePassFrom(ctx context.Context, p rp.Person, start time.Time, lifetime time.Duration, once bool) (string, error) {
	return a.service.issuePass(ctx, PassRequest{Person: p.Name, Start: start, Lifetime: lifetime, Once: once})
}

// RevokeSessions ends all sessions of p everywhere.
func (a *Adapter) RevokeSessions(ctx context.Context, p rp.Person) error {
	return a.service.revokeSessions(ctx, p.Name)
}

// RevokeCredentials removes passkeys of p: those with these ids, or all.
func (a *Adapter) RevokeCredentials(ctx context.Context, p rp.Person, ids ...[]byte) error {
	return a.service.revokeCredentials(ctx, p.Name, ids)
}

// SetPolicy sets the policy of a group, or the default when group is empty.
func (a *Adapter) SetPolicy(ctx context.Context, group string, policy rp.Policy) error {
	return a.service.setPolicy(ctx, group, policy)
}

func (a *Adapter) token(p rp.Person) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens[fold(p.Name)]
}
