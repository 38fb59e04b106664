package keychain

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// ServiceConfig is what a service is made of.
type ServiceConfig struct {
	Provider  Provider         // how it behaves; the zero Provider lets nobody join
	Store     Store            // nil for a [MemoryStore]
	Now       func() time.Time // nil for time.Now; stamps events, ends codes and locks
	Rand      io.Reader        // nil for crypto/rand; makes bearers and salts
	OnEvent   func(Event)      // nil, or told about every operation, one after the other; must not call the service
	OnMessage func(Message)    // nil, or brings people what the service sends them; likewise
}

// Event is one operation as the service saw it.
type Event struct {
	Time      time.Time `json:"time"`
	Operation Operation `json:"operation"`
	Account   string    `json:"account,omitempty"` // id, a hash of the name
	Device    string    `json:"device,omitempty"`  // name of the device that asked, where it is known
	Code      Code      `json:"code,omitempty"`    // why it was refused; empty for success
	Pushed    int       `json:"pushed,omitempty"`  // changes that a sync brought and the service took
	Refused   int       `json:"refused,omitempty"` // changes that were based on an old revision
	Pulled    int       `json:"pulled,omitempty"`  // entities that a sync brought back
	Bytes     int       `json:"bytes"`             // of the request and the response
}

// Service is the cloud of a sync provider. It is safe for concurrent use and a
// [Cloud] itself.
type Service struct {
	provider  Provider
	store     Store
	now       func() time.Time
	rand      io.Reader
	onEvent   func(Event)
	onMessage func(Message)

	mu       sync.Mutex // guards what follows, and the order of events
	accounts map[string]*account
	bearers  map[[32]byte]*memberRecord // by SHA-256 of the bearer
	codes    map[string]*sentCode       // by account; they do not outlive the process
}

// account is an account in memory.
type account struct {
	accountRecord // with an Epoch of 0: there is no such account
	members       map[string]*memberRecord
	order         []*memberRecord // the same, in the order in which they asked
	escrow        *escrowRecord   // nil without
	spares        []*spareRecord  // by id
	notices       []*noticeRecord // oldest first
	recovery      *caseRecord     // by a recovery group; nil without
	group         *groupRecord    // that the account's devices hold; nil without
	entities      map[EntityID]*entityRecord
	revision      uint64
	log           []logged // what changed, by revision; may name an entity again that changed later
}

type logged struct {
	revision uint64
	id       EntityID
}

// NewService returns the service that the store holds, or a new one in an empty
// store.
func NewService(c ServiceConfig) (*Service, error) {
	s := &Service{
		provider: c.Provider, store: c.Store, now: c.Now, rand: c.Rand, onEvent: c.OnEvent, onMessage: c.OnMessage,
		accounts: map[string]*account{}, bearers: map[[32]byte]*memberRecord{}, codes: map[string]*sentCode{},
	}
	if s.store == nil {
		s.store = NewMemoryStore()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if err := s.store.Load(s.load); err != nil {
		return nil, err
	}
	for _, a := range s.accounts {
		a.sort()
	}
	return s, nil
}

// sort puts what was loaded in the order of keys into its own order.
func (a *account) sort() {
	slices.SortFunc(a.log, func(x, y logged) int { return cmp.Compare(x.revision, y.revision) })
	slices.SortFunc(a.notices, func(x, y *noticeRecord) int { return cmp.Compare(x.Order, y.Order) })
	slices.SortFunc(a.order, func(x, y *memberRecord) int { return cmp.Compare(x.Order, y.Order) })
}

// compact drops log entries of entities that changed again later, once these
// are the most.
func (a *account) compact() {
	if len(a.log) < 2*len(a.entities)+64 {
		return
	}
	a.log = slices.DeleteFunc(a.log, func(l logged) bool { return a.entities[l.id].Revision != l.revision })
}

// Provider returns how the service behaves.
func (s *Service) Provider() Provider { return s.provider }

// visit is one operation under way.
type visit struct {
	*Service
	body   []byte
	bearer []byte
	event  *Event
	member *memberRecord // who asks; nil before authentication and for operations with the account secret
	acct   *account
}

// handlers serve the operations.
func handler(op Operation) func(*visit) (any, error) {
	switch op {
	case OpCreate:
		return (*visit).create
	case OpReset:
		return (*visit).reset
	case OpRequest:
		return (*visit).request
	case OpPending:
		return (*visit).pending
	case OpApprove:
		return (*visit).approve
	case OpKeys:
		return (*visit).keys
	case OpMembers:
		return (*visit).list
	case OpRevoke:
		return (*visit).revoke
	case OpDeposit:
		return (*visit).deposit
	case OpParams:
		return (*visit).params
	case OpOpen:
		return (*visit).open
	case OpFinish:
		return (*visit).finish
	case OpSync:
		return (*visit).sync
	case OpCode:
		return (*visit).sendCode
	case OpSecret:
		return (*visit).changeSecret
	case OpNotices:
		return (*visit).listNotices
	case OpLeave:
		return (*visit).leave
	case OpSpare:
		return (*visit).lookAtSpare
	case OpTake:
		return (*visit).takeSpare
	}
	return groupHandler(op)
}

func groupHandler(op Operation) func(*visit) (any, error) {
	switch op {
	case OpGroup:
		return (*visit).makeGroup
	case OpGroupKey:
		return (*visit).groupKey
	case OpCaseStart:
		return (*visit).startCase
	case OpCaseConfirm:
		return (*visit).confirmCase
	case OpCaseBox:
		return (*visit).caseBox
	case OpCaseFinish:
		return (*visit).finishCase
	}
	return nil
}

// Call implements [Cloud].
func (s *Service) Call(ctx context.Context, op Operation, bearer, request []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &visit{Service: s, body: request, bearer: bearer, event: &Event{Time: s.now(), Operation: op}}
	answer, err := v.serve(op)
	v.event.Bytes = len(request) + len(answer)
	if err != nil {
		v.event.Code = asError(err).Code
		err = asError(err)
	}
	if s.onEvent != nil {
		s.onEvent(*v.event)
	}
	return answer, err
}

func (v *visit) serve(op Operation) ([]byte, error) {
	h := handler(op)
	if h == nil {
		return nil, failure(NotFound, "", "there is no operation %q", op)
	}
	if len(v.body) > maxRequest {
		return nil, failure(TooLarge, "send fewer changes at a time", "a request of %d bytes; %d are read at most", len(v.body), maxRequest)
	}
	response, err := h(v)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(response)
	if err != nil {
		return nil, &Error{Code: StorageFailed, Message: "the answer cannot be written", Err: err}
	}
	return answer, nil
}

// identify finds out whose bearer it is and demands one of these states.
func (v *visit) identify(states ...memberState) error {
	m := v.bearers[sha256.Sum256(v.bearer)]
	if m == nil {
		return failure(NotAMember, "join the account first", "the service does not know this device")
	}
	v.member, v.acct = m, v.accounts[m.Account]
	v.event.Account, v.event.Device = m.Account, m.Name
	if slices.Contains(states, m.State) {
		return nil
	}
	switch m.State {
	case stateRevoked:
		return failure(Revoked, "wipe it; to come back it has to join again", "%s was removed from the account", m.Name)
	case statePending:
		return failure(NotApproved, "approve the request on a device of the account", "%s waits for approval", m.Name)
	}
	return failure(NotAMember, "finish the recovery or start it again", "%s has not finished joining", m.Name)
}

// authenticate checks the account secret, and the second factor where the provider
// wants one.
func (v *visit) authenticate(l login) error {
	if err := v.knows(l); err != nil {
		return err
	}
	return v.secondFactor(l)
}

// knows checks the account secret.
func (v *visit) knows(l login) error {
	v.event.Account = l.Account
	a := v.accounts[l.Account]
	if a == nil || a.Epoch == 0 {
		return failure(UnknownAccount, "create it first", "there is no such account")
	}
	v.acct = a
	if subtle.ConstantTimeCompare(verifier(a.Salt, l.Proof), a.Verifier) != 1 {
		return failure(WrongSecret, "use the secret with which the account was created, or the one it was changed to", "the account secret is wrong")
	}
	return nil
}

func verifier(salt, proof []byte) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write(proof)
	return h.Sum(nil)
}
