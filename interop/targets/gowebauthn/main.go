// Command gowebauthn is github.com/go-webauthn/webauthn in a few lines of host, as its
// documentation shows it: options wrapped in publicKey, accounts and sessions in memory.
// It listens on loopback, says where, and ends with its standard input.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/go-webauthn/webauthn/webauthn"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	origin := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	w, err := webauthn.New(&webauthn.Config{RPID: "localhost", RPDisplayName: "go-webauthn", RPOrigins: []string{origin}})
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("listening on", origin)
	return http.Serve(l, newSite(w).handler())
}
