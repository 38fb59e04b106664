package keychain

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// bare speaks the protocol to a service as no device of ours would.
type bare struct {
	*Service
	t       *testing.T
	store   *MemoryStore
	login   login
	first   admission // a member
	second  admission // another
	waiting admission // a device that asked to join
}

// raw sends a request and returns the code of the refusal, "" for none.
func (b *bare) raw(op Operation, bearer, request []byte) (answer []byte, code Code) {
	answer, err := b.Call(context.Background(), op, bearer, request)
	if err != nil {
		return nil, asError(err).Code
	}
	return answer, ""
}

func (b *bare) ask(op Operation, bearer []byte, request any) Code {
	b.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	_, code := b.raw(op, bearer, body)
	return code
}

// in sends a request that has to be admitted.
func (b *bare) in(op Operation, request any) (a admission) {
	b.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, code := b.raw(op, nil, body)
	if code != "" {
		b.t.Fatalf("%s: %s", op, code)
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		b.t.Fatal(err)
	}
	return a
}

// point is a public key; the same number gives the same.
func point(n byte) []byte {
	key, err := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{n}, 32))
	if err != nil {
		panic(err) // it is a scalar
	}
	return key.PublicKey().Bytes()
}

func dev(n byte) deviceInfo { return deviceInfo{"device", point(n)} }

func bytesOf(n int) []byte { return bytes.Repeat([]byte{1}, n) }

func newBare(t *testing.T, change func(*Provider)) *bare {
	t.Helper()
	p, err := LookupProvider("reference")
	if err != nil {
		t.Fatal(err)
	}
	p.Join = JoinWays()
	if change != nil {
		change(&p)
	}
	b := &bare{t: t, store: NewMemoryStore(), login: login{Account: strings.Repeat("ab", 16), Proof: bytesOf(32)}}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	b.Service, err = NewService(ServiceConfig{Provider: p, Store: b.store, Now: func() time.Time { return at }, Rand: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	b.first = b.in(OpCreate, createRequest{b.login, dev(1), bytesOf(9)})
	b.second = b.in(OpRequest, joinRequest{b.login, dev(2)})
	if code := b.ask(OpApprove, b.first.Bearer, approveRequest{b.second.Member, 1, bytesOf(9)}); code != "" {
		t.Fatal(code)
	}
	b.waiting = b.in(OpRequest, joinRequest{b.login, dev(3)})
	return b
}

func deposit(change func(*depositRequest)) depositRequest {
	r := depositRequest{Salt: bytesOf(16), Iterations: minIterations, Proof: bytesOf(16), Sealed: bytesOf(1), PublicKey: point(7), Epoch: 1, Box: bytesOf(1)}
	change(&r)
	return r
}

func spareOf(way JoinWay, change func(*spareRequest)) spareRequest {
	r := spareRequest{ID: string(way), Way: way, PublicKey: point(8), Epoch: 1, Box: bytesOf(1), Tag: bytesOf(keyLen), Sealed: bytesOf(1)}
	switch way {
	case ByContact:
		r.ID += "/Bob"
		fallthrough
	case ByCode, BySecretKey:
		r.Salt, r.Proof = bytesOf(16), bytesOf(16)
	case ByGroup:
		r.Sealed, r.Group = nil, strings.Repeat("ab", 16)
	}
	change(&r)
	return r
}

func entityOf(change func(*sealedEntity)) syncRequest {
	e := sealedEntity{ID: strings.Repeat("0a", 16), Epoch: 1, Nonce: bytesOf(nonceLen), Ciphertext: bytesOf(1)}
	change(&e)
	return syncRequest{Epoch: 1, Changes: []sealedEntity{e}}
}

// TestServiceRefuses sends what the service must not take, and looks that it changes
// nothing.
func TestServiceRefuses(t *testing.T) {
	b := newBare(t, nil)
	other := login{strings.Repeat("cd", 16), bytesOf(32), ""}
	revoke := func(change func(*revokeRequest)) revokeRequest {
		r := revokeRequest{Member: b.second.Member, Epoch: 2, Link: bytesOf(9), Boxes: []wrapped{{b.first.Member, bytesOf(9)}}}
		change(&r)
		return r
	}
	type request struct {
		name   string
		op     Operation
		bearer []byte
		body   any
		want   Code
	}
	me := b.first.Bearer
	create := func(change func(*createRequest)) createRequest {
		r := createRequest{other, dev(20), bytesOf(9)}
		change(&r)
		return r
	}
	requests := []request{
		{"an account that there is", OpCreate, nil, createRequest{b.login, dev(20), bytesOf(9)}, AccountExists},
		{"a short account", OpCreate, nil, create(func(r *createRequest) { r.Account = "abcd" }), BadRequest},
		{"an account that is no number", OpCreate, nil, create(func(r *createRequest) { r.Account = strings.Repeat("zz", 16) }), BadRequest},
		{"no proof", OpCreate, nil, create(func(r *createRequest) { r.Proof = nil }), BadRequest},
		{"no box", OpCreate, nil, create(func(r *createRequest) { r.Box = nil }), BadRequest},
		{"a long box", OpCreate, nil, create(func(r *createRequest) { r.Box = bytesOf(maxBox + 1) }), BadRequest},
		{"no name", OpCreate, nil, create(func(r *createRequest) { r.Device.Name = "" }), BadRequest},
		{"a long name", OpCreate, nil, create(func(r *createRequest) { r.Device.Name = strings.Repeat("x", maxName+1) }), BadRequest},
		{"no point", OpCreate, nil, create(func(r *createRequest) { r.Device.PublicKey = bytesOf(65) }), BadRequest},

		{"the same key again", OpRequest, nil, joinRequest{b.login, dev(3)}, BadRequest},
		{"another secret", OpRequest, nil, joinRequest{login{b.login.Account, bytesOf(31), ""}, dev(21)}, WrongSecret},
		{"no such account", OpRequest, nil, joinRequest{other, dev(21)}, UnknownAccount},
		{"reset by a stranger", OpReset, nil, createRequest{login{b.login.Account, bytesOf(31), ""}, dev(21), bytesOf(9)}, WrongSecret},

		{"nobody waits", OpApprove, me, approveRequest{"x", 1, bytesOf(9)}, UnknownRequest},
		{"a member waits no more", OpApprove, me, approveRequest{b.second.Member, 1, bytesOf(9)}, UnknownRequest},
		{"approved in another epoch", OpApprove, me, approveRequest{b.waiting.Member, 2, bytesOf(9)}, StaleEpoch},
		{"approved without a key", OpApprove, me, approveRequest{b.waiting.Member, 1, nil}, BadRequest},
		{"who waits approves", OpApprove, b.waiting.Bearer, approveRequest{b.waiting.Member, 1, bytesOf(9)}, NotApproved},
		{"who waits finishes", OpFinish, b.waiting.Bearer, finishRequest{1, bytesOf(9)}, NotApproved},
		{"who is in finishes", OpFinish, me, finishRequest{1, bytesOf(9)}, NotAMember},

		{"itself", OpRevoke, me, revoke(func(r *revokeRequest) { r.Member = b.first.Member }), UnknownMember},
		{"nobody", OpRevoke, me, revoke(func(r *revokeRequest) { r.Member = "x" }), UnknownMember},
		{"in the same epoch", OpRevoke, me, revoke(func(r *revokeRequest) { r.Epoch = 1 }), StaleEpoch},
		{"in a later epoch", OpRevoke, me, revoke(func(r *revokeRequest) { r.Epoch = 3 }), StaleEpoch},
		{"without a link", OpRevoke, me, revoke(func(r *revokeRequest) { r.Link = nil }), BadRequest},
		{"without the keys", OpRevoke, me, revoke(func(r *revokeRequest) { r.Boxes = nil }), StaleEpoch},
		{"with an empty key", OpRevoke, me, revoke(func(r *revokeRequest) { r.Boxes[0].Box = nil }), StaleEpoch},
		{"with a key for who goes", OpRevoke, me, revoke(func(r *revokeRequest) { r.Boxes = append(r.Boxes, wrapped{b.second.Member, bytesOf(9)}) }), StaleEpoch},
		{"with a spare key that is not there", OpRevoke, me, revoke(func(r *revokeRequest) { r.Spares = []rewrapped{{"recovery-code", bytesOf(9), bytesOf(keyLen)}} }), StaleEpoch},

		{"escrow in another epoch", OpDeposit, me, deposit(func(r *depositRequest) { r.Epoch = 2 }), StaleEpoch},
		{"a short salt", OpDeposit, me, deposit(func(r *depositRequest) { r.Salt = bytesOf(15) }), BadRequest},
		{"a long salt", OpDeposit, me, deposit(func(r *depositRequest) { r.Salt = bytesOf(65) }), BadRequest},
		{"few iterations", OpDeposit, me, deposit(func(r *depositRequest) { r.Iterations = minIterations - 1 }), BadRequest},
		{"many iterations", OpDeposit, me, deposit(func(r *depositRequest) { r.Iterations = maxIterations + 1 }), BadRequest},
		{"a short proof", OpDeposit, me, deposit(func(r *depositRequest) { r.Proof = bytesOf(15) }), BadRequest},
		{"a long proof", OpDeposit, me, deposit(func(r *depositRequest) { r.Proof = bytesOf(65) }), BadRequest},
		{"nothing sealed", OpDeposit, me, deposit(func(r *depositRequest) { r.Sealed = nil }), BadRequest},
		{"much sealed", OpDeposit, me, deposit(func(r *depositRequest) { r.Sealed = bytesOf(maxBox + 1) }), BadRequest},
		{"a recovery key that is none", OpDeposit, me, deposit(func(r *depositRequest) { r.PublicKey = bytesOf(65) }), BadRequest},
		{"an escrow box that is none", OpDeposit, me, deposit(func(r *depositRequest) { r.Box = nil }), BadRequest},
		{"no escrow yet", OpParams, nil, paramsRequest{b.login}, NoEscrow},
		{"no escrow to open", OpOpen, nil, openRequest{b.login, bytesOf(16), dev(22)}, NoEscrow},
		{"escrow of a device without a key", OpOpen, nil, openRequest{b.login, bytesOf(16), deviceInfo{"x", nil}}, BadRequest},

		{"spare in another epoch", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Epoch = 2 }), StaleEpoch},
		{"spare by another way", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.ID = string(BySecretKey) }), BadRequest},
		{"code with a name", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.ID += "/Bob" }), BadRequest},
		{"contact without a name", OpLeave, me, spareOf(ByContact, func(r *spareRequest) { r.ID = string(ByContact) }), BadRequest},
		{"contact with an empty name", OpLeave, me, spareOf(ByContact, func(r *spareRequest) { r.ID = string(ByContact) + "/" }), BadRequest},
		{"contact with a long name", OpLeave, me, spareOf(ByContact, func(r *spareRequest) { r.ID = string(ByContact) + "/" + strings.Repeat("x", maxName+1) }), BadRequest},
		{"code without a proof", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Proof = nil }), BadRequest},
		{"code with a short proof", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Proof = bytesOf(15) }), BadRequest},
		{"code with a long proof", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Proof = bytesOf(65) }), BadRequest},
		{"code with a short salt", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Salt = bytesOf(15) }), BadRequest},
		{"code with a long salt", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Salt = bytesOf(65) }), BadRequest},
		{"group with a proof", OpLeave, me, spareOf(ByGroup, func(r *spareRequest) { r.Proof = bytesOf(16) }), BadRequest},
		{"login with a proof", OpLeave, me, spareOf(ByLogin, func(r *spareRequest) { r.Proof = bytesOf(16) }), BadRequest},
		{"sponsors have none", OpLeave, me, spareOf(BySponsor, func(*spareRequest) {}), BadRequest},
		{"fewer than no iterations", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Iterations = -1 }), BadRequest},
		{"spare with many iterations", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Iterations = maxIterations + 1 }), BadRequest},
		{"a short tag", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Tag = bytesOf(keyLen - 1) }), BadRequest},
		{"spare with nothing sealed", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Sealed = nil }), BadRequest},
		{"group with something sealed", OpLeave, me, spareOf(ByGroup, func(r *spareRequest) { r.Sealed = bytesOf(1) }), BadRequest},
		{"spare with much sealed", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Sealed = bytesOf(maxBox + 1) }), BadRequest},
		{"spare key that is none", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.PublicKey = bytesOf(65) }), BadRequest},
		{"spare box that is none", OpLeave, me, spareOf(ByCode, func(r *spareRequest) { r.Box = nil }), BadRequest},
		{"a spare that was not left", OpSpare, nil, spareLook{b.login, string(ByCode)}, NoRecovery},
		{"a spare of no way", OpSpare, nil, spareLook{b.login, "x"}, WayNotAllowed},
		{"a spare for a stranger", OpSpare, nil, spareLook{login{b.login.Account, nil, ""}, string(ByCode)}, WrongSecret},
		{"taken by a stranger", OpTake, nil, spareTake{login{b.login.Account, nil, ""}, string(ByCode), bytesOf(16), dev(23)}, WrongSecret},
		{"taken though not left", OpTake, nil, spareTake{b.login, string(ByCode), bytesOf(16), dev(23)}, NoRecovery},

		{"a group of another epoch", OpGroup, me, groupRequest{"", point(9), 2, bytesOf(9)}, StaleEpoch},
		{"a group without a key", OpGroup, me, groupRequest{"", nil, 1, bytesOf(9)}, BadRequest},
		{"a group with nothing sealed", OpGroup, me, groupRequest{"", point(9), 1, nil}, BadRequest},
		{"a group that was not made", OpGroupKey, me, nothing{}, NoRecovery},
		{"a case without trust", OpCaseStart, me, caseRequest{other.Account}, NoRecovery},
		{"a case nobody began", OpCaseConfirm, nil, caseConfirm{b.login, "1", dev(24)}, NotConfirmed},
		{"a case of nobody", OpCaseConfirm, nil, caseConfirm{other, "1", dev(24)}, NotConfirmed},

		{"many changes", OpSync, me, syncRequest{Epoch: 1, Changes: make([]sealedEntity, maxChanges+1)}, TooLarge},
		{"a revision to come", OpSync, me, syncRequest{Since: 1}, RolledBack},
		{"changes in another epoch", OpSync, me, func() syncRequest { r := entityOf(func(*sealedEntity) {}); r.Epoch = 2; return r }(), StaleEpoch},
		{"a short nonce", OpSync, me, entityOf(func(e *sealedEntity) { e.Nonce = bytesOf(nonceLen - 1) }), BadRequest},
		{"nothing encrypted", OpSync, me, entityOf(func(e *sealedEntity) { e.Ciphertext = nil }), BadRequest},
		{"much encrypted", OpSync, me, entityOf(func(e *sealedEntity) { e.Ciphertext = bytesOf(maxCiphertext + 1) }), BadRequest},
		{"an entity without a number", OpSync, me, entityOf(func(e *sealedEntity) { e.ID = "x" }), BadRequest},
		{"an entity twice", OpSync, me, func() syncRequest {
			r := entityOf(func(*sealedEntity) {})
			r.Changes = append(r.Changes, r.Changes[0])
			return r
		}(), BadRequest},

		{"no new secret", OpSecret, me, secretRequest{}, BadRequest},
		{"a new secret with a bad spare", OpSecret, me, secretRequest{bytesOf(32), []spareRequest{spareOf(BySecretKey, func(r *spareRequest) { r.Tag = nil })}}, BadRequest},
		{"a code for a stranger", OpCode, nil, paramsRequest{login{b.login.Account, nil, ""}}, WrongSecret},
	}
	for _, op := range []Operation{OpCreate, OpReset, OpRequest, OpApprove, OpRevoke, OpDeposit, OpParams, OpOpen, OpFinish, OpSync, OpCode, OpSecret, OpNotices, OpLeave, OpSpare, OpTake, OpGroup, OpCaseStart, OpCaseConfirm, OpCaseBox, OpCaseFinish} {
		requests = append(requests, request{"half of " + string(op), op, me, json.RawMessage(nil), BadRequest})
	}
	for _, op := range []Operation{OpPending, OpApprove, OpKeys, OpMembers, OpRevoke, OpDeposit, OpFinish, OpSync, OpSecret, OpNotices, OpLeave, OpGroup, OpGroupKey, OpCaseStart, OpCaseBox, OpCaseFinish} {
		requests = append(requests, request{"nobody's " + string(op), op, bytesOf(32), nothing{}, NotAMember}, request{"bearerless " + string(op), op, nil, nothing{}, NotAMember})
	}
	for _, r := range requests {
		before := b.dump()
		var code Code
		if raw, half := r.body.(json.RawMessage); half && raw == nil {
			_, code = b.raw(r.op, r.bearer, []byte("{"))
		} else {
			code = b.ask(r.op, r.bearer, r.body)
		}
		if code != r.want {
			t.Errorf("%s (%s): %q, want %q", r.name, r.op, code, r.want)
		}
		if !maps.EqualFunc(before, b.dump(), bytes.Equal) {
			t.Fatalf("%s (%s): something was stored", r.name, r.op)
		}
	}
	if _, code := b.raw(OpSync, me, make([]byte, maxRequest+1)); code != TooLarge {
		t.Errorf("a long request: %q", code)
	}
	if _, code := b.raw("account/steal", me, nil); code != NotFound {
		t.Errorf("another operation: %q", code)
	}
}

func (b *bare) dump() map[string][]byte {
	all := map[string][]byte{}
	_ = b.store.Load(func(r Record) error { all[r.Key] = r.Value; return nil }) // from memory it does not fail
	return all
}
