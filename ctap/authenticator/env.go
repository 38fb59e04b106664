package authenticator

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// Env is everything impure that an authenticator needs. All members but
// Attestation are required.
type Env struct {
	Now         func() time.Time
	Rand        io.Reader   // seeded, it makes the authenticator reproducible
	User        User        // the person in front of it
	Keys        Keys        // makes and uses credential private keys
	Attestation Attestation // nil where the profile attests with nothing or with the credential's own key
	Device      DeviceState // this device's own small state
	Credentials Credentials // discoverable credentials, and others that must be stored
}

// User is the person in front of the authenticator, or nobody. The methods wait
// for at most p.Timeout, or until ctx is cancelled, and say how it went. One that is
// also a [Sensor] says how well a finger went onto the sensor while it is enrolled.
type User interface {
	// Presence asks for a touch. It answers Granted, Denied, TimedOut or Cancelled.
	Presence(ctx context.Context, p Prompt) Answer
	// Verify asks for built-in user verification: a finger, a face, the device's
	// passcode. NotRecognised says that somebody tried and did not match.
	Verify(ctx context.Context, p Prompt) Answer
}

// Chooser is a User in front of a display (Profile.Display).
type Chooser interface {
	// Choose shows the accounts that could sign in, newest first, and returns the
	// index of the one that the user picked. It answers like Presence.
	Choose(ctx context.Context, p Prompt, accounts []ctap.User) (int, Answer)
}

// Prompt says what the user is asked for.
type Prompt struct {
	Command ctap.Command
	RPID    string        // empty where no relying party is concerned
	User    string        // user name, where one is known
	Timeout time.Duration // how long the user has
	Hold    time.Duration // how long the touch must last; 0 for a tap
	Poll    bool          // answer at once, TimedOut when nobody has touched yet (U2F asks again and again)
}

// Answer is how a user answered.
type Answer int

// The answers of a [User].
const (
	Granted Answer = iota
	Denied
	TimedOut
	Cancelled // the platform gave up, not the user
	NotRecognised
)

// Keys makes and uses credential private keys: in software, in a TPM, or out of a
// keychain. A private key is known by its handle, opaque bytes from which the
// same Keys can use it again; a handle is stored with its credential or sealed
// into its id.
type Keys interface {
	// Generate makes a key pair. The error is ctap.ErrUnsupportedAlgorithm for an
	// algorithm it has not.
	Generate(alg cose.Algorithm) (handle []byte, public []byte, err error) // public is a COSE_Key
	// Sign signs message as WebAuthn section 6.5.5 has it. The error wraps
	// ErrKeyLost when the private key can never be used again.
	Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error)
}

// ErrKeyLost is in every error about a private key that is gone for good: the TPM
// that holds it was cleared, or is another one. A credential whose key is lost
// counts as not there.
var ErrKeyLost = errors.New("private key is lost")

// Attestation makes attestation statements with something other than the
// credential's own key.
type Attestation interface {
	Attest(r AttestationRequest) (format string, statement cbor.RawMessage, err error)
}

// AttestationRequest is what an attestation statement speaks for.
type AttestationRequest struct {
	RPID           string
	Algorithm      cose.Algorithm
	KeyHandle      []byte // the new credential's private key
	PublicKey      []byte // its COSE_Key
	CredentialID   []byte
	AAGUID         ctap.AAGUID
	AuthData       []byte
	ClientDataHash []byte
	Enterprise     bool     // an enterprise attestation was asked for and is allowed
	Formats        []string // attestationFormatsPreference: formats that the platform likes, best first
}

// DeviceState keeps a [Device] across power cycles. Save and NextCounter return
// only once the change is durable: a PIN try that was counted stays counted
// whatever happens next.
type DeviceState interface {
	Load() (Device, error) // the zero Device when nothing was saved yet
	Save(Device) error
	// NextCounter adds one to the signature counter and returns it.
	NextCounter() (uint32, error)
}

// Device is the state of one device apart from its credentials.
type Device struct {
	Initialised       bool     `json:"initialised"`
	WrapKey           []byte   `json:"wrapKey,omitempty"`    // seals non-discoverable credentials into their ids, 32 bytes
	Counter           uint32   `json:"counter"`              // signature counter; changed by NextCounter alone
	PINHash           []byte   `json:"pinHash,omitempty"`    // LEFT(SHA-256(PIN), 16); nil while no PIN is set
	PINLength         uint     `json:"pinLength,omitempty"`  // of that PIN, in code points
	TrivialPIN        bool     `json:"trivialPIN,omitempty"` // the complexity policy, on or off, would refuse that PIN
	PINRetries        uint     `json:"pinRetries"`           // tries left
	UVRetries         uint     `json:"uvRetries"`            // tries left of built-in user verification
	MinPINLength      uint     `json:"minPINLength"`         // in code points
	ForcePINChange    bool     `json:"forcePINChange,omitempty"`
	MinPINLengthRPIDs []string `json:"minPINLengthRPIDs,omitempty"`
	AlwaysUV          bool     `json:"alwaysUv,omitempty"`
	EnterpriseEnabled bool     `json:"enterpriseAttestation,omitempty"`
	LongTouchForReset bool     `json:"longTouchForReset,omitempty"`
	PersistentToken   []byte   `json:"persistentToken,omitempty"` // 32 bytes

	// Identifier is what encIdentifier holds; StoreState keys the digest of the
	// discoverable credentials that encCredStoreState holds. 16 bytes each.
	Identifier          []byte     `json:"identifier,omitempty"`
	StoreState          []byte     `json:"storeState,omitempty"`
	Templates           []Template `json:"templates,omitempty"`  // enrolled fingers, oldest first
	LargeBlobs          []byte     `json:"largeBlobs,omitempty"` // the serialized large-blob array; nil for the initial one
	PINComplexityPolicy bool       `json:"pinComplexityPolicy,omitempty"`
	UVSincePIN          uint       `json:"uvCountSinceLastPinEntry,omitempty"`
}

// Template is one enrolled finger.
type Template struct {
	ID   []byte `json:"id"`
	Name string `json:"name,omitempty"` // templateFriendlyName
}

// Credential is one stored credential. A value that a store has handed out is not
// changed by anyone; a change is a Put of a copy.
type Credential struct {
	ID           []byte            `json:"id"`
	RP           ctap.RelyingParty `json:"rp"`
	User         ctap.User         `json:"user"`
	Algorithm    cose.Algorithm    `json:"algorithm"`
	KeyHandle    []byte            `json:"keyHandle"` // see Keys
	PublicKey    []byte            `json:"publicKey"` // COSE_Key
	CreatedAt    time.Time         `json:"createdAt"`
	Discoverable bool              `json:"discoverable"`
	Protection   uint8             `json:"protection,omitempty"` // credProtect policy, 0 as 1
	HMACSecret   []byte            `json:"hmacSecret,omitempty"` // CredRandomWithUV ‖ CredRandomWithoutUV, 64 bytes; nil without hmac-secret
	BackedUp     bool              `json:"backedUp,omitempty"`   // BS: a sync provider has it now

	CredBlob          []byte     `json:"credBlob,omitempty"`
	LargeBlobKey      []byte     `json:"largeBlobKey,omitempty"` // 32 bytes; nil without the extension
	LargeBlob         *LargeBlob `json:"largeBlob,omitempty"`    // of the extension largeBlob; nil without it
	ThirdPartyPayment bool       `json:"thirdPartyPayment,omitempty"`
}

// LargeBlob is what the extension largeBlob keeps with a credential (section 12.4).
type LargeBlob struct {
	Data         []byte `json:"data,omitempty"`         // compressed by the platform; nil until written
	OriginalSize uint64 `json:"originalSize,omitempty"` // bytes before compression
}

// Credentials stores credentials: this device's own, or the local replica of a
// sync account, which changes beneath the authenticator. What a call changes is
// durable when it returns, and its cost is that of what it changes or returns.
type Credentials interface {
	// ByID returns the credential with this id, or nil.
	ByID(id []byte) (*Credential, error)
	// ByRP returns the discoverable credentials of a relying party, newest first.
	// rpIDHash is SHA-256 of its id.
	ByRP(rpIDHash [32]byte) ([]*Credential, error)
	// Put adds c. A discoverable c takes the place of the discoverable credential
	// with the same RP.ID and User.ID; any c takes the place of one with the same
	// ID. A full store answers ctap.ErrKeyStoreFull.
	Put(c *Credential) error
	// Delete removes a credential; an unknown id is no error.
	Delete(id []byte) error
	// Count returns how many discoverable credentials there are.
	Count() (int, error)
	// All returns every credential, oldest first.
	All() ([]*Credential, error)
	// Clear removes every credential.
	Clear() error
}
