package ctap

import "context"

// Authenticator is anything that answers CTAP2 requests.
type Authenticator interface {
	// Exchange sends one request, a command byte followed by the CBOR map of its
	// parameters, and returns the response, a status byte followed by CBOR.
	//
	// err is for the transport alone: a refused command is an answer, not an
	// error. Cancelling ctx is CTAPHID_CANCEL: the authenticator stops waiting
	// for its user and answers CTAP2_ERR_KEEPALIVE_CANCEL.
	Exchange(ctx context.Context, request []byte) (response []byte, err error)
}

// Progress is what an authenticator does while a request is under way; its
// values are the payloads of CTAPHID_KEEPALIVE (section 11.2.9.2.1).
type Progress byte

// The two states that a keepalive tells of.
const (
	Processing Progress = 1 // STATUS_PROCESSING: the authenticator is working
	UPNeeded   Progress = 2 // STATUS_UPNEEDED: it waits for its user
)

// String returns the name that CTAPHID gives to the state.
func (p Progress) String() string {
	switch p {
	case Processing:
		return "processing"
	case UPNeeded:
		return "user presence needed"
	}
	return "unknown"
}

type contextKey int

const (
	progressKey contextKey = iota
	channelKey
	transportKey
)

// WithProgress returns a context through which an authenticator reports, to
// notify, each change of what it is doing. A transport turns the reports into
// keepalives. notify must not block.
func WithProgress(ctx context.Context, notify func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey, notify)
}

// ReportProgress tells the transport behind ctx, if there is one, what the
// authenticator is doing now.
func ReportProgress(ctx context.Context, p Progress) {
	if notify, ok := ctx.Value(progressKey).(func(Progress)); ok {
		notify(p)
	}
}

// WithChannel returns a context that names the transport channel a request came
// in on. State that spans commands belongs to the channel that began it.
func WithChannel(ctx context.Context, id uint32) context.Context {
	return context.WithValue(ctx, channelKey, id)
}

// Channel returns the channel that a request came in on, 0 when its transport
// has none.
func Channel(ctx context.Context) uint32 {
	id, _ := ctx.Value(channelKey).(uint32)
	return id
}

// WithTransport returns a context that names the transport a request came over, as
// WebAuthn does: usb, nfc, ble, hybrid, internal.
func WithTransport(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, transportKey, name)
}

// Transport returns the transport that a request came over, empty when nobody said.
func Transport(ctx context.Context) string {
	name, _ := ctx.Value(transportKey).(string)
	return name
}
