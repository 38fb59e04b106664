package conformance

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// learn takes what an answer to authenticatorGetInfo says. An answer that cannot be
// read leaves an empty Info, and Unread says why: what needs nothing of it can still
// be judged, and the cases of getInfo fail.
func (f *Facts) learn(status ctap.Status, body []byte) {
	f.Info = &ctap.Info{}
	if status != ctap.OK {
		f.Unread = "authenticatorGetInfo answers " + status.Error()
		return
	}
	info, members := readInfo(body)
	if info == nil {
		f.Unread = fmt.Sprintf("authenticatorGetInfo answers %x, which cannot be read", body)
		return
	}
	f.Info, f.Members = info, members
}

// readInfo reads as much of an answer to authenticatorGetInfo as can be read: a member
// of another type than section 6.4 gives it is as if it were absent, and neither bytes
// behind the answer nor its encoding matter. Info is nil where the answer is no map.
func readInfo(body []byte) (*ctap.Info, map[int]cbor.RawMessage) {
	members := map[int]cbor.RawMessage{}
	if _, err := cbor.UnmarshalFirst(body, &members); err != nil && len(members) == 0 {
		return nil, nil
	}
	info := &ctap.Info{}
	for key, value := range members {
		readMember(info, key, value)
	}
	return info, members
}

// readMember reads one member. That it cannot be read is no error here: the cases of
// getInfo hold every member to its type.
func readMember(info *ctap.Info, key int, value cbor.RawMessage) {
	alone, err := ctap.Encode(map[int]cbor.RawMessage{key: value})
	if err == nil && ctap.DecodeLoose(alone, &ctap.Info{}) == nil {
		_ = ctap.DecodeLoose(alone, info)
		return
	}
	const options = 0x04
	var each map[string]cbor.RawMessage
	if key != options || cbor.Unmarshal(value, &each) != nil {
		return
	}
	info.Options = map[string]bool{}
	for id, on := range each {
		if len(on) == 1 && on[0]>>1 == 0xF4>>1 {
			info.Options[id] = on[0] == 0xF5
		}
	}
}
