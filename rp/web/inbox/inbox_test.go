package inbox

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/smtp"
	"regexp"
	"strings"
	"testing"
	"time"
)

var code = regexp.MustCompile(`code is (\d+)`)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func stopped(t *testing.T, stop func() error) {
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

const mixed = "From: site@example.com\r\nTo: Ada <ada@example.com>\r\nSubject: =?utf-8?q?Your_code?=\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nWW91ciBjb2RlIGlzIDEyMw==\r\n" +
	"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a href=3D\"http://x/?a=3D1&amp;b=3D2\">Sign in</a>\r\n--b--\r\n"

func TestSMTP(t *testing.T) {
	var box Inbox
	l := listen(t)
	stopped(t, box.ServeSMTP(l))
	if err := smtp.SendMail(l.Addr().String(), nil, "site@example.com", []string{"ada@example.com"}, []byte(mixed)); err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`http://\S+`)
	if found, err := box.Take(t.Context(), "ADA@example.com", link); err != nil || found != "http://x/?a=1&b=2" {
		t.Errorf("link %q, %v", found, err)
	}
	if err := smtp.SendMail(l.Addr().String(), nil, "site@example.com", []string{"ada@example.com"}, []byte(mixed)); err != nil {
		t.Fatal(err)
	}
	if found, err := box.Take(t.Context(), "ada@example.com", code); err != nil || found != "123" {
		t.Errorf("code %q, %v", found, err)
	}
}

func TestMailbox(t *testing.T) {
	var box Inbox
	l := listen(t)
	stopped(t, box.ServeMailbox(l))
	post := func(body string) int {
		r, err := http.Post("http://"+l.Addr().String()+"/messages", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		return r.StatusCode
	}
	if got := post(`{"to":["ada@example.com"],"subject":"x","html":"<b>Your code is 77</b>"}`); got != 202 {
		t.Errorf("status %d", got)
	}
	if got := post(`{"subject":"to nobody"}`); got != 400 {
		t.Errorf("status %d for a message to nobody", got)
	}
	if found, err := box.Take(t.Context(), "ada@example.com", code); err != nil || found != "77" {
		t.Errorf("code %q, %v", found, err)
	}
}

// TestTakenOnce takes by recipient and pattern, the oldest first, each once.
func TestTakenOnce(t *testing.T) {
	var box Inbox
	for _, m := range []Message{
		{To: []string{"bo@example.com"}, Text: "code is 1"}, {To: []string{"ada@example.com"}, Subject: "code is 2"},
		{To: []string{"ada@example.com"}, Text: "nothing"}, {To: []string{"ada@example.com"}, Text: "code is 3"},
	} {
		box.Put(m)
	}
	for _, want := range []string{"2", "3"} {
		if found, err := box.Take(t.Context(), "ada@example.com", code); found != want || err != nil {
			t.Errorf("code %q, %v, want %s", found, err, want)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := box.Take(gone, "ada@example.com", code); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "2 messages are there, 1 of them to this address") {
		t.Errorf("a third: %v", err)
	}
}

func TestTakeWaits(t *testing.T) {
	var box Inbox
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got := make(chan string)
	go func() { found, _ := box.Take(ctx, "a@x", code); got <- found }()
	box.Put(Message{To: []string{"a@x"}, Text: "code is 9"})
	if found := <-got; found != "9" {
		t.Errorf("code %q", found)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:25", "nonsense"} {
		if l, err := Listen(t.Context(), address); err == nil {
			t.Errorf("%s: listens", address)
			_ = l.Close()
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mixed))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Read(bytes.NewReader(b)); err == nil && len(m.Text) > 4*MaxMessage {
			t.Errorf("%d bytes of text out of %d", len(m.Text), len(b))
		}
	})
}
