package graph

import (
	"encoding/json"
	"time"

	"fido-emu/rp"
)

// Tenant is what Graph is about: an identity provider with its people, groups and
// policies. Its methods may be called from several goroutines at once. A refusal is an
// *[rp.Refused] with an HTTP status; any other error is a failure of the server. Where
// a user is meant, key is an id or a user name, and it is refused with status 404 when
// there is none.
type Tenant interface {
	Users() []User // in the order in which they were made
	User(key string) (User, error)
	AddUser(name, displayName string) (User, error)
	RevokeSessions(key string) error

	Groups() []Group // in an order that does not change
	AddGroup(name string) (Group, error)
	// SetMember puts a user into a group, by its id, or takes them out of it.
	SetMember(key, group string, member bool) error

	Passkeys(key string) ([]Passkey, error)
	BeginPasskey(key string, lifetime time.Duration) (Options, error)
	// FinishPasskey takes a RegistrationResponseJSON.
	FinishPasskey(key, displayName string, response []byte) (Passkey, error)
	DeletePasskey(key string, id []byte) error

	// Pass returns the Temporary Access Pass of a user, nil when there is none.
	Pass(key string) (*Pass, error)
	IssuePass(key string, start time.Time, lifetime time.Duration, once bool) (*Pass, error)
	DeletePass(key string) error

	PasskeyProfiles() rp.PasskeyProfiles
	SetPasskeyProfiles(all rp.PasskeyProfiles) error
	// CredentialPreferences name groups by their names.
	CredentialPreferences() rp.SystemPreference
	SetCredentialPreferences(p rp.SystemPreference) error

	// SignIns returns the sign-ins of a user name or, when that is empty, of everybody,
	// oldest first.
	SignIns(name string) ([]rp.SignInEntry, error)
	ConfirmCompromised(key string) error
}

// User is somebody with an account.
type User struct {
	ID          string // a GUID
	Name        string // userPrincipalName
	DisplayName string
	Groups      []string // ids
}

// Group is a group of users.
type Group struct {
	ID   string // a GUID
	Name string // displayName
}

// Options are what a client is to make a passkey by.
type Options struct {
	PublicKey json.RawMessage // PublicKeyCredentialCreationOptionsJSON
	Expires   time.Time       // of the challenge
}

// Passkey is a passkey of a user.
type Passkey struct {
	rp.Credential
	Model        string   // name that its AAGUID stands for; empty when unknown
	Certificates [][]byte // of its attestation, DER, leaf first
}

// Pass is a Temporary Access Pass. Usability is as in Graph: EnabledByPolicy,
// NotYetValid, Expired or OneTimeUsed.
type Pass struct {
	ID        string // a GUID
	Text      string // only when it was just issued
	Created   time.Time
	Start     time.Time
	Lifetime  time.Duration
	Once      bool
	Usable    bool
	Usability string
}
