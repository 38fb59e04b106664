package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/fixtures"
	"fido-emu/keychain"
	"fido-emu/state"
	"fido-emu/tpmsim"
)

// device is an emulated authenticator and what must be closed behind it.
type device struct {
	*authenticator.Authenticator
	closers []func() error
}

// Close lets go of files and of the TPM.
func (d *device) Close() error {
	var err error
	for _, c := range d.closers {
		err = errors.Join(err, c())
	}
	return err
}

// newDevice switches on an authenticator of a model. With a path its state is in
// that file; without, it lasts as long as the process.
func newDevice(ctx context.Context, p *fixtures.Profile, path string) (*device, error) {
	if path != "" && p.Keys != fixtures.SoftwareKeys {
		return nil, usageError{fmt.Errorf("--state keeps keys in software; profile %s has them in a %s", p.Name, p.Keys)}
	}
	d := &device{}
	env := authenticator.Env{
		Now: time.Now, Rand: rand.Reader, User: authenticator.Consenting{}, Keys: softkeys.New(rand.Reader, false),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(p.CredentialLimit()),
	}
	err := d.equip(ctx, p, path, &env)
	if err == nil {
		d.Authenticator, err = authenticator.New(p.Profile, env)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// equip gives env what the model has beyond software keys in memory.
func (d *device) equip(ctx context.Context, p *fixtures.Profile, path string, env *authenticator.Env) error {
	authority, err := attestation.NewAuthority("fido-emu test authority", rand.Reader, time.Now())
	if err != nil {
		return err
	}
	if p.AttestedBy == fixtures.AttestedByChain {
		if env.Attestation, err = authority.Packed(p.AAGUID, p.Title); err != nil {
			return err
		}
	}
	switch {
	case p.Keys == fixtures.TPMKeys:
		return d.equipTPM(ctx, p, authority, env)
	case p.Keys == fixtures.KeychainKeys:
		return d.equipKeychain(ctx, p, env)
	case path != "":
		return d.equipFile(p, path, env)
	}
	return nil
}

func (d *device) equipTPM(ctx context.Context, p *fixtures.Profile, authority *attestation.Authority, env *authenticator.Env) error {
	tpm, err := tpmsim.Open(ctx, tpmsim.Options{Backend: tpmsim.Reference})
	if errors.Is(err, tpmsim.ErrUnavailable) {
		tpm, err = tpmsim.Open(ctx, tpmsim.Options{Backend: tpmsim.Swtpm})
	}
	if err != nil {
		return err
	}
	d.closers = append(d.closers, tpm.Close)
	env.Keys = tpm.Keys()
	env.Attestation, err = tpm.Attestation(ctx, authority, p.Title, cose.ES256)
	return err
}

// equipKeychain puts the device into a sync account of its own.
func (d *device) equipKeychain(ctx context.Context, p *fixtures.Profile, env *authenticator.Env) error {
	provider, err := keychain.LookupProvider(p.Provider)
	if err != nil {
		return err
	}
	service, err := keychain.NewService(keychain.ServiceConfig{Provider: provider})
	if err != nil {
		return err
	}
	member := keychain.NewDevice(p.Name, service, keychain.Env{Now: time.Now, Rand: rand.Reader, MaxCredentials: p.CredentialLimit()})
	env.Credentials = member.Credentials()
	return member.CreateAccount(ctx, "owner@example.com", "account secret")
}

func (d *device) equipFile(p *fixtures.Profile, path string, env *authenticator.Env) error {
	file, err := state.OpenDevice(path)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, file.Close)
	env.Device, env.Credentials = file.Device(), file.Credentials(p.CredentialLimit())
	return nil
}
