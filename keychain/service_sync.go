package keychain

import "sort"

// sync takes the changes of a device and gives it those of the others.
func (v *visit) sync() (any, error) {
	r, err := parse[syncRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	if len(r.Changes) > maxChanges {
		return nil, failure(TooLarge, "send them in parts", "%d changes; %d are taken at a time", len(r.Changes), maxChanges)
	}
	if r.Since > v.acct.revision {
		return nil, failure(RolledBack, restartHint, "the service is at revision %d; the device knows %d", v.acct.revision, r.Since)
	}
	if len(r.Changes) > 0 && r.Epoch != v.acct.Epoch {
		return nil, v.stale(r.Epoch)
	}
	before := v.acct.revision
	accepted, err := v.take(r.Changes)
	if err != nil {
		return nil, err
	}
	response := v.acct.since(r.Since, before)
	response.Accepted, response.Devices = accepted, v.acct.count()
	v.event.Pulled = len(response.Entities)
	return response, nil
}

// take stores the changes that are based on the current revision of their
// entity. What it returns holds the new revision of each, 0 for the others.
func (v *visit) take(changes []sealedEntity) ([]uint64, error) {
	accepted := make([]uint64, len(changes))
	next := v.acct.revision
	var records []change
	seen := map[EntityID]bool{}
	for i, c := range changes {
		id, err := c.check()
		if err != nil {
			return nil, err
		}
		if seen[id] {
			return nil, failure(BadRequest, "", "entity %s changes twice in one request", id)
		}
		seen[id] = true
		if old := v.acct.entities[id]; old != nil && (old.Revision != c.Revision || old.Dead && !c.Dead) {
			v.event.Refused++
			continue
		}
		next++
		accepted[i] = next
		records = append(records, &entityRecord{
			Account: v.acct.ID, ID: id, Epoch: v.acct.Epoch, Revision: next, Dead: c.Dead, Nonce: c.Nonce, Ciphertext: c.Ciphertext,
		})
	}
	v.event.Pushed = len(records)
	if len(records) == 0 {
		return accepted, nil
	}
	return accepted, v.commit(records...)
}

func (c *sealedEntity) check() (EntityID, error) {
	if len(c.Nonce) != nonceLen || len(c.Ciphertext) == 0 || len(c.Ciphertext) > maxCiphertext {
		return EntityID{}, failure(BadRequest, "", "entity %q: a nonce has %d bytes and a ciphertext 1 to %d", c.ID, nonceLen, maxCiphertext)
	}
	return parseEntityID(c.ID)
}

// since returns what changed after one revision and up to another, as much of it
// as fits.
func (a *account) since(known, upTo uint64) *syncResponse {
	r := &syncResponse{Revision: a.revision, Entities: []sealedEntity{}}
	first := sort.Search(len(a.log), func(i int) bool { return a.log[i].revision > known })
	for _, l := range a.log[first:] {
		if l.revision > upTo {
			break // the asking device's own
		}
		e := a.entities[l.id]
		if e.Revision != l.revision {
			continue // it changed again later
		}
		if len(r.Entities) == maxEntities {
			r.More = true
			r.Revision = r.Entities[maxEntities-1].Revision
			break
		}
		r.Entities = append(r.Entities, sealedEntity{e.ID.String(), e.Epoch, e.Revision, e.Dead, e.Nonce, e.Ciphertext})
	}
	return r
}
