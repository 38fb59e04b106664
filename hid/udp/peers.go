package udp

import (
	"net/netip"
	"sync"
)

// maxPeers is how many channels a client is remembered for: more than a device
// allocates, so that only channels that were made up push each other out.
const maxPeers = 256

// peer is who last sent on a channel.
type peer struct {
	channel uint32
	address netip.AddrPort
}

// peers remembers who uses which channel.
type peers struct {
	mu      sync.Mutex
	entries [maxPeers]peer
	count   int
	next    int // the entry to give up next
}

// note remembers that a client used a channel.
func (p *peers) note(channel uint32, address netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.find(channel); i >= 0 {
		p.entries[i].address = address
		return
	}
	p.entries[p.next] = peer{channel, address}
	p.next = (p.next + 1) % maxPeers
	p.count = min(p.count+1, maxPeers)
}

// of returns who last used a channel.
func (p *peers) of(channel uint32) (address netip.AddrPort, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.find(channel); i >= 0 {
		return p.entries[i].address, true
	}
	return address, false
}

// find returns the entry of a channel, -1 when it has none.
func (p *peers) find(channel uint32) int {
	for i := range p.count {
		if p.entries[i].channel == channel {
			return i
		}
	}
	return -1
}
