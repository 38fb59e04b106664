package world

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	mathrand "math/rand/v2"
	"sync"
)

// Random gives everybody in a scenario random bytes of their own: seeded, a
// stream by name that depends on nothing else; otherwise the system's.
type Random struct {
	seed     *uint64
	scenario string // id, so that scenarios do not share their keys

	mu      sync.Mutex
	streams map[string]io.Reader
}

// NewRandom returns the randomness of a scenario; seed is nil for the system's.
func NewRandom(seed *uint64, scenario string) *Random {
	return &Random{seed: seed, scenario: scenario, streams: map[string]io.Reader{}}
}

// Seeded tells whether the randomness is reproducible.
func (r *Random) Seeded() bool { return r.seed != nil }

// Stream returns the stream of a name, the same each time. It is safe for
// concurrent use.
func (r *Random) Stream(name string) io.Reader {
	if r.seed == nil {
		return rand.Reader
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streams[name] == nil {
		r.streams[name] = &stream{source: mathrand.NewChaCha8(r.key(name))}
	}
	return r.streams[name]
}

// key hashes what a stream depends on, each part behind its length.
func (r *Random) key(name string) (key [32]byte) {
	var b []byte
	b = binary.BigEndian.AppendUint64(b, *r.seed)
	for _, part := range []string{r.scenario, name} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

type stream struct {
	mu     sync.Mutex
	source *mathrand.ChaCha8
}

func (s *stream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Read(b)
}
