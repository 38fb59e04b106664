package credential

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
)

// TypeVerifiedIdentity is the type of a Verified ID that a document check stands
// behind (Microsoft Graph, verifiedIdProfileConfiguration).
const TypeVerifiedIdentity = "VerifiedIdentity"

// Names of claims about a person. firstName, lastName and portrait are those that
// Microsoft Graph's verifiedIdProfile binds to a directory and to Face Check.
const (
	FirstName      = "firstName"
	LastName       = "lastName"
	DateOfBirth    = "dateOfBirth" // YYYY-MM-DD
	Country        = "country"     // ISO 3166-1 alpha-3, as a document has it
	DocumentType   = "documentType"
	DocumentNumber = "documentNumber"
	DocumentExpiry = "documentExpiry" // YYYY-MM-DD
	Portrait       = "portrait"       // see EncodePhoto
)

// Claims are what a credential says of its subject, by name. The subject's identifier
// is not among them.
type Claims map[string]string

// Clone returns a copy.
func (c Claims) Clone() Claims { return maps.Clone(c) }

// Photo returns the image in a claim, a JPEG or a PNG.
func (c Claims) Photo(name string) ([]byte, error) {
	text, ok := c[name]
	if !ok {
		return nil, fmt.Errorf("the credential has no claim %q, in which a photo was to be", name)
	}
	image, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fmt.Errorf("claim %q is no photo: %w", name, err)
	}
	return image, nil
}

// EncodePhoto returns an image as a claim has it (image/jpg;base64url, or
// image/png;base64url).
func EncodePhoto(image []byte) string { return base64.RawURLEncoding.EncodeToString(image) }
