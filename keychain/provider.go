package keychain

import (
	"encoding/json"
	"slices"

	"fido-emu/ctap"
)

// JoinWay is a way in which a device becomes a member of an account.
type JoinWay string

// The ways to join.
const (
	BySponsor   JoinWay = "sponsor"          // a member approves
	ByEscrow    JoinWay = "escrow"           // with the escrow passcode or PIN, in front of who counts tries
	BySecretKey JoinWay = "secret-key"       // with the account password and the Secret Key together
	ByCode      JoinWay = "recovery-code"    // with a code of 28 characters that was written down
	ByContact   JoinWay = "recovery-contact" // with what a person of trust keeps, and the service's share
	ByGroup     JoinWay = "recovery-group"   // with the help of people who hold a group's key
	ByLogin     JoinWay = "cloud-login"      // by signing in: the service has the key
)

// JoinWays lists them.
func JoinWays() []JoinWay {
	return []JoinWay{BySponsor, ByEscrow, BySecretKey, ByCode, ByContact, ByGroup, ByLogin}
}

// Provider says as data how a sync provider behaves. docs/keychain.md explains
// each member.
type Provider struct {
	Name         string      `yaml:"name" json:"name"`
	Title        string      `yaml:"title" json:"title"`
	About        string      `yaml:"about" json:"about"`
	AAGUID       ctap.AAGUID `yaml:"aaguid" json:"aaguid"`             // of its authenticators
	AAGUIDShown  AAGUIDRule  `yaml:"aaguidShown" json:"aaguidShown"`   // what relying parties see of it
	Join         []JoinWay   `yaml:"join" json:"join"`                 // how devices become members
	SecondFactor bool        `yaml:"secondFactor" json:"secondFactor"` // signing in takes a code that is sent to the owner
	Escrow       Escrow      `yaml:"escrow" json:"escrow"`
	BackedUp     BackupRule  `yaml:"backedUp" json:"backedUp"`   // when BS becomes 1
	SignCount    CountRule   `yaml:"signCount" json:"signCount"` // what the signature counter says
	Conflicts    Conflict    `yaml:"conflicts" json:"conflicts"` // which of two changes stays
	Deletion     Deletion    `yaml:"deletion" json:"deletion"`
	Removed      Removal     `yaml:"removed" json:"removed"` // what a device that was removed has left
	Limits       Limits      `yaml:"limits" json:"limits"`
	Notify       []Kind      `yaml:"notify" json:"notify"` // what members are told of
	Sources      []string    `yaml:"sources" json:"sources"`
	Simplified   []string    `yaml:"simplified" json:"simplified,omitempty"` // where the model is simpler than life
}

// Escrow is how a provider guards the recovery key that a short secret opens. It
// matters where devices may join by escrow.
type Escrow struct {
	Secret      EscrowSecret `yaml:"secret" json:"secret"`
	Digits      int          `yaml:"digits" json:"digits,omitempty"` // of a PIN, at least
	Tries       uint         `yaml:"tries" json:"tries"`             // wrong ones in a row until the end
	AtEnd       EscrowEnd    `yaml:"atEnd" json:"atEnd"`
	LockMinutes []uint       `yaml:"lockMinutes" json:"lockMinutes,omitempty"` // of the first end, the second …; the last stays
}

// Deletion is what happens to what is deleted.
type Deletion struct {
	KeepDays uint       `yaml:"keepDays" json:"keepDays"` // how long it can be restored; 0 for a tombstone at once
	Signal   SignalRule `yaml:"signal" json:"signal"`     // what a relying party's signal does
}

// Limits are how much an account holds at most; 0 stands for no limit.
type Limits struct {
	Devices  uint `yaml:"devices" json:"devices,omitempty"`
	Contacts uint `yaml:"contacts" json:"contacts,omitempty"`
	Passkeys uint `yaml:"passkeys" json:"passkeys,omitempty"`
}

type (
	// EscrowSecret is what opens an escrow record.
	EscrowSecret string
	// EscrowEnd is what happens after the last wrong try.
	EscrowEnd string
	// BackupRule is when a passkey says that it is backed up (BS).
	BackupRule string
	// AAGUIDRule is what a provider's authenticators say that they are.
	AAGUIDRule string
	// CountRule is what the signature counter of a synced passkey does.
	CountRule string
	// Conflict is which of two changes made apart stays.
	Conflict string
	// SignalRule is what becomes of a passkey that a relying party signals to be unknown.
	SignalRule string
	// Removal is what is left on a device that was removed from its account.
	Removal string
)

// The rules that a Provider is made of.
const (
	Passcode EscrowSecret = "passcode" // of a device, anything
	PIN      EscrowSecret = "pin"      // digits, or longer text

	Destroyed EscrowEnd = "destroyed" // the record is gone
	Locked    EscrowEnd = "locked"    // for a time that grows
	Never     EscrowEnd = "never"     // there is no end to guessing

	AtOnce            BackupRule = "at-once"
	AfterUpload       BackupRule = "after-upload"
	AfterSecondDevice BackupRule = "after-second-device"

	ShowsProvider AAGUIDRule = "provider"
	ShowsZero     AAGUIDRule = "zero"

	CountsZero      CountRule = "zero"
	CountsPerDevice CountRule = "per-device"

	NewestWins     Conflict = "newest-wins"     // by the time of the change, and of creation
	ShadowList     Conflict = "shadow-list"     // likewise, but what was replaced knowingly stays so
	ServerRevision Conflict = "server-revision" // the change that reaches the service last

	SignalHides   SignalRule = "hides"
	SignalDeletes SignalRule = "deletes"
	SignalIgnored SignalRule = "ignored"

	RemovedKeeps Removal = "keeps" // all that it had
	RemovedWiped Removal = "wiped" // nothing, once it hears of it
)

// Kind is what members of an account are told of.
type Kind string

// The kinds of notices.
const (
	NoticeAsked     Kind = "join-asked"
	NoticeJoined    Kind = "joined"
	NoticeRemoved   Kind = "removed"
	NoticeSetUp     Kind = "recovery-set-up"
	NoticeRecovery  Kind = "recovery-asked"
	NoticeWrong     Kind = "wrong-secret"
	NoticeDestroyed Kind = "escrow-destroyed"
	NoticeLocked    Kind = "escrow-locked"
	NoticeSecret    Kind = "secret-changed"
)

// Kinds lists them.
func Kinds() []Kind {
	return []Kind{NoticeAsked, NoticeJoined, NoticeRemoved, NoticeSetUp, NoticeRecovery, NoticeWrong, NoticeDestroyed, NoticeLocked, NoticeSecret}
}

// Allows tells whether devices may join in this way.
func (p Provider) Allows(way JoinWay) bool { return slices.Contains(p.Join, way) }

// Tells tells whether members hear of a kind of event.
func (p Provider) Tells(kind Kind) bool { return slices.Contains(p.Notify, kind) }

// UnmarshalJSON also reads a provider as devices stored it when there were only two
// ways to join.
func (p *Provider) UnmarshalJSON(b []byte) error {
	type plain Provider
	read := struct {
		*plain
		EscrowTries    uint `json:"escrowTries"`
		BackedUpAtOnce bool `json:"backedUpAtOnce"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(b, &read); err != nil || p.Name == "" || p.BackedUp != "" {
		return err
	}
	p.AAGUIDShown, p.SignCount, p.Conflicts, p.Removed = ShowsProvider, CountsZero, ShadowList, RemovedKeeps
	p.Deletion.Signal, p.BackedUp = SignalIgnored, AfterUpload
	p.Escrow = Escrow{Secret: Passcode, Tries: read.EscrowTries, AtEnd: Destroyed}
	if read.BackedUpAtOnce {
		p.BackedUp = AtOnce
	}
	return nil
}
