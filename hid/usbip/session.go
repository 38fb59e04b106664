package usbip

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// maxReplies is how many replies may wait for a host that does not read them before
// its next command is left waiting too.
const maxReplies = 256

// session is one host's time with a key: the connection, and the replies that go to
// it. Replies never wait for the host, so that one who does not read holds up nobody.
type session struct {
	conn net.Conn

	mu      sync.Mutex
	changed sync.Cond
	replies net.Buffers
	ended   bool
}

// ServeURBs is the URB phase of the protocol, what follows a successful import: it
// answers the host at the other end of conn until either side ends it, and closes
// conn. It returns nil when the host hangs up, the key is unplugged or closed, or ctx
// ends; ErrInUse when another host has the key; and otherwise what was wrong with the
// stream.
func (k *Key) ServeURBs(ctx context.Context, conn net.Conn) error {
	s, err := k.attach(conn)
	if err != nil {
		conn.Close()
		return err
	}
	return k.serve(ctx, s)
}

// serve runs a session that has the key.
func (k *Key) serve(ctx context.Context, s *session) error {
	stop := context.AfterFunc(ctx, s.abort)
	defer stop()
	var writer sync.WaitGroup
	writer.Go(s.write)
	err := k.read(s)
	k.detach(s)
	writer.Wait()
	if hungUp(err) {
		return nil
	}
	return err
}

// hungUp says whether a connection ended between two commands, at either side, or the
// key was taken away.
func hungUp(err error) bool {
	return errors.Is(err, errUnplugged) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, syscall.ECONNRESET)
}

// attach gives the key to a host, as a device that has just been plugged in.
func (k *Key) attach(conn net.Conn) (*session, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.isClosed() {
		return nil, errClosed
	}
	if k.host != nil {
		return nil, ErrInUse
	}
	k.host = &session{conn: conn}
	k.host.changed.L = &k.host.mu
	k.configuration, k.idle, k.plugged = 0, 0, true
	k.dropTransfers()
	k.wake()
	return k.host, nil
}

// detach ends a session. One that Unplug ended already may have been followed by
// another, which stays.
func (k *Key) detach(s *session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.abort()
	if k.host == s {
		k.disconnect()
	}
}

// read takes the host's commands until the connection ends.
func (k *Key) read(s *session) error {
	for s.room() {
		u, err := readURB(s.conn)
		if err != nil {
			return err
		}
		if err := k.take(s, u); err != nil {
			return err
		}
	}
	return nil
}

// push queues a reply.
func (s *session) push(reply []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = append(s.replies, reply)
	s.changed.Broadcast()
}

// room waits until there is room for more replies; false means that the session has
// ended.
func (s *session) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.replies) >= maxReplies && !s.ended {
		s.changed.Wait()
	}
	return !s.ended
}

// write sends the replies until the session ends.
func (s *session) write() {
	for {
		batch := s.next()
		if batch == nil {
			return
		}
		if _, err := batch.WriteTo(s.conn); err != nil {
			s.abort() // the reader sees a closed connection
			return
		}
	}
}

// next waits for replies and takes them all; nil means that the session has ended.
func (s *session) next() net.Buffers {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.replies) == 0 && !s.ended {
		s.changed.Wait()
	}
	if s.ended {
		return nil
	}
	batch := s.replies
	s.replies = nil
	s.changed.Broadcast()
	return batch
}

// abort ends the session and closes its connection.
func (s *session) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.changed.Broadcast()
	s.conn.Close()
}
