package proofing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header of a callback that bears its signature.
const SignatureHeader = "X-Signature"

// callbackAge is how far the time of a callback may be from the receiver's.
const callbackAge = 5 * time.Minute

// Sign returns the value of SignatureHeader for a body: t=<unix seconds>,v1=<hex of
// HMAC-SHA256 over the seconds, a full stop and the body>.
func Sign(secret []byte, body []byte, now time.Time) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac(secret, seconds, body))
}

func mac(secret []byte, seconds string, body []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(seconds + "."))
	m.Write(body)
	return m.Sum(nil)
}

// VerifyCallback checks the signature and age of a callback and reads it. The same
// callback may come twice: a receiver looks at Session and Status, not at how often it came.
func VerifyCallback(secret []byte, signature string, body []byte, now time.Time) (Result, error) {
	t, v1, ok := strings.Cut(signature, ",v1=")
	t, found := strings.CutPrefix(t, "t=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	if !ok || !found || err != nil {
		return Result{}, fmt.Errorf("callback: header %s is not t=…,v1=…", SignatureHeader)
	}
	claimed, err := hex.DecodeString(v1)
	if err != nil || !hmac.Equal(claimed, mac(secret, t, body)) {
		return Result{}, fmt.Errorf("callback: the signature is wrong: refuse it, and ask the provider for the result")
	}
	if !within(now, time.Unix(seconds, 0), callbackAge) {
		return Result{}, fmt.Errorf("callback: signed at %s, more than %s from now: it may be a replay", time.Unix(seconds, 0).UTC().Format(time.RFC3339), callbackAge)
	}
	var r Result
	if err := json.Unmarshal(body, &r); err != nil {
		return Result{}, fmt.Errorf("callback: %w", err)
	}
	return r, nil
}
