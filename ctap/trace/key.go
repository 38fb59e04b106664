package trace

import (
	"fmt"
	"strings"
)

// COSEKey takes a COSE_Key apart (RFC 9052, section 7).
func COSEKey(b []byte) []Field {
	return whole(b, coseKey)
}

// The values of RFC 9053, section 7, RFC 8230 and RFC 9964.
var (
	keyTypes = map[int64]string{1: "OKP", 2: "EC2", 3: "RSA", 7: "AKP"}
	curves   = map[int64]string{
		1: "P-256", 2: "P-384", 3: "P-521", 4: "X25519", 5: "X448", 6: "Ed25519", 7: "Ed448", 8: "secp256k1",
	}
)

var (
	keyCommon = table{1: {"kty", enum(keyTypes)}, 3: {"alg", algorithm}}
	keyEC2    = keyCommon.with(table{-1: {"crv", enum(curves)}, -2: {"x", nil}, -3: {"y", nil}})
	keyRSA    = keyCommon.with(table{-1: {"n", nil}, -2: {"e", nil}})
	keyAKP    = keyCommon.with(table{-1: {"pub", nil}})
)

// with returns t and u together.
func (t table) with(u table) table {
	all := table{}
	for k, m := range t {
		all[k] = m
	}
	for k, m := range u {
		all[k] = m
	}
	return all
}

// coseKey shows a COSE_Key, summed up as in "ES256 P-256".
func coseKey(n node) (string, []Field) {
	t := keyCommon
	kty, _ := n.get(1)
	switch v, _ := kty.isInt(); v {
	case 1, 2:
		t = keyEC2
	case 3:
		t = keyRSA
	case 7:
		t = keyAKP
	}
	value, fields := members(t)(n)
	if fields == nil {
		return value, nil
	}
	return keySummary(n), fields
}

func keySummary(n node) string {
	var parts []string
	if alg, ok := n.get(3); ok {
		s, _ := algorithm(alg)
		s, _, _ = strings.Cut(s, " (")
		parts = append(parts, s)
	}
	kty, _ := n.get(1)
	first, _ := n.get(-1)
	switch v, _ := kty.isInt(); v {
	case 1, 2:
		if crv, ok := first.isInt(); ok && curves[crv] != "" {
			parts = append(parts, curves[crv])
		}
	case 3:
		parts = append(parts, fmt.Sprintf("%d bits", 8*len(first.str)))
	}
	return strings.Join(parts, " ")
}
