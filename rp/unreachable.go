package rp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// Unreachable is a relying party to which no request gets through. What is wrong is
// between here and there, so that nothing is said of the relying party itself.
type Unreachable struct {
	Address string // such as localhost:8080
	Err     error
}

// Error says where nothing answers, and why.
func (u *Unreachable) Error() string {
	return fmt.Sprintf("the relying party cannot be reached at %s: %v", u.Address, u.Err)
}

// Unwrap returns why.
func (u *Unreachable) Unwrap() error { return u.Err }

// Hint says what to do about it.
func (u *Unreachable) Hint() string {
	if untrusted(u.Err) {
		return "its certificate is not trusted here: name the authority's certificate in the environment variable SSL_CERT_FILE, or use http on loopback"
	}
	return "start the site, or correct its addresses: they are under bases in its description, or in the environment variables of its settings; harness rp check FILE tries it"
}

// ReachError returns err, which came of sending a request, as an *Unreachable where no
// connection came about; nil where one did.
func ReachError(address string, err error) *Unreachable {
	op, ok := errors.AsType[*net.OpError](err)
	if ok && op.Op == "dial" || untrusted(err) {
		return &Unreachable{Address: address, Err: err}
	}
	return nil
}

func untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
