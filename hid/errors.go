package hid

import (
	"errors"
	"fmt"
	"io"
)

// ErrUnplugged is in every error about a connection whose other side is gone.
var ErrUnplugged = errors.New("device is unplugged")

// ErrPowerCycle is what a device's ReadReport returns when its host cut the power
// for a moment or reset the bus: the transaction and all channels are lost, the
// connection is not.
var ErrPowerCycle = errors.New("power cycle")

// ErrClosed is in every error of a [Channel] after its Close.
var ErrClosed = errors.New("channel is closed")

// ErrNoReply is in every error about a device that fell silent: it neither
// answered nor, during CTAPHID_CBOR, sent keepalives.
var ErrNoReply = errors.New("device does not reply")

// ErrEndless is in every error about a device that goes on sending keepalives and
// never answers.
var ErrEndless = errors.New("device keeps working and never answers")

// Error is an error code of CTAPHID_ERROR (section 11.2.9.1.6). A device answers
// with it, a host returns it.
type Error byte

// The error codes of section 11.2.9.1.6.
const (
	ErrInvalidCmd     Error = 0x01 // the command is not known
	ErrInvalidPar     Error = 0x02 // a parameter is not valid
	ErrInvalidLen     Error = 0x03 // BCNT does not suit the command
	ErrInvalidSeq     Error = 0x04 // a packet came out of order
	ErrMsgTimeout     Error = 0x05 // the rest of the message did not come
	ErrChannelBusy    Error = 0x06 // another transaction is under way, or another channel holds the lock
	ErrLockRequired   Error = 0x0A // the command needs the channel lock
	ErrInvalidChannel Error = 0x0B // the channel is not allocated
	ErrOther          Error = 0x7F
)

// String returns the specification's name, such as ERR_CHANNEL_BUSY.
func (e Error) String() string {
	switch e {
	case ErrInvalidCmd:
		return "ERR_INVALID_CMD"
	case ErrInvalidPar:
		return "ERR_INVALID_PAR"
	case ErrInvalidLen:
		return "ERR_INVALID_LEN"
	case ErrInvalidSeq:
		return "ERR_INVALID_SEQ"
	case ErrMsgTimeout:
		return "ERR_MSG_TIMEOUT"
	case ErrChannelBusy:
		return "ERR_CHANNEL_BUSY"
	case ErrLockRequired:
		return "ERR_LOCK_REQUIRED"
	case ErrInvalidChannel:
		return "ERR_INVALID_CHANNEL"
	case ErrOther:
		return "ERR_OTHER"
	}
	return "unknown error"
}

// Error returns the name and the code, such as "ERR_CHANNEL_BUSY (0x06)".
func (e Error) Error() string { return fmt.Sprintf("%s (0x%02X)", e.String(), byte(e)) }

// ProtocolError is an answer that breaks the rules of CTAPHID: a packet out of
// order, the answer to another command, a length that cannot be.
type ProtocolError struct {
	Command Command // the request that it was the answer to
	What    string  // what is wrong
}

// Error says what is wrong with the answer to which command.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("the answer to %s breaks CTAPHID: %s", e.Command, e.What)
}

// gone makes an error of a Conn one that wraps ErrUnplugged.
func gone(err error) error {
	if errors.Is(err, ErrUnplugged) || err == nil {
		return err
	}
	if errors.Is(err, io.EOF) {
		return ErrUnplugged
	}
	return fmt.Errorf("%w: %w", ErrUnplugged, err)
}
