package keychain

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const pathPrefix = "/v1/"

// Handler serves a service over HTTP, as the protocol says. Every answer is JSON;
// one that is not 200 is an [Error].
func Handler(s *Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := serveHTTP(s, w, r)
		status := http.StatusOK
		if err != nil {
			refusal := asError(err)
			status = httpStatus(refusal.Code)
			if answer, err = json.Marshal(refusal); err != nil {
				answer = []byte(`{"code":"storage","message":"the error cannot be written"}`)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = w.Write(answer) // to a client that may have gone
	})
}

func serveHTTP(s *Service, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	op, found := strings.CutPrefix(r.URL.Path, pathPrefix)
	if !found || handler(Operation(op)) == nil {
		return nil, failure(NotFound, "operations are at /v1/", "there is nothing at %s", r.URL.Path)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, failure(MethodRefused, "send it with POST", "%s is not served with %s", r.URL.Path, r.Method)
	}
	bearer, err := bearerOf(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, failure(TooLarge, "send fewer changes at a time", "the request has more than %d bytes", maxRequest)
	case err != nil:
		return nil, failure(BadRequest, "", "the request breaks off: %v", err)
	}
	return s.Call(r.Context(), Operation(op), bearer, body)
}

// bearerOf reads the Authorization header; without one there is no bearer.
func bearerOf(r *http.Request) ([]byte, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	text, found := strings.CutPrefix(header, "Bearer ")
	bearer, err := hex.DecodeString(text)
	if !found || err != nil {
		return nil, failure(BadRequest, "", `the Authorization header is not "Bearer" and hexadecimal digits`)
	}
	return bearer, nil
}

func httpStatus(code Code) int {
	switch code {
	case BadRequest:
		return http.StatusBadRequest
	case WrongSecret, NotAMember, SecondFactor:
		return http.StatusUnauthorized
	case WrongPasscode, WrongProof, Revoked, WayNotAllowed, TooManyDevices, TooManyContacts:
		return http.StatusForbidden
	case UnknownAccount, UnknownMember, UnknownRequest, NoEscrow, NoRecovery, NotFound:
		return http.StatusNotFound
	case MethodRefused:
		return http.StatusMethodNotAllowed
	case AccountExists, NotApproved, NotConfirmed, StaleEpoch, RolledBack:
		return http.StatusConflict
	case EscrowDestroyed:
		return http.StatusGone
	case EscrowLocked:
		return http.StatusTooManyRequests
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

// Dial returns the cloud at a URL such as http://127.0.0.1:8441. Nothing is sent
// before the first operation.
func Dial(url string) Cloud {
	return &client{strings.TrimSuffix(url, "/"), &http.Client{Timeout: 30 * time.Second}}
}

type client struct {
	url  string
	http *http.Client
}

// maxAnswer is how much of an answer is read: maxEntities of the largest entities
// in base64, and room.
const maxAnswer = maxEntities * (maxCiphertext*4/3 + 1024)

// Call implements [Cloud].
func (c *client) Call(ctx context.Context, op Operation, bearer, request []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+pathPrefix+string(op), bytes.NewReader(request))
	if err != nil {
		return nil, c.unreachable(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if bearer != nil {
		r.Header.Set("Authorization", "Bearer "+hex.EncodeToString(bearer))
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(err)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, c.unreachable(err)
	}
	if response.StatusCode == http.StatusOK {
		return answer, nil
	}
	var refusal Error
	if err := json.Unmarshal(answer, &refusal); err != nil || refusal.Code == "" {
		return nil, &Error{Code: BadAnswer, Message: fmt.Sprintf("%s answered %s and is no keychain service", c.url, response.Status), Hint: "check the URL"}
	}
	return nil, &refusal
}

func (c *client) unreachable(err error) error {
	return &Error{Code: Unreachable, Message: "the service at " + c.url + " cannot be reached", Hint: "is it running?", Err: err}
}
