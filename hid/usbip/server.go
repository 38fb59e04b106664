package usbip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Times that the server waits in real life.
const (
	requestTimeout = 10 * time.Second       // for the whole of a request
	acceptPause    = 100 * time.Millisecond // when the system has no descriptors left
)

// busNum is the bus that all exported keys claim to be on.
const busNum = 1

// Server exports keys by bus ids. Several hosts may talk to it at once; each key is
// imported by one at a time. The zero Server is ready to use.
type Server struct {
	// Log is told of conversations that went wrong; nil means nobody is.
	Log *slog.Logger

	mu      sync.Mutex
	exports []export // in the order in which they were exported
	devices uint32   // device numbers given out
}

type export struct {
	Device
	key *Key
}

// Export offers a key to hosts under a bus id, "1-1" for instance: 1 to 31 letters,
// digits, dots and hyphens. A key is exported again after Withdraw to plug it in anew.
func (s *Server) Export(busID string, k *Key) error {
	if !validBusID(busID) {
		return fmt.Errorf("usbip: bus id %q: allowed are 1 to %d letters, digits, '.' and '-', as in 1-1.2", busID, busIDSize-1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.exports, func(e export) bool { return e.BusID == busID }) {
		return fmt.Errorf("usbip: bus id %s is exported already", busID)
	}
	s.devices++
	s.exports = append(s.exports, export{key: k, Device: Device{
		BusID: busID, Path: "/sys/devices/fido-emu/usb1/" + busID,
		BusNum: busNum, DevNum: s.devices & 0xffff, Speed: SpeedFull,
		Vendor: k.identity.Vendor, Product: k.identity.Product, Release: k.identity.Release,
		Interfaces: []Interface{hidInterface},
	}})
	return nil
}

func validBusID(id string) bool {
	allowed := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-'
	}
	return len(id) > 0 && len(id) < busIDSize && strings.IndexFunc(id, func(r rune) bool { return !allowed(r) }) < 0
}

// Withdraw ends the export of a bus id and unplugs its key from the host that has it.
func (s *Server) Withdraw(busID string) error {
	s.mu.Lock()
	at := slices.IndexFunc(s.exports, func(e export) bool { return e.BusID == busID })
	if at < 0 {
		s.mu.Unlock()
		return fmt.Errorf("usbip: bus id %s is not exported", busID)
	}
	k := s.exports[at].key
	s.exports = slices.Delete(s.exports, at, at+1)
	s.mu.Unlock()
	k.Unplug()
	return nil
}

// Serve answers hosts on l until ctx ends, then closes l and all connections, which
// unplugs the keys, and returns nil. An error is the listener's.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var hosts sync.WaitGroup
	defer hosts.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			hosts.Go(func() { s.host(ctx, conn) })
		case ctx.Err() != nil:
			return nil
		case passes(err):
			s.report(l.Addr(), err)
			pause(ctx)
		default:
			l.Close()
			return fmt.Errorf("usbip: accepting on %s: %w", l.Addr(), err)
		}
	}
}

// passes says whether accepting may succeed later.
func passes(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED},
		func(e error) bool { return errors.Is(err, e) })
}

func pause(ctx context.Context) {
	t := time.NewTimer(acceptPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// host has one conversation.
func (s *Server) host(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	if err := s.converse(ctx, conn); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		s.report(conn.RemoteAddr(), err)
	}
}

func (s *Server) report(peer net.Addr, err error) {
	if s.Log != nil {
		s.Log.Warn("usbip", "peer", peer, "err", err)
	}
}

// converse answers a request, and the URBs that follow an import.
func (s *Server) converse(ctx context.Context, conn net.Conn) error {
	e, session, err := s.request(ctx, conn)
	if err != nil || session == nil {
		return err
	}
	if err := e.key.serve(ctx, session); err != nil {
		return fmt.Errorf("%s: %w", e.BusID, err)
	}
	return nil
}

// request answers a request within its time. The session is that of an import that
// succeeded.
func (s *Server) request(ctx context.Context, conn net.Conn) (export, *session, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	var h opHeader
	if err := readWire(conn, opHeaderSize, &h); err != nil {
		return export{}, nil, err
	}
	e, session, err := s.answer(conn, h)
	if !stop() && err == nil {
		err = fmt.Errorf("usbip: no complete request within %v", requestTimeout)
	}
	if err != nil && session != nil {
		e.key.detach(session)
	}
	return e, session, err
}

// answer answers a request whose header was read.
func (s *Server) answer(conn net.Conn, h opHeader) (export, *session, error) {
	switch {
	case h.Version != Version:
		return export{}, nil, refuse(conn, h, StatusError, fmt.Errorf("usbip: protocol version %#04x, this server speaks %#04x", h.Version, Version))
	case h.Code == opReqDevlist:
		_, err := conn.Write(s.list())
		return export{}, nil, err
	case h.Code == opReqImport:
		return s.imported(conn, h)
	}
	return export{}, nil, refuse(conn, h, StatusNA, fmt.Errorf("usbip: unknown request %#04x", h.Code))
}

// refuse answers with a status and returns the reason.
func refuse(conn net.Conn, h opHeader, status Status, reason error) error {
	_, err := conn.Write(appendWire(nil, opHeader{Version: Version, Code: h.Code &^ 0x8000, Status: status}))
	return errors.Join(reason, err)
}

// list is the OP_REP_DEVLIST.
func (s *Server) list() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := appendWire(nil, opHeader{Version: Version, Code: opRepDevlist})
	open := slices.DeleteFunc(slices.Clone(s.exports), func(e export) bool { return e.key.isClosed() })
	b = appendWire(b, uint32(len(open)))
	for _, e := range open {
		b = appendWire(b, newRecord(e.Device))
		b = appendWire(b, e.Interfaces)
	}
	return b
}

// imported reads the rest of OP_REQ_IMPORT and gives the key to the host.
func (s *Server) imported(conn net.Conn, h opHeader) (export, *session, error) {
	var id [busIDSize]byte
	if err := readWire(conn, busIDSize, &id); err != nil {
		return export{}, nil, err
	}
	e, session, err := s.attach(cString(id[:]), conn)
	if err != nil {
		return e, nil, refuse(conn, h, statusOf(err), err)
	}
	b := appendWire(nil, opHeader{Version: Version, Code: opRepImport})
	_, err = conn.Write(appendWire(b, newRecord(e.Device)))
	return e, session, err
}

// attach gives an exported key to the host at the other end of conn. The server stays
// locked for it, so that a key that is withdrawn has no host afterwards.
func (s *Server) attach(busID string, conn net.Conn) (export, *session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.exports, func(e export) bool { return e.BusID == busID })
	if at < 0 {
		return export{}, nil, fmt.Errorf("usbip: import of %q, which is not exported", busID)
	}
	session, err := s.exports[at].key.attach(conn)
	if err != nil {
		err = fmt.Errorf("usbip: import of %s: %w", busID, err)
	}
	return s.exports[at], session, err
}

func statusOf(err error) Status {
	if errors.Is(err, ErrInUse) {
		return StatusDevBusy
	}
	return StatusNoDev
}
