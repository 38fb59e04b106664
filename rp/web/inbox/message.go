package inbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"

	"golang.org/x/net/html"
)

// maxParts is how many parts a message may have, within each other too.
const maxParts = 20

// Read reads a message (RFC 5322) with its parts (RFC 2045, RFC 2046), of at most
// [MaxMessage] bytes. Its recipients are those of its To header.
func Read(r io.Reader) (Message, error) {
	in, err := mail.ReadMessage(io.LimitReader(r, MaxMessage))
	if err != nil {
		return Message{}, err
	}
	var words mime.WordDecoder
	subject, err := words.DecodeHeader(in.Header.Get("Subject"))
	if err != nil {
		subject = in.Header.Get("Subject")
	}
	m := Message{Subject: subject}
	if all, err := in.Header.AddressList("To"); err == nil {
		for _, a := range all {
			m.To = append(m.To, a.Address)
		}
	}
	p := parts{left: maxParts}
	err = p.read(textproto.MIMEHeader(in.Header), in.Body)
	m.Text = strings.TrimSpace(p.text.String())
	return m, err
}

// parts gathers the text of the parts of a message.
type parts struct {
	left int
	text strings.Builder
}

func (p *parts) read(h textproto.MIMEHeader, body io.Reader) error {
	if p.left--; p.left < 0 {
		return fmt.Errorf("more than %d parts", maxParts)
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		return p.each(multipart.NewReader(body, params["boundary"]))
	}
	if !strings.HasPrefix(kind, "text/") {
		return nil
	}
	b, err := io.ReadAll(decoded(h.Get("Content-Transfer-Encoding"), body))
	if err != nil {
		return err
	}
	text := string(b)
	if kind == "text/html" {
		text = Plain(text)
	}
	p.text.WriteString(text + "\n")
	return nil
}

func (p *parts) each(r *multipart.Reader) error {
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.read(part.Header, part); err != nil {
			return err
		}
	}
}

func decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	}
	return r
}

// Plain returns the text of HTML, with the addresses of its links on lines of their
// own.
func Plain(page string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(b.String())
		case html.TextToken:
			b.WriteString(html.UnescapeString(string(z.Raw())))
			b.WriteByte(' ')
		case html.StartTagToken:
			for _, a := range z.Token().Attr {
				if a.Key == "href" {
					b.WriteString("\n" + a.Val + "\n")
				}
			}
		}
	}
}
