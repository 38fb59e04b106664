package inbox

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"
)

// posted is the body of POST /messages.
type posted struct {
	To      recipients `json:"to"`
	Subject string     `json:"subject"`
	Text    string     `json:"text"`
	HTML    string     `json:"html"`
}

// recipients is one address, or a list.
type recipients []string

// UnmarshalJSON reads either.
func (r *recipients) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*r = recipients{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(r))
}

// Handler takes mail over HTTP, for sites that send it by way of an API:
// POST /messages {to, subject, text, html}, where to is an address or a list, answers
// 202; a body that is none, 400.
func (b *Inbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /messages", func(w http.ResponseWriter, r *http.Request) {
		var m posted
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxMessage)).Decode(&m)
		if err == nil && len(m.To) == 0 {
			err = errors.New("no recipient")
		}
		if err != nil {
			http.Error(w, "want {to, subject, text, html} in JSON: "+err.Error(), http.StatusBadRequest)
			return
		}
		text := m.Text
		if m.HTML != "" {
			text += "\n" + Plain(m.HTML)
		}
		b.Put(Message{To: m.To, Subject: m.Subject, Text: text})
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// ServeMailbox takes mail over HTTP on a listener until stop is called, which closes the
// listener too.
func (b *Inbox) ServeMailbox(l net.Listener) (stop func() error) {
	s := &http.Server{Handler: b.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 15 * time.Second}
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
