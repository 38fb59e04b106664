package document

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// chip is what a document's chip holds.
type chip struct {
	DG1       string `json:"dg1"`       // the zone, without line ends (9303-10, section 4.7.1)
	DG2       []byte `json:"dg2"`       // the portrait, JPEG (4.7.2)
	DG11      Data   `json:"dg11"`      // what is printed (4.7.11)
	SOD       []byte `json:"sod"`       // digests, as they were signed
	Signature []byte `json:"signature"` // ECDSA over SHA-256 of SOD, ASN.1
}

// digests is what is signed: SHA-256 of each data group, and by which state.
type digests struct {
	State string `json:"state"`
	DG1   []byte `json:"dg1"`
	DG2   []byte `json:"dg2"`
	DG11  []byte `json:"dg11"`
}

// errForged is the error of a chip whose signature or digests do not hold.
var errForged = errors.New("chip")

// stateKey returns the test key of a state: the scalar is the hash of its code.
func stateKey(code string) (*ecdsa.PrivateKey, error) {
	scalar := sha256.Sum256([]byte("test key of the issuing state " + code))
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
}

func (c *chip) digests(state string) (digests, error) {
	dg1, dg2 := sha256.Sum256([]byte(c.DG1)), sha256.Sum256(c.DG2)
	b, err := json.Marshal(c.DG11)
	dg11 := sha256.Sum256(b)
	return digests{state, dg1[:], dg2[:], dg11[:]}, err
}

// sign seals the chip with the key of a name, which a forger does not have: theirs is
// that of another.
func (c *chip) sign(state, keyName string) error {
	key, err := stateKey(keyName)
	if err != nil {
		return fmt.Errorf("key of %s: %w", keyName, err)
	}
	d, err := c.digests(state)
	if err != nil {
		return fmt.Errorf("chip: %w", err)
	}
	if c.SOD, err = json.Marshal(d); err != nil {
		return fmt.Errorf("chip: %w", err)
	}
	hash := sha256.Sum256(c.SOD)
	if c.Signature, err = key.Sign(nil, hash[:], crypto.SHA256); err != nil { // RFC 6979
		return fmt.Errorf("chip: %w", err)
	}
	return nil
}

// verify goes through passive authentication: the signature under the state's key, then
// each digest. Every error wraps errForged.
func (c *chip) verify() (state string, err error) {
	var signed digests
	if err := json.Unmarshal(c.SOD, &signed); err != nil {
		return "", fmt.Errorf("%w: the security object cannot be read: %w", errForged, err)
	}
	key, err := stateKey(signed.State)
	if err != nil {
		return signed.State, fmt.Errorf("%w: %w", errForged, err)
	}
	hash := sha256.Sum256(c.SOD)
	if !ecdsa.VerifyASN1(&key.PublicKey, hash[:], c.Signature) {
		return signed.State, fmt.Errorf("%w: the signature is not that of %s", errForged, signed.State)
	}
	now, err := c.digests(signed.State)
	if err != nil {
		return signed.State, fmt.Errorf("%w: %w", errForged, err)
	}
	for i, pair := range [][2][]byte{{signed.DG1, now.DG1}, {signed.DG2, now.DG2}, {signed.DG11, now.DG11}} {
		if !bytes.Equal(pair[0], pair[1]) {
			return signed.State, fmt.Errorf("%w: %s is not the one that was signed", errForged, [...]string{"DG1", "DG2", "DG11"}[i])
		}
	}
	if c.DG11.Issuer != signed.State {
		return signed.State, fmt.Errorf("%w: signed by %s, issued by %s", errForged, signed.State, c.DG11.Issuer)
	}
	return signed.State, nil
}

// The text chunk of a PNG file that carries a chip (PNG, Third Edition, section 11.3.3.2).
const (
	pngHeader   = "\x89PNG\r\n\x1a\n"
	chipKeyword = "chip"
	maxChip     = 256 << 10
)

// embed puts a chip into a PNG file, before its last chunk.
func (c *chip) embed(file []byte) ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("chip: %w", err)
	}
	content := append([]byte("tEXt"+chipKeyword+"\x00"), base64.StdEncoding.EncodeToString(b)...)
	const iend = 12
	if len(file) < iend {
		return nil, errors.New("chip: no PNG file")
	}
	out := bytes.Clone(file[:len(file)-iend])
	out = binary.BigEndian.AppendUint32(out, uint32(len(content)-4))
	out = append(out, content...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(content))
	return append(out, file[len(file)-iend:]...), nil
}

// errNoChip says that a file carries no chip.
var errNoChip = errors.New("the picture comes with nothing read from a chip")

// readChip finds the chip in a PNG file: errNoChip where there is none, and an error
// that wraps errForged where it cannot be read.
func readChip(file []byte) (*chip, error) {
	rest, ok := strings.CutPrefix(string(file), pngHeader)
	if !ok {
		return nil, errNoChip
	}
	for len(rest) >= 12 {
		size := binary.BigEndian.Uint32([]byte(rest[:4]))
		if uint64(size) > uint64(len(rest)-12) {
			return nil, errNoChip
		}
		kind, body := rest[4:8], rest[8:8+size]
		if text, ok := strings.CutPrefix(body, chipKeyword+"\x00"); ok && kind == "tEXt" && size <= maxChip {
			return parseChip(text)
		}
		rest = rest[12+size:]
	}
	return nil, errNoChip
}

func parseChip(text string) (*chip, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForged, err)
	}
	var c chip
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", errForged, err)
	}
	return &c, nil
}
