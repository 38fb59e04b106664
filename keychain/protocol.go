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
	OpCode    Operation = "account/code"   // (secret) paramsRequest → nothing; a code is sent to the owner
	OpSecret  Operation = "account/secret" // secretRequest → nothing
	OpNotices Operation = "notices/list"   // noticesRequest → noticesResponse
	OpLeave   Operation = "spares/leave"   // spareRequest → nothing; a spare key is left with the service
	OpSpare   Operation = "spares/look"    // (secret) spareLook → spareParams
	OpTake    Operation = "spares/take"    // (secret) spareTake → openResponse; then escrow/finish

	OpGroup       Operation = "group/make"    // groupRequest → nothing
	OpGroupKey    Operation = "group/key"     // nothing → groupRequest
	OpCaseStart   Operation = "case/start"    // caseRequest → nothing; a mail goes to the account's owner
	OpCaseConfirm Operation = "case/confirm"  // (token of the mail) caseConfirm → admission
	OpCaseBox     Operation = "case/box"      // caseRequest → caseBox
	OpCaseFinish  Operation = "case/complete" // caseFinish → nothing
)

type (
	// login proves knowledge of the account secret.
	login struct {
		Account string `json:"account"`        // see accountID
		Proof   []byte `json:"proof"`          // see loginProof
		Code    string `json:"code,omitempty"` // that was sent to the owner, where the provider wants a second factor
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
	secretRequest struct {
		Proof  []byte         `json:"proof"`            // of the new secret
		Spares []spareRequest `json:"spares,omitempty"` // that depend on it
	}
	noticesRequest struct {
		Since uint64 `json:"since"` // notices up to this are known
	}
	noticesResponse struct {
		Notices []Notice `json:"notices"`
	}

	// spareRequest leaves a spare key: a key pair to whose public half members wrap every
	// new domain key, and whose private half is sealed so that only who is meant to can
	// open it.
	spareRequest struct {
		ID         string  `json:"id"` // the way; of a contact with a slash and its name
		Way        JoinWay `json:"way"`
		PublicKey  []byte  `json:"publicKey"`
		Epoch      uint    `json:"epoch"`
		Box        []byte  `json:"box"`
		Tag        []byte  `json:"tag"`    // see spareTag
		Sealed     []byte  `json:"sealed"` // the private half under what a person has; of a contact, the key of its packet
		Salt       []byte  `json:"salt,omitempty"`
		Iterations int     `json:"iterations,omitempty"`
		Proof      []byte  `json:"proof,omitempty"`
		Group      string  `json:"group,omitempty"` // of a recovery group: the account that holds it
	}
	spareInfo struct {
		ID        string  `json:"id"`
		Way       JoinWay `json:"way"`
		PublicKey []byte  `json:"publicKey"`
		Tag       []byte  `json:"tag"`
	}
	spareLook struct {
		login
		ID string `json:"id"`
	}
	spareParams struct {
		Salt       []byte `json:"salt"`
		Iterations int    `json:"iterations"`
	}
	spareTake struct {
		login
		ID     string     `json:"id"`
		Answer []byte     `json:"answer"` // the proof of what opens the spare key
		Device deviceInfo `json:"device"`
	}

	groupRequest struct {
		Account   string `json:"account"` // that holds the group
		PublicKey []byte `json:"publicKey"`
		Epoch     uint   `json:"epoch"`
		Sealed    []byte `json:"sealed"` // the private half under the domain key of the epoch
	}
	caseRequest struct {
		Account string `json:"account"` // to recover
	}
	caseConfirm struct {
		login             // with the proof of the new secret
		Token  string     `json:"token"`
		Device deviceInfo `json:"device"`
	}
	caseBox struct {
		Epoch     uint       `json:"epoch"`
		Box       []byte     `json:"box"` // the domain key, wrapped to the group
		PublicKey []byte     `json:"publicKey"`
		Anchor    []byte     `json:"anchor"`
		Device    memberInfo `json:"device"` // that waits
	}
	caseFinish struct {
		Account string `json:"account"`
		Epoch   uint   `json:"epoch"`
		Box     []byte `json:"box"`
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
		ID        string  `json:"id"`
		Name      string  `json:"name"`
		State     string  `json:"state"`
		PublicKey []byte  `json:"publicKey"`
		Via       JoinWay `json:"via,omitempty"`
		Since     int64   `json:"since,omitempty"`
	}
	membersResponse struct {
		Epoch     uint         `json:"epoch"`
		Members   []memberInfo `json:"members"`
		EscrowKey []byte       `json:"escrowKey,omitempty"` // public recovery key; absent without escrow
		Spares    []spareInfo  `json:"spares,omitempty"`
	}
	rewrapped struct {
		ID  string `json:"id"`
		Box []byte `json:"box"`
		Tag []byte `json:"tag"`
	}
	wrapped struct {
		Member string `json:"member"`
		Box    []byte `json:"box"`
	}
	revokeRequest struct {
		Member    string      `json:"member"`
		Epoch     uint        `json:"epoch"` // the new one
		Link      []byte      `json:"link"`  // the last domain key under the new one
		Boxes     []wrapped   `json:"boxes"` // the new domain key for each member that remains
		EscrowBox []byte      `json:"escrowBox,omitempty"`
		Spares    []rewrapped `json:"spares,omitempty"`
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
		Devices  uint           `json:"devices,omitempty"` // of the account
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
