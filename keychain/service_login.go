package keychain

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Message is something that the service sends to the owner of an account, outside of
// the account's devices.
type Message struct {
	Account string `json:"account"` // id, a hash of the name
	To      string `json:"to"`      // telephone or mail
	Text    string `json:"text"`
	Code    string `json:"code"` // that is in the text
}

// sentCode is a code on its way to an owner.
type sentCode struct {
	code  string
	until time.Time
	tries int
}

const (
	codeLifetime = 10 * time.Minute
	codeTries    = 3
)

// sendCode sends a code for the second factor to the owner's telephone.
func (v *visit) sendCode() (any, error) {
	r, err := parse[paramsRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.knows(r.login); err != nil {
		return nil, err
	}
	code, err := digits(v.rand, 6)
	if err != nil {
		return nil, err
	}
	v.codes[r.Account] = &sentCode{code, v.now().Add(codeLifetime), codeTries}
	v.send(Message{r.Account, "telephone", "Your code to sign in is " + code + ".", code})
	return nothing{}, nil
}

func (v *visit) send(m Message) {
	if v.onMessage != nil {
		v.onMessage(m)
	}
}

// secondFactor demands the code that was sent, where the provider does. A code is good
// for one sign-in, which may take several operations.
func (v *visit) secondFactor(l login) error {
	if !v.provider.SecondFactor {
		return nil
	}
	sent := v.codes[l.Account]
	if sent == nil || v.now().After(sent.until) || sent.tries <= 0 || l.Code == "" {
		return failure(SecondFactor, "have a code sent, with account/code", "signing in takes a code that is sent to the owner's telephone")
	}
	if subtle.ConstantTimeCompare([]byte(l.Code), []byte(sent.code)) == 1 {
		return nil
	}
	sent.tries--
	return failure(SecondFactor, "type the newest code; after three wrong ones another is needed", "the code is not the one that was sent")
}

// changeSecret takes a new account secret. Whoever has the old one alone is shut out;
// devices stay.
func (v *visit) changeSecret() (any, error) {
	r, err := parse[secretRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	changed, err := v.withSecret(r.Proof)
	if err != nil {
		return nil, err
	}
	with := v.noted(NoticeSecret, v.member.Name, changed)
	for i := range r.Spares {
		spare, err := v.spare(&v.acct.accountRecord, &r.Spares[i])
		if err != nil {
			return nil, err
		}
		with = append(with, spare)
	}
	delete(v.codes, v.acct.ID)
	return nothing{}, v.commit(with...)
}

// withSecret returns the account with the verifier of a new secret.
func (v *visit) withSecret(proof []byte) (*accountRecord, error) {
	if len(proof) == 0 {
		return nil, failure(BadRequest, "", "a proof is not empty")
	}
	salt, err := randomBytes(v.rand, 16)
	if err != nil {
		return nil, err
	}
	changed := v.acct.accountRecord
	changed.Salt, changed.Verifier = salt, verifier(salt, proof)
	return &changed, nil
}

// Notice is something that happened to an account and that its members are told of.
type Notice struct {
	Number uint64    `json:"number"` // counted from 1
	At     time.Time `json:"at"`
	Kind   Kind      `json:"kind"`
	Device string    `json:"device,omitempty"` // that did it, or to which it was done
}

// noticeRecord is a notice as the service keeps it; later ones take the places of those
// that are keptNotices older.
type noticeRecord struct {
	Account string `cbor:"-"`
	Order   uint64 `cbor:"1,keyasint"`
	At      int64  `cbor:"2,keyasint"`
	Kind    Kind   `cbor:"3,keyasint"`
	Device  string `cbor:"4,keyasint,omitempty"`
}

const keptNotices = 256

func (r *noticeRecord) key() string {
	return fmt.Sprintf("notice/%s/%03d", r.Account, r.Order%keptNotices)
}

func (r *noticeRecord) apply(s *Service) {
	a := s.account(r.Account)
	a.notices = append(a.notices, r)
	if len(a.notices) > keptNotices {
		a.notices = a.notices[1:]
	}
}

// noted returns changes with a notice for the members, where the provider tells them of
// such things.
func (v *visit) noted(kind Kind, device string, with ...change) []change {
	if !v.provider.Tells(kind) {
		return with
	}
	n := uint64(1)
	if last := len(v.acct.notices); last > 0 {
		n = v.acct.notices[last-1].Order + 1
	}
	return append(with, &noticeRecord{Account: v.acct.ID, Order: n, At: v.now().UnixNano(), Kind: kind, Device: device})
}

// listNotices tells a member what happened.
func (v *visit) listNotices() (any, error) {
	r, err := parse[noticesRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	answer := noticesResponse{Notices: []Notice{}}
	for _, n := range v.acct.notices {
		if n.Order > r.Since {
			answer.Notices = append(answer.Notices, Notice{n.Order, time.Unix(0, n.At).UTC(), n.Kind, n.Device})
		}
	}
	return answer, nil
}

// digits returns random digits: 64 bits leave no bias that matters.
func digits(random io.Reader, n int) (string, error) {
	b, err := randomBytes(random, 8)
	if err != nil {
		return "", err
	}
	modulus := uint64(1)
	for range n {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", n, binary.BigEndian.Uint64(b)%modulus), nil
}
