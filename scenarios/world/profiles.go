package world

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"fido-emu/attestation/metadata"
	"fido-emu/fixtures/mds"
	"fido-emu/rp"
	"fido-emu/rp/reference/graph"
	"fido-emu/scenarios/language"
)

// Profiles returns what changes the passkey profiles of the relying party.
func (s *Site) Profiles() (rp.ProfileAdministration, error) {
	return offer[rp.ProfileAdministration](s, "passkey profiles")
}

// Provisioner returns what registers passkeys on behalf of people.
func (s *Site) Provisioner() (rp.Provisioner, error) {
	return offer[rp.Provisioner](s, "registering passkeys on behalf of people")
}

// setProfiles sets the profiles that a scenario begins with.
func (w *World) setProfiles(ctx context.Context, all []language.PasskeyProfile) error {
	if len(all) == 0 {
		return nil
	}
	admin, err := w.Site.Profiles()
	if err != nil {
		return err
	}
	var next rp.PasskeyProfiles
	for _, p := range all {
		if err := w.enterProfile(&next, p); err != nil {
			return err
		}
	}
	if err := admin.SetPasskeyProfiles(ctx, next); err != nil {
		return fmt.Errorf("passkey profiles: %w", err)
	}
	return nil
}

// SetProfile changes a passkey profile of the relying party, or adds one.
func (w *World) SetProfile(ctx context.Context, p language.PasskeyProfile) error {
	return w.changeProfiles(ctx, func(all *rp.PasskeyProfiles) error { return w.enterProfile(all, p) })
}

// RemoveProfile removes a passkey profile of the relying party, with its targets.
func (w *World) RemoveProfile(ctx context.Context, name string) error {
	return w.changeProfiles(ctx, func(all *rp.PasskeyProfiles) error {
		id := profileID(name)
		all.Profiles = slices.DeleteFunc(all.Profiles, func(p rp.PasskeyProfile) bool { return p.ID == id })
		aim(all, id, nil)
		if all.Default == id {
			all.Default = ""
		}
		return nil
	})
}

func (w *World) changeProfiles(ctx context.Context, change func(*rp.PasskeyProfiles) error) error {
	admin, err := w.Site.Profiles()
	if err != nil {
		return err
	}
	all, err := admin.PasskeyProfiles(ctx)
	if err != nil {
		return err
	}
	if err := change(&all); err != nil {
		return err
	}
	return admin.SetPasskeyProfiles(ctx, all)
}

// profileID returns the id of the profile of a name, which follows from it.
func profileID(name string) string {
	h := sha256.Sum256([]byte("passkey profile " + name))
	return graph.GUID(h[:])
}

// enterProfile puts a profile and its groups in, or in the place of the one of its name.
func (w *World) enterProfile(all *rp.PasskeyProfiles, p language.PasskeyProfile) error {
	if w.Site.distrusts && p.Attestation {
		return &Missing{"this relying party does not trust the attestation of emulated keys, which the passkey profile " + p.Name + " asks for"}
	}
	made := rp.PasskeyProfile{ID: profileID(p.Name), Name: p.Name, Types: p.Types, Attestation: rp.AttestationDisabled}
	if p.Attestation {
		made.Attestation = rp.AttestationAtRegistration
	}
	var err error
	if made.KeyRestrictions, err = restrictions(p); err != nil {
		return err
	}
	if i := slices.IndexFunc(all.Profiles, func(o rp.PasskeyProfile) bool { return o.ID == made.ID }); i >= 0 {
		all.Profiles[i] = made
	} else {
		all.Profiles = append(all.Profiles, made)
	}
	if p.Groups != nil {
		aim(all, made.ID, p.Groups)
	}
	switch {
	case p.Default != nil && *p.Default:
		all.Default = made.ID
	case p.Default != nil && all.Default == made.ID:
		all.Default = ""
	}
	return nil
}

func restrictions(p language.PasskeyProfile) (rp.KeyRestrictions, error) {
	k, models := rp.KeyRestrictions{Kind: rp.AllowModels, AAGUIDs: []string{}}, p.AllowedModels
	switch {
	case len(p.AllowedModels) > 0 && len(p.BlockedModels) > 0:
		return k, fmt.Errorf("passkey profile %s: allowed-models and blocked-models exclude each other: write one of them", p.Name)
	case len(p.AllowedModels)+len(p.BlockedModels) == 0:
		return k, nil
	case len(p.BlockedModels) > 0:
		k.Kind, models = rp.BlockModels, p.BlockedModels
	}
	k.Enforced = true
	var err error
	k.AAGUIDs, err = aaguids(models)
	return k, err
}

// aim makes groups, and no others, the targets of a profile.
func aim(all *rp.PasskeyProfiles, id string, groups []string) {
	for i := range all.Targets {
		t := &all.Targets[i]
		t.Profiles = slices.DeleteFunc(t.Profiles, func(o string) bool { return o == id })
	}
	for _, g := range groups {
		i := slices.IndexFunc(all.Targets, func(t rp.ProfileTarget) bool { return t.Group == g })
		if i < 0 {
			i, all.Targets = len(all.Targets), append(all.Targets, rp.ProfileTarget{Group: g})
		}
		all.Targets[i].Profiles = append(all.Targets[i].Profiles, id)
	}
	all.Targets = slices.DeleteFunc(all.Targets, func(t rp.ProfileTarget) bool { return len(t.Profiles) == 0 })
}

// published is what the scenario's metadata service says of models.
type published struct {
	number  int // of the BLOB
	blob    []byte
	reports map[string][]metadata.Report // by model
}

// publish makes the next BLOB, of the models that the scenario names.
func (w *World) publish(ctx context.Context) error {
	var models []metadata.Model
	for _, name := range w.Scenario.Site.Metadata {
		p, err := Model(name)
		if err != nil {
			return err
		}
		described, err := mds.Describe(ctx, p, w.authority, w.Clock.Now, w.Random.Stream("metadata "+name))
		if err != nil {
			return err
		}
		for i := range described {
			described[i].Reports = w.metadata.reports[name]
			if described[i].Roots != nil {
				described[i].Roots = append(described[i].Roots, w.slotRoots()...)
			}
		}
		models = append(models, described...)
	}
	payload, err := metadata.Build(models, w.Clock.Now(), w.metadata.number+1)
	if err != nil {
		return err
	}
	blob, err := payload.Sign(w.authority)
	if err != nil {
		return err
	}
	w.metadata.number, w.metadata.blob = payload.No, blob
	return nil
}

// Report has the metadata service report a status of a model from today on, and gives
// the relying party the new BLOB.
func (w *World) Report(ctx context.Context, model, status string) error {
	if w.metadata.blob == nil {
		return errors.New("the relying party has no metadata: name its models under relying-party, metadata")
	}
	if !slices.Contains(w.Scenario.Site.Metadata, model) {
		return fmt.Errorf("the metadata does not tell of %s: name it under relying-party, metadata", model)
	}
	consumer, err := offer[rp.MetadataConsumer](w.Site, "trust by a metadata BLOB")
	if err != nil {
		return err
	}
	if w.metadata.reports == nil {
		w.metadata.reports = map[string][]metadata.Report{}
	}
	today := metadata.Report{Status: metadata.Status(status), Since: w.Clock.Now()}
	w.metadata.reports[model] = append(w.metadata.reports[model], today)
	if err := w.publish(ctx); err != nil {
		return err
	}
	return consumer.SetMetadata(ctx, w.metadata.blob)
}
