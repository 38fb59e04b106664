package credential

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// statusEntries is how many entries a list has: 16 KiB of bits, the least that Status
// List 2021 section 6.1 has, so that an entry hides among many.
const statusEntries = 131072

// expandedLimit is how long a list may be when it is expanded: thirty-two times the
// least, against lists that expand without end.
const expandedLimit = 32 * statusEntries / 8

// EncodeStatusList returns the bits as encodedList has them: gzip, then base64url
// (Status List 2021, section 5.1). The same bits give the same text.
func EncodeStatusList(bits []byte) (string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(bits); err != nil {
		return "", fmt.Errorf("compress a status list: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("compress a status list: %w", err)
	}
	return encode(b.Bytes()), nil
}

// DecodeStatusList returns the bits of an encodedList. A list of fewer than 131072
// entries, or one that expands to more than 32 times as many, is an error.
func DecodeStatusList(text string) ([]byte, error) {
	packed, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("status list: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("status list: %w", err)
	}
	bits, err := io.ReadAll(io.LimitReader(z, expandedLimit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("status list: %w", err)
	case len(bits) > expandedLimit:
		return nil, fmt.Errorf("status list: it expands to more than %d bytes", expandedLimit)
	case len(bits) < statusEntries/8:
		return nil, fmt.Errorf("status list: %d entries, and %d is the least", len(bits)*8, statusEntries)
	}
	return bits, nil
}

// entry returns a bit; the first is the highest of the first byte.
func entry(bits []byte, index int) bool { return bits[index/8]&(0x80>>(index%8)) != 0 }

func setEntry(bits []byte, index int) { bits[index/8] |= 0x80 >> (index % 8) }

// StatusLists fetches status lists and keeps each until it expires (its exp). It is
// safe for concurrent use. A list that cannot be had, or does not verify, is an error:
// a list that has expired is never used again.
type StatusLists struct {
	mu    sync.Mutex
	lists map[string]statusList // by address
}

type statusList struct {
	issuer string
	bits   []byte
	until  time.Time
}

// NewStatusLists returns an empty cache.
func NewStatusLists() *StatusLists { return &StatusLists{lists: map[string]statusList{}} }

// revoked looks an entry up.
func (l *StatusLists) revoked(ctx context.Context, v *Verifier, issuer string, e *statusEntry) (bool, error) {
	switch {
	case l == nil:
		return false, errors.New("this verifier cannot look up status")
	case e == nil:
		return false, errors.New("it has no status, so nobody could revoke it")
	case e.Type != typeStatusEntry || e.StatusPurpose != purposeRevocation:
		return false, fmt.Errorf("its status is a %q for %q, unknown here", e.Type, e.StatusPurpose)
	}
	index, err := strconv.Atoi(e.StatusListIndex)
	if err != nil || index < 0 {
		return false, fmt.Errorf("its status has index %q", short(e.StatusListIndex))
	}
	list, err := l.list(ctx, v, issuer, e.StatusListCredential)
	if err != nil {
		return false, err
	}
	if index >= len(list.bits)*8 {
		return false, fmt.Errorf("its status has index %d in a list of %d", index, len(list.bits)*8)
	}
	return entry(list.bits, index), nil
}

// list returns a list from the cache or from where it is served.
func (l *StatusLists) list(ctx context.Context, v *Verifier, issuer, address string) (statusList, error) {
	l.mu.Lock()
	cached, ok := l.lists[address]
	l.mu.Unlock()
	if ok && cached.issuer == issuer && v.Now().Before(cached.until) {
		return cached, nil
	}
	fresh, err := fetchList(ctx, v, issuer, address)
	if err != nil {
		return statusList{}, err
	}
	l.mu.Lock()
	l.lists[address] = fresh
	l.mu.Unlock()
	return fresh, nil
}

// fetchList fetches a list and verifies it like any credential, as one by the issuer
// of what is to be looked up.
func fetchList(ctx context.Context, v *Verifier, issuer, address string) (statusList, error) {
	body, _, err := get(ctx, v.Resolver.Client, address)
	if err != nil {
		return statusList{}, err
	}
	s := &credentialState{text: string(body), want: Expected{Type: typeStatusList, Issuers: []string{issuer}}}
	if err := run(ctx, v, assertionChecks(), s); err != nil {
		return statusList{}, fmt.Errorf("status list %s: %s", address, err) // the reason is this one's, not the list's
	}
	var subject listSubject
	if err := json.Unmarshal(s.claims.VC.CredentialSubject, &subject); err != nil {
		return statusList{}, fmt.Errorf("status list %s: %w", address, err)
	}
	if s.claims.ID != address || subject.StatusPurpose != purposeRevocation {
		return statusList{}, fmt.Errorf("status list %s is %s, for %q", address, s.claims.ID, subject.StatusPurpose)
	}
	bits, err := DecodeStatusList(subject.EncodedList)
	if err != nil {
		return statusList{}, fmt.Errorf("%s: %w", address, err)
	}
	return statusList{issuer, bits, s.claims.Expires.time()}, nil
}
