package services

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The parts that are kept. A wallet's is walletPart and the id of its holder.
const (
	aboutPart    = "about"
	proofingPart = "proofing"
	requestsPart = "requests"
	facesPart    = "faces"
	walletPart   = "wallet/"
)

// saver returns what saves a part, nil where nothing is kept.
func (c *Config) saver(part string) func([]byte) error {
	if c.Save == nil {
		return nil
	}
	return func(snapshot []byte) error { return c.Save(part, snapshot) }
}

// walletSaver returns what saves a wallet, nil where nothing is kept.
func (c *Config) walletSaver() func(string, []byte) error {
	if c.Save == nil {
		return nil
	}
	return func(id string, snapshot []byte) error { return c.Save(walletPart+id, snapshot) }
}

// wallets returns those that were kept, by holder.
func (c *Config) wallets() map[string][]byte {
	all := map[string][]byte{}
	for part, snapshot := range c.Kept {
		if id, ok := strings.CutPrefix(part, walletPart); ok {
			all[id] = snapshot
		}
	}
	return all
}

// about is what the other parts are good for.
type about struct {
	BaseURL string `json:"baseURL"`
	Tenant  string `json:"tenant"`
}

// sameAddress refuses what was kept by services elsewhere: Verified IDs name their
// issuers by address, and would all be nobody's.
func (c *Config) sameAddress() error {
	now := about{c.BaseURL, c.Tenant}
	if kept, ok := c.Kept[aboutPart]; ok {
		var before about
		if err := json.Unmarshal(kept, &before); err != nil {
			return fmt.Errorf("what was kept is damaged: %w", err)
		}
		if before != now {
			return fmt.Errorf("what was kept is of %s at %s, and this is %s at %s: Verified IDs name their issuer by its address, so serve them there again, or begin anew elsewhere", before.Tenant, before.BaseURL, now.Tenant, now.BaseURL)
		}
		return nil
	}
	if c.Save == nil {
		return nil
	}
	b, err := json.Marshal(now)
	if err == nil {
		err = c.Save(aboutPart, b)
	}
	return err
}

// begin keeps the keys of new services, so that who was told of them finds the same
// again even if nothing else has happened.
func (s *Services) begin() error {
	if s.config.Save == nil {
		return nil
	}
	for part, snapshot := range map[string]func() ([]byte, error){
		proofingPart: s.Proofing.Snapshot, requestsPart: s.Requests.Snapshot,
	} {
		if _, ok := s.config.Kept[part]; ok {
			continue
		}
		b, err := snapshot()
		if err == nil {
			err = s.config.Save(part, b)
		}
		if err != nil {
			return fmt.Errorf("identity services: keep %s: %w", part, err)
		}
	}
	return nil
}

// keptFaces returns the Face Check, which knows what it saw before.
func keptFaces(c Config) (*Faces, error) {
	f := NewFaces(c.Archive.Gallery(c.People))
	f.save = c.saver(facesPart)
	kept := c.Kept[facesPart]
	if len(kept)%sha256.Size != 0 {
		return nil, fmt.Errorf("identity services: what was kept of Face Check is damaged: %d bytes", len(kept))
	}
	for h := range slices.Chunk(kept, sha256.Size) {
		f.seen[[sha256.Size]byte(h)] = true
	}
	return f, nil
}

// snapshot returns the hashes of all frames that were seen; f.mu is held.
func (f *Faces) snapshot() []byte {
	all := make([][]byte, 0, len(f.seen))
	for h := range f.seen {
		all = append(all, bytes.Clone(h[:]))
	}
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, nil)
}
