package keychain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// Cloud takes operations to a service and brings back the answers. A [*Service]
// is one, [Dial] gives one over HTTP, a [*Link] is one with faults.
type Cloud interface {
	// Call asks for one operation. request and response are JSON. A refusal is an
	// *[Error].
	Call(ctx context.Context, op Operation, bearer, request []byte) (response []byte, err error)
}

// call asks for an operation with Go values. The answer to an operation that has
// none is nothing.
func call[Response any](ctx context.Context, c Cloud, op Operation, bearer []byte, request any) (*Response, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, &Error{Code: BadRequest, Message: string(op) + " cannot be written", Err: err}
	}
	answer, err := c.Call(ctx, op, bearer, body)
	if err != nil {
		return nil, err
	}
	var r Response
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, &Error{Code: BadAnswer, Message: "the answer to " + string(op) + " cannot be read", Err: err}
	}
	return &r, nil
}

// parse reads a request strictly: one JSON object, no unknown members.
func parse[Request any](body []byte) (*Request, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var r Request
	if err := d.Decode(&r); err != nil {
		return nil, &Error{Code: BadRequest, Message: "the request is not the JSON of this operation: " + err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Code: BadRequest, Message: "something follows the JSON of the request"}
	}
	return &r, nil
}
