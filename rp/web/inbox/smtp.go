package inbox

import (
	"io"
	"net"
	"time"

	"github.com/emersion/go-smtp"
)

// ServeSMTP takes mail over SMTP (RFC 5321) on a listener until stop is called, which
// closes the listener too. Whoever connects may send to whomever, without a password.
func (b *Inbox) ServeSMTP(l net.Listener) (stop func() error) {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{inbox: b}, nil }))
	s.Domain = "localhost"
	s.MaxMessageBytes, s.MaxRecipients, s.MaxLineLength = MaxMessage, 50, 10_000
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 30*time.Second
	s.ErrorLog = quiet{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends when it is stopped
	}()
	return func() error {
		err := s.Close()
		<-done
		return err
	}
}

// quiet keeps the server from writing to standard error: a client that hangs up is
// none of our concern.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// session is one connection.
type session struct {
	inbox *Inbox
	to    []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	m, err := Read(r)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "not a message: " + err.Error()}
	}
	m.To = s.to
	s.inbox.Put(m)
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }
