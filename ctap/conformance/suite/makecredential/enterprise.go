package makecredential

import (
	"bytes"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const (
	enterpriseStep = "6.1.2 step 9"
	enterpriseSite = "enterprisetest.certinfra.fidoalliance.org" // that every authenticator under certification lists

	vendorFacilitated, platformManaged = 1, 2
	enableEnterpriseAttestation        = 1
)

// enterprise is about enterpriseAttestation (section 7.1).
func enterprise() []conformance.Case {
	disabled := func(r *run) {
		for _, value := range []int{vendorFacilitated, platformManaged} {
			attempt(r, r.CreateParams().With(10, value)).Want(ctap.ErrInvalidParameter)
		}
	}
	return append(enabled(),
		conformance.Needing(since21("enterprise.not-capable", enterpriseStep, "enterpriseAttestation without the option ep is CTAP1_ERR_INVALID_PARAMETER", disabled),
			conformance.AbsentOption("ep")),
		conformance.StartWithPIN(conformance.Needing(since21("enterprise.disabled", enterpriseStep, "enterpriseAttestation that is not enabled is CTAP1_ERR_INVALID_PARAMETER", disabled),
			conformance.HasOption("ep"), conformance.NoOption("ep"))),
		since21("enterprise.not-asked", enterpriseStep, "epAtt does not mark an attestation that is none of an enterprise", func(r *run) {
			r.Check(!r.NewCredential().Response.EnterpriseAtt, "epAtt is true")
		}),
	)
}

// enabled is about enterprise attestation that is enabled.
func enabled() []conformance.Case {
	return conformance.Each(conformance.One(
		since21("enterprise.value", enterpriseStep, "values of enterpriseAttestation that there are not are CTAP2_ERR_INVALID_OPTION", func(r *run) {
			for _, value := range []int{0, 3, 255} {
				r.Doing("enterpriseAttestation %d", value)
				attempt(r, r.CreateParams().With(10, value)).Tolerate(conformance.Deviates("implementations differ", ctap.ErrInvalidParameter)).Want(ctap.ErrInvalidOption)
			}
		}),
		since21("enterprise.platform-managed", enterpriseStep, "the attestation that the platform answers for is marked by epAtt", func(r *run) {
			given, c := enterpriseGiven(r, enterpriseSite, platformManaged)
			if !given && !c.Response.EnterpriseAtt {
				r.Tolerate("section 7.1 leaves platform-managed enterprise attestation to the vendor", "it attests as to anybody")
			}
			r.Check(c.Response.EnterpriseAtt == given, "epAtt is %v; the certificate is another than the usual one: %v", c.Response.EnterpriseAtt, given)
		}),
		since21("enterprise.vendor-facilitated", enterpriseStep, "the attestation for relying parties that the vendor chose is marked by epAtt", func(r *run) {
			given, c := enterpriseGiven(r, enterpriseSite, vendorFacilitated)
			r.Check(c.Response.EnterpriseAtt == given, "epAtt is %v; the certificate is another than the usual one: %v", c.Response.EnterpriseAtt, given)
		}),
		since21("enterprise.unlisted", "7.1", "a relying party that the vendor did not choose gets the usual attestation", func(r *run) {
			given, c := enterpriseGiven(r, r.NewSite(), vendorFacilitated)
			r.Check(!given && !c.Response.EnterpriseAtt, "epAtt is %v; the certificate is another than the usual one: %v", c.Response.EnterpriseAtt, given)
		}),
		conformance.WithHands(since21("enterprise.lasts", "7.1", "enterprise attestation stays enabled over a power cycle", func(r *run) {
			r.PowerCycle()
			r.Check(r.FreshInfo().Options["ep"], "the option ep is not true")
		}), conformance.Replug),
	), func(c conformance.Case) conformance.Case {
		do := c.Run
		c.Run = func(r *run) {
			r.Configure(enableEnterpriseAttestation, nil)
			r.Require(r.FreshInfo().Options["ep"], "the option ep is not true once it is enabled")
			do(r)
		}
		return conformance.Leaving(conformance.StartWithPIN(conformance.Needing(c, conformance.HasOption("ep"), conformance.Option("authnrCfg"))))
	})
}

// enterpriseGiven makes a credential with enterpriseAttestation, and tells whether it
// is attested by another certificate than a credential without.
func enterpriseGiven(r *run, site string, value int) (bool, *conformance.Credential) {
	leaf := func(c *conformance.Credential) []byte {
		return certificate(verify(r, c))
	}
	usual := leaf(r.NewCredential())
	c := r.Create(r.CreateParams().With(2, s{"id": site, "name": "Enterprise"}).With(10, value))
	return !bytes.Equal(usual, leaf(c)), c
}

// certificate returns the attestation certificate of a statement, nil without.
func certificate(result attestation.Result) []byte {
	if len(result.Chain) == 0 {
		return nil
	}
	return result.Chain[0].Raw
}
