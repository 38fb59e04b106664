package keychain

// The protocol: every operation is one JSON object there and one back. Byte
// strings are in standard base64. Over HTTP an operation is POST /v1/<operation>
// with the bearer, in hexadecimal, as "Authorization: Bearer …"; the answer is
// 200 with the response, or another status with an [Error].
//
// Operations marked (secret) prove knowledge of the account secret and need no
// bearer; the others need one that create, request or open gave out.

// Operation names what the service is asked to do.
type Operation string

// The operations.
const (
	OpCreate  Operation = "account/create" // (secret) createRequest → admission
	OpReset   Operation = "account/reset"  // (secret) createRequest → admission; what was there is destroyed
	OpRequest Operation = "join/request"   // (secret) joinRequest → admission
	OpPending Operation = "join/pending"   // nothing → pendingResponse
	OpApprove Operation = "join/approve"   // approveRequest → nothing
	OpKeys    Operation = "keys/get"       // nothing → keysResponse
	OpMembers Operation = "members/list"   // nothing → membersResponse
	OpRevoke  Operation = "members/revoke" // revokeRequest → nothing
	OpDeposit Operation = "escrow/deposit" // depositRequest → nothing
	OpParams  Operation = "escrow/params"  // (secret) paramsRequest → paramsResponse
	OpOpen    Operation = "escrow/open"    // (secret) openRequest → openResponse
	OpFinish  Operation = "escrow/finish"  // finishRequest → nothing
	OpSync    Operation = "entities/sync"  // syncRequest → syncResponse
)

type (
	// login proves knowledge of the account secret.
	login struct {
		Account string `json:"account"` // see accountID
		Proof   []byte `json:"proof"`   // see loginProof
	}
	deviceInfo struct {
		Name      string `json:"name"`
		PublicKey []byte `json:"publicKey"` // P-256, uncompressed, 65 bytes
	}
	nothing struct{}

	createRequest struct {
		login
		Device deviceInfo `json:"device"`
		Box    []byte     `json:"box"` // the domain key of epoch 1, wrapped to the device
	}
	joinRequest struct {
		login
		Device deviceInfo `json:"device"`
	}
	admission struct {
		Member   string   `json:"member"` // its id
		Bearer   []byte   `json:"bearer"`
		Anchor   []byte   `json:"anchor"` // public key of the account's first device
		Provider Provider `json:"provider"`
	}

	pendingResponse struct {
		Requests []memberInfo `json:"requests"`
	}
	approveRequest struct {
		Member string `json:"member"`
		Epoch  uint   `json:"epoch"`
		Box    []byte `json:"box"`
	}
	keysResponse struct {
		Epoch uint     `json:"epoch"`
		Box   []byte   `json:"box"`   // the domain key of the epoch, wrapped to the asking device
		Links [][]byte `json:"links"` // links[i] is the domain key of epoch i+1, encrypted under that of i+2
	}

	memberInfo struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		State     string `json:"state"`
		PublicKey []byte `json:"publicKey"`
	}
	membersResponse struct {
		Epoch     uint         `json:"epoch"`
		Members   []memberInfo `json:"members"`
		EscrowKey []byte       `json:"escrowKey,omitempty"` // public recovery key; absent without escrow
	}
	wrapped struct {
		Member string `json:"member"`
		Box    []byte `json:"box"`
	}
	revokeRequest struct {
		Member    string    `json:"member"`
		Epoch     uint      `json:"epoch"` // the new one
		Link      []byte    `json:"link"`  // the last domain key under the new one
		Boxes     []wrapped `json:"boxes"` // the new domain key for each member that remains
		EscrowBox []byte    `json:"escrowBox,omitempty"`
	}

	depositRequest struct {
		Salt       []byte `json:"salt"`
		Iterations int    `json:"iterations"`
		Proof      []byte `json:"proof"`     // the service keeps its hash
		Sealed     []byte `json:"sealed"`    // the private recovery key under the passcode
		PublicKey  []byte `json:"publicKey"` // the public recovery key
		Epoch      uint   `json:"epoch"`
		Box        []byte `json:"box"` // the domain key, wrapped to the public recovery key
	}
	paramsRequest struct {
		login
	}
	paramsResponse struct {
		Salt       []byte `json:"salt"`
		Iterations int    `json:"iterations"`
		TriesLeft  uint   `json:"triesLeft"`
	}
	openRequest struct {
		login
		Passcode []byte     `json:"passcode"` // the proof derived from the passcode
		Device   deviceInfo `json:"device"`
	}
	openResponse struct {
		admission
		Sealed []byte       `json:"sealed"`
		Keys   keysResponse `json:"keys"` // with the box of the recovery key
	}
	finishRequest struct {
		Epoch uint   `json:"epoch"`
		Box   []byte `json:"box"`
	}

	// sealedEntity is a credential or a tombstone as the service has it.
	sealedEntity struct {
		ID         string `json:"id"` // 16 random bytes in hexadecimal
		Epoch      uint   `json:"epoch"`
		Revision   uint64 `json:"revision"` // to the service: the one the change is based on
		Dead       bool   `json:"dead,omitempty"`
		Nonce      []byte `json:"nonce"`
		Ciphertext []byte `json:"ciphertext"`
	}
	syncRequest struct {
		Since   uint64         `json:"since"` // everything up to this revision is known
		Epoch   uint           `json:"epoch"` // of the changes
		Changes []sealedEntity `json:"changes"`
	}
	syncResponse struct {
		Revision uint64         `json:"revision"` // everything up to this is known now
		More     bool           `json:"more"`     // there is more than fits in an answer
		Accepted []uint64       `json:"accepted"` // new revision of each change, 0 for a conflict
		Entities []sealedEntity `json:"entities"`
	}
)

// What the service reads and answers at most.
const (
	maxRequest    = 8 << 20  // bytes of a request
	maxChanges    = 256      // of a syncRequest
	maxEntities   = 512      // of a syncResponse
	maxCiphertext = 64 << 10 // bytes
	maxName       = 128      // bytes of a device name
	maxBox        = 1024     // bytes
)
