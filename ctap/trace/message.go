package trace

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"fido-emu/ctap"
)

// Exchange is one request and its response, decoded.
type Exchange struct {
	Command  string // such as authenticatorGetInfo
	Status   string // such as CTAP2_OK; empty when there is no response
	Request  []Field
	Response []Field
}

// Decode decodes a request, a command byte and CBOR, and its response, a status
// byte and CBOR. Either may be malformed or empty.
func Decode(request, response []byte) Exchange {
	var e Exchange
	if len(request) == 0 {
		e.Command = "no command"
		if len(response) > 0 {
			e.Status, e.Response = ctap.Status(response[0]).String(), decode(response[1:], nil)
		}
		return e
	}
	command := ctap.Command(request[0])
	e.Command = command.String()
	if sub := subCommandName(command, request[1:]); sub != "" {
		e.Command += " " + sub
	}
	e.Request = decode(request[1:], requestTable(command, request[1:]))
	if len(response) > 0 {
		e.Status = ctap.Status(response[0]).String()
		e.Response = decode(response[1:], responseTable(command))
	}
	return e
}

func requestTable(c ctap.Command, params []byte) table {
	switch c {
	case ctap.MakeCredential:
		return makeCredentialRequest
	case ctap.GetAssertion:
		return getAssertionRequest
	case ctap.ClientPIN:
		return clientPINRequest
	case ctap.BioEnrollment, ctap.BioEnrollmentPreview:
		return bioRequest
	case ctap.CredentialManagement, ctap.CredentialManagementPreview:
		return credentialManagementRequest
	case ctap.LargeBlobs:
		return largeBlobsRequest
	case ctap.Config:
		sub, _ := subCommand(params, 1)
		return configRequest(sub)
	}
	return nil
}

func responseTable(c ctap.Command) table {
	switch c {
	case ctap.MakeCredential:
		return makeCredentialResponse
	case ctap.GetAssertion, ctap.GetNextAssertion:
		return getAssertionResponse
	case ctap.GetInfo:
		return getInfoResponse
	case ctap.ClientPIN:
		return clientPINResponse
	case ctap.BioEnrollment, ctap.BioEnrollmentPreview:
		return bioResponse
	case ctap.CredentialManagement, ctap.CredentialManagementPreview:
		return credentialManagementResponse
	case ctap.LargeBlobs:
		return largeBlobsResponse
	}
	return nil
}

// subCommandName returns the name of a request's subcommand, empty when it has
// none.
func subCommandName(c ctap.Command, params []byte) string {
	names, key := map[int64]string(nil), int64(1)
	switch c {
	case ctap.ClientPIN:
		names, key = clientPINSubCommands, 2
	case ctap.BioEnrollment, ctap.BioEnrollmentPreview:
		names, key = bioCommands, 2
	case ctap.CredentialManagement, ctap.CredentialManagementPreview:
		names = credentialManagementCommands
	case ctap.Config:
		names = configSubCommands
	default:
		return ""
	}
	sub, ok := subCommand(params, key)
	if !ok {
		return ""
	}
	if name, known := names[sub]; known {
		return name
	}
	return fmt.Sprintf("subcommand 0x%02x", sub)
}

func subCommand(params []byte, key int64) (int64, bool) {
	n, _ := parse(params)
	value, ok := n.get(key)
	if !ok {
		return 0, false
	}
	return value.isInt()
}

// decode reads the CBOR of a message; none is no fields.
func decode(b []byte, t table) []Field {
	if len(b) == 0 {
		return nil
	}
	return whole(b, members(t))
}

// textInBytes shows a byte string that holds text.
func textInBytes(n node) (string, []Field) {
	if n.major == majorBytes && printable(n.str) {
		return text(n.str), nil
	}
	return plain(n)
}

func printable(b []byte) bool {
	for _, r := range string(b) {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return len(b) > 0
}

// largeBlobArray shows a fragment of the large-blob array; one that is the whole
// array, an array and 16 bytes of its hash, is taken apart.
func largeBlobArray(n node) (string, []Field) {
	value, fields := plain(n)
	if n.major != majorBytes {
		return value, fields
	}
	array, hash := parse(n.str)
	if array.err != nil || array.major != majorArray || len(hash) != 16 {
		return value, nil
	}
	return value, []Field{
		list(largeBlob).field("largeBlobArray", array),
		{Name: "hash", Value: Bytes(hash)},
	}
}
