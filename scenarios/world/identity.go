package world

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/loop"
	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/identity/services"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/scenarios/language"
)

// Where the services are that prove who somebody is, on the network in memory.
const (
	identityHost = "identity.example"
	rogueHost    = "rogue.example" // an issuer that nobody trusts
	identityKey  = "key of the relying party"
)

// proof is everything around account recovery: the services, a wallet for each
// person, and the cases.
type proof struct {
	network  *loop.Network
	services *services.Services
	people   []*person.Person
	rogue    *credential.Issuer
	site     *recorder // the relying party as the services reach it

	wallets map[string]*wallet.Wallet // by person
	holders map[string]*holderOf
	cases   map[string]*Case // by id
	latest  map[string]*Case // by person
	policy  rp.RecoveryPolicy
}

// Case is a case of account recovery as whoever began it holds it, and how far the
// person before the provider's camera has come.
type Case struct {
	rp.RecoveryCase
	Owner *Person // whose account it is

	applicant *proofing.Applicant
	began     time.Time
	counted   bool // the report knows how it ended
}

// openProof starts the services for a relying party with account recovery. Nothing
// happens where the scenario has none.
func (w *World) openProof(core *reference.Core) (err error) {
	s := w.Scenario.Site
	if s.Recovery == nil {
		return nil
	}
	p := &proof{
		network: loop.New(), wallets: map[string]*wallet.Wallet{}, holders: map[string]*holderOf{},
		cases: map[string]*Case{}, latest: map[string]*Case{},
	}
	if p.people, err = w.testPeople(); err != nil {
		return err
	}
	p.services, err = services.New(services.Config{
		Now: w.Clock.Now, Rand: w.Random.Stream("identity services"), Client: p.network.Client(),
		BaseURL: "https://" + identityHost, Key: identityKey, AdminKey: identityKey,
		Tenant: "relying-party", Origin: s.Origin, People: p.people, Archive: w.options.Archive,
	})
	if err != nil {
		return err
	}
	p.rogue, err = credential.NewIssuer(credential.IssuerConfig{
		Now: w.Clock.Now, Rand: w.Random.Stream("rogue issuer"), BaseURL: "https://" + rogueHost, Name: "Rogue",
	})
	if err != nil {
		return err
	}
	u, err := url.Parse(s.Origin)
	if err != nil {
		return err
	}
	p.site = &recorder{next: reference.Handler(core), linkage: p.services}
	p.network.Handle(identityHost, p.services)
	p.network.Handle(rogueHost, p.rogue)
	p.network.Handle(u.Host, p.site)
	where, err := p.services.Describe()
	if err != nil {
		return err
	}
	w.proof = p
	return core.EnableRecovery(reference.RecoveryServices{
		Proofing: where.Proofing, ProofingKey: identityKey, Requests: where.Requests, RequestsKey: identityKey,
		Authority: where.Authority, Callback: s.Origin, HTTP: p.network.Client(),
	})
}

// testPeople returns the test people that take part. Cameras know them and nobody
// else: every face that is known takes time to draw.
func (w *World) testPeople() ([]*person.Person, error) {
	all, err := person.Shipped()
	if err != nil {
		return nil, err
	}
	var named []string
	for _, p := range w.people {
		if p.identity != nil {
			named = append(named, p.identity.Person)
		}
	}
	for _, c := range w.Scenario.Steps {
		named = append(named, c.Text("face-of"), c.Text("document-of"))
	}
	for _, id := range named {
		if _, err := person.Find(all, id); id != "" && err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(p *person.Person) bool { return !slices.Contains(named, p.ID) }), nil
}

// furnishProof sets the recovery policy, and what the directory has on people.
func (w *World) furnishProof(ctx context.Context) error {
	r := w.Scenario.Site.Recovery
	if r == nil {
		return nil
	}
	site, err := w.Site.IdentityRecovery()
	if err != nil {
		return err
	}
	if w.proof == nil {
		return &Missing{"the services that prove who somebody is run with the reference relying party alone"}
	}
	w.proof.policy = rp.RecoveryPolicy{BlockedProviders: r.BlockedProviders, PassGroups: r.PassGroups}
	for _, p := range r.Profiles {
		w.proof.policy.Profiles = append(w.proof.policy.Profiles, recoveryProfile(p))
	}
	if err := site.SetRecoveryPolicy(ctx, w.proof.policy); err != nil {
		return err
	}
	for _, p := range w.people {
		if p.identity == nil || p.identity.NotInTheDirectory {
			continue
		}
		id, err := w.directory(p.identity)
		if err != nil {
			return fmt.Errorf("identity of %s: %w", p.Name, err)
		}
		if err := site.SetIdentity(ctx, p.RP, id); err != nil {
			return fmt.Errorf("identity of %s: %w", p.Name, err)
		}
	}
	return nil
}

// directory is what the relying party has on somebody.
func (w *World) directory(i *language.Identity) (rp.Identity, error) {
	who, err := person.Find(w.proof.people, i.Person)
	if err != nil {
		return rp.Identity{}, err
	}
	id := rp.Identity{
		GivenName: who.Given, FamilyName: who.Family, BirthDate: string(who.Birth), Country: who.Country, Unlicensed: i.WithoutLicence,
	}
	if i.Named {
		id.GivenName, id.FamilyName = i.FirstName, i.LastName
	}
	if i.BirthDate != "" {
		id.BirthDate = i.BirthDate
	}
	if i.Country != "" {
		id.Country = i.Country
	}
	return id, nil
}

func recoveryProfile(p language.RecoveryProfile) rp.RecoveryProfile {
	r := rp.RecoveryProfile{
		Name: p.Name, Groups: p.Groups, Excluded: p.Excluded, Mode: p.Mode, Match: p.Match, BirthDate: p.BirthDate,
		Revoke: p.RevokeOld, Reuse: p.Reuse, FaceThreshold: p.FaceThreshold,
		SignedInWithinMinutes: int(p.SignedInWithin.Minutes()), PassLifetimeMinutes: int(p.PassLifetime.Minutes()),
	}
	for _, provider := range p.Providers {
		r.Providers = append(r.Providers, rp.RecoveryProvider{Name: provider.Name, Countries: provider.Countries})
	}
	return r
}

// BlockProvider blocks a verification provider at the relying party, or ends that.
func (w *World) BlockProvider(ctx context.Context, name string, blocked bool) error {
	site, err := w.Site.IdentityRecovery()
	if err != nil {
		return err
	}
	if w.proof == nil {
		return &Missing{"the scenario's relying party has no recovery"}
	}
	policy := w.proof.policy
	policy.BlockedProviders = slices.DeleteFunc(slices.Clone(policy.BlockedProviders), func(n string) bool { return n == name })
	if blocked {
		policy.BlockedProviders = append(policy.BlockedProviders, name)
	}
	w.proof.policy = policy
	return site.SetRecoveryPolicy(ctx, policy)
}

// SetRecoveryProfile changes a profile of the recovery policy, or adds one at its
// end.
func (w *World) SetRecoveryProfile(ctx context.Context, p language.RecoveryProfile) error {
	site, err := w.Site.IdentityRecovery()
	if err != nil {
		return err
	}
	if w.proof == nil {
		return &Missing{"the scenario's relying party has no recovery"}
	}
	policy, found := w.proof.policy, false
	for i := range policy.Profiles {
		if policy.Profiles[i].Name == p.Name {
			policy.Profiles[i], found = recoveryProfile(p), true
		}
	}
	if !found {
		policy.Profiles = append(policy.Profiles, recoveryProfile(p))
	}
	w.proof.policy = policy
	return site.SetRecoveryPolicy(ctx, policy)
}

// IdentityRecovery returns what lets people back in by who they are.
func (s *Site) IdentityRecovery() (rp.IdentityRecovery, error) {
	return offer[rp.IdentityRecovery](s, "account recovery by identity")
}
