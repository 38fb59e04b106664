package phone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"fido-emu/identity/person"
	"fido-emu/identity/wallet"
)

// Config says what the phones are made of.
type Config struct {
	Now    func() time.Time
	Rand   io.Reader    // of the wallets' keys and the cameras' noise
	Client *http.Client // by which wallets reach issuers and who asks
	People []*person.Person

	// Selfie makes of a person before the camera what Face Check takes.
	Selfie func(p *person.Person, random io.Reader, c person.Condition) ([]byte, error)
	// Challenge is what the camera asks for then; it is only shown.
	Challenge []person.Pose

	Save   func(person string, snapshot []byte) error // called with every change of a wallet before it is shown; nil: nothing is kept
	Wallet map[string][]byte                          // what Save got last, by person
}

// ErrElsewhere is what a Client should answer with where wallets must not ask.
var ErrElsewhere = errors.New("this wallet opens links of its own services alone")

// Phones are the phones of the test people, an http.Handler. They are safe for
// concurrent use.
type Phones struct {
	config  Config
	handler http.Handler

	mu      sync.Mutex
	wallets map[string]*wallet.Wallet // by person; made when they are first needed
}

// New returns the phones, with the wallets that were kept.
func New(c Config) (*Phones, error) {
	p := &Phones{config: c, wallets: map[string]*wallet.Wallet{}}
	p.config.Rand = &lockedReader{reader: c.Rand}
	for _, who := range c.People {
		kept, ok := c.Wallet[who.ID]
		if !ok {
			continue
		}
		w, err := wallet.Restore(p.of(), kept)
		if err != nil {
			return nil, fmt.Errorf("phone of %s: %w", who.ID, err)
		}
		p.wallets[who.ID] = w
	}
	p.handler = p.routes()
	return p, nil
}

// of is what every wallet is like.
func (p *Phones) of() wallet.Config {
	return wallet.Config{Now: p.config.Now, Rand: p.config.Rand, Client: p.config.Client, Person: absent{}}
}

// ServeHTTP answers as the package comment says.
func (p *Phones) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// Wallet returns the wallet of a person.
func (p *Phones) Wallet(id string) (*wallet.Wallet, error) {
	if _, err := person.Find(p.config.People, id); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.wallets[id]; w != nil {
		return w, nil
	}
	w, err := wallet.New(p.of())
	if err != nil {
		return nil, err
	}
	p.wallets[id] = w
	return w, nil
}

// held tells how many Verified IDs a person has, without making a wallet.
func (p *Phones) held(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.wallets[id]; w != nil {
		return len(w.List())
	}
	return 0
}

// keep saves a wallet.
func (p *Phones) keep(id string, w *wallet.Wallet) error {
	if p.config.Save == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := w.Snapshot()
	if err == nil {
		err = p.config.Save(id, b)
	}
	if err != nil {
		return fmt.Errorf("the wallet of %s was not saved: %w", id, err)
	}
	return nil
}

// accept takes up an offer, and keeps nothing that could not be saved.
func (p *Phones) accept(ctx context.Context, id string, w *wallet.Wallet, link, code string) (wallet.Held, error) {
	h, err := w.Accept(ctx, link, code)
	if err != nil {
		return h, err
	}
	if err := p.keep(id, w); err != nil {
		return h, errors.Join(err, w.Delete(h.ID))
	}
	return h, nil
}

// absent is nobody: on these phones the person agrees and takes the selfie on a page,
// before the wallet answers.
type absent struct{}

func (absent) Consent(context.Context, *wallet.Asked) (bool, error) { return false, nil }
func (absent) Selfie(context.Context) ([]byte, error) {
	return nil, errors.New("nobody is before the camera")
}

// lockedReader lets several requests draw from one source.
type lockedReader struct {
	mu     sync.Mutex
	reader io.Reader
}

// Read reads whole, so that what a request draws is not torn apart.
func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.reader, b)
}
