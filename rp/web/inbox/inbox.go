// Package inbox takes mail that a site under test sends: an SMTP sink and an HTTP
// mailbox on loopback, which deliver nothing onward. A message is taken by its
// recipient and by what it holds, and counts once.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
)

// The most that is kept.
const (
	MaxMessage  = 1 << 20 // bytes of a message
	maxMessages = 1000    // the oldest goes when there are more
)

// Message is what arrived.
type Message struct {
	To      []string // addresses
	Subject string
	Text    string // its text, that of every part; of HTML the text and the addresses of links
}

// Inbox keeps messages until they are taken. The zero value is empty and ready.
type Inbox struct {
	mu       sync.Mutex
	messages []Message
	arrived  chan struct{} // closed with the next message
}

// Put adds a message.
func (b *Inbox) Put(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	if len(b.messages) > maxMessages {
		b.messages = b.messages[1:]
	}
	if b.arrived != nil {
		close(b.arrived)
		b.arrived = nil
	}
}

// Take waits for a message to an address, whatever its case, in whose subject or text
// the pattern is found, removes it, and returns what the pattern's first group found,
// or all of it when there is no group. The oldest such message counts.
func (b *Inbox) Take(ctx context.Context, to string, pattern *regexp.Regexp) (string, error) {
	for {
		found, ok, next := b.look(to, pattern)
		if ok {
			return found, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return "", fmt.Errorf("no message to %s that fits %q: %w%s", to, pattern, ctx.Err(), b.others(to))
		}
	}
}

func (b *Inbox) look(to string, pattern *regexp.Regexp) (found string, ok bool, next <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range b.messages {
		if !m.isTo(to) {
			continue
		}
		if found, ok = m.find(pattern); ok {
			b.messages = append(b.messages[:i], b.messages[i+1:]...)
			return found, true, nil
		}
	}
	if b.arrived == nil {
		b.arrived = make(chan struct{})
	}
	return "", false, b.arrived
}

// others says what is there instead, for the error; it tells no text of messages, as
// they hold secrets.
func (b *Inbox) others(to string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := 0
	for _, m := range b.messages {
		if m.isTo(to) {
			same++
		}
	}
	return fmt.Sprintf(" (%d messages are there, %d of them to this address)", len(b.messages), same)
}

func (m Message) isTo(address string) bool {
	for _, to := range m.To {
		if strings.EqualFold(strings.TrimSpace(to), strings.TrimSpace(address)) {
			return true
		}
	}
	return false
}

func (m Message) find(pattern *regexp.Regexp) (string, bool) {
	for _, text := range []string{m.Subject, m.Text} {
		if found := pattern.FindStringSubmatch(text); found != nil {
			return found[min(1, len(found)-1)], true
		}
	}
	return "", false
}

// Listen opens a port on loopback, and refuses every other address: an inbox that
// others can reach takes mail that is not meant for it.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("inbox at %q: want an address and port such as 127.0.0.1:2525: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("inbox at %q: %w", address, errors.New("only an address of loopback will do, such as 127.0.0.1"))
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	return l, nil
}
