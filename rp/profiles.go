package rp

import (
	"context"
	"time"

	"fido-emu/webauthn"
)

// PasskeyProfiles is which passkeys an organisation lets its people have, as
// Microsoft Entra ID models it (fido2AuthenticationMethodConfiguration): a few named
// profiles, and for each group those that are allowed. It is read and written as a
// whole.
type PasskeyProfiles struct {
	Disabled      bool             `json:"disabled,omitempty"`      // nobody registers or signs in with a passkey
	NoSelfService bool             `json:"noSelfService,omitempty"` // only an administrator registers passkeys
	Profiles      []PasskeyProfile `json:"profiles"`                // at most MaxPasskeyProfiles
	Targets       []ProfileTarget  `json:"targets"`                 // at most one for each group
	Excluded      []string         `json:"excluded"`                // groups whose people register and use no passkeys
	Default       string           `json:"default,omitempty"`       // ID of the profile of people whom no target names; empty for none
}

// The limits of PasskeyProfiles.
const (
	MaxPasskeyProfiles = 3
	MaxProfilesSize    = 20 << 10 // bytes, in JSON
)

// PasskeyProfile is one set of rules for passkeys. To meet any one of the profiles
// that are theirs is enough for a person.
type PasskeyProfile struct {
	ID              string          `json:"id"`              // a GUID
	Name            string          `json:"name"`            // for people
	Types           []string        `json:"types"`           // DeviceBound, Synced: at least one; counts whenever a passkey is used
	Attestation     string          `json:"attestation"`     // AttestationDisabled or AttestationAtRegistration
	KeyRestrictions KeyRestrictions `json:"keyRestrictions"` // counts whenever a passkey is used
}

// The values of PasskeyProfile.Attestation.
const (
	AttestationDisabled       = "disabled"
	AttestationAtRegistration = "registrationOnly"
)

// KeyRestrictions allow some models of authenticators alone, or block some.
type KeyRestrictions struct {
	Enforced bool     `json:"enforced"`
	Kind     string   `json:"kind"` // AllowModels or BlockModels
	AAGUIDs  []string `json:"aaguids"`
}

// The values of KeyRestrictions.Kind.
const (
	AllowModels = "allow"
	BlockModels = "block"
)

// ProfileTarget says which profiles a group may have.
type ProfileTarget struct {
	Group    string   `json:"group"`              // name of the group, or Everybody
	Profiles []string `json:"profiles"`           // IDs; the default profile when empty
	Required bool     `json:"required,omitempty"` // isRegistrationRequired in Graph: kept, and without effect
}

// Everybody is the group that all people belong to, whatever groups they have.
const Everybody = "all_users"

// ProfileAdministration is what administrators of a relying party with passkey
// profiles can do.
type ProfileAdministration interface {
	// PasskeyProfiles returns what holds now.
	PasskeyProfiles(ctx context.Context) (PasskeyProfiles, error)
	// SetPasskeyProfiles takes the place of what held, from the next ceremony on, also
	// for passkeys that were registered before. What is against the limits is refused as
	// a whole.
	SetPasskeyProfiles(ctx context.Context, all PasskeyProfiles) error
	// SetGroups puts a person into these groups and out of all others.
	SetGroups(ctx context.Context, p Person, groups []string) error
}

// Provisioner is a relying party whose administrators register passkeys on behalf of
// people, who get the authenticator when it is done.
type Provisioner interface {
	// Provision adds a passkey made by client to the account of p. The challenge is good
	// for a lifetime of 5 to 43,200 minutes; 0 is five minutes.
	Provision(ctx context.Context, p Person, name string, lifetime time.Duration, client webauthn.Client) (Credential, error)
}

// MetadataConsumer is a relying party that trusts models of authenticators by a
// metadata BLOB (FIDO Metadata Service 3.1).
type MetadataConsumer interface {
	// SetMetadata gives it a newer BLOB, a JWT. One that is not newer, or that no
	// trusted authority signed, is refused.
	SetMetadata(ctx context.Context, blob []byte) error
}
