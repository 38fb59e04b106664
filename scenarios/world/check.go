package world

import (
	"fmt"

	"fido-emu/fixtures"
	"fido-emu/scenarios/language"
)

// Check finds what cannot work in a scenario whose words are in order, before it
// is run.
func Check(s *language.Scenario) language.Problems {
	var problems language.Problems
	for _, d := range s.Devices {
		if p := checkDevice(s, d); p != "" {
			problems = append(problems, language.Problem{At: d.At, Found: "device " + d.Name + ": " + p})
		}
	}
	problems = append(problems, checkFaults(s)...)
	for _, a := range s.Accounts {
		if a.Behaviour != "" {
			if _, err := behaviourOf(s, a); err != nil {
				problems = append(problems, language.Problem{At: s.At, Found: fmt.Sprintf("account %s: %v", a.Name, err)})
			}
		}
		if _, err := s.ProviderOf(a.Name, providerOf); err != nil {
			problems = append(problems, language.Problem{At: s.At, Found: err.Error()})
		}
	}
	return problems
}

func checkDevice(s *language.Scenario, d language.Device) string {
	m, err := Model(d.Profile)
	if err == nil {
		m, err = m.With(d.Quirks...)
	}
	switch {
	case err != nil:
		return err.Error()
	case d.PIN != "" && !m.ClientPIN:
		return fmt.Sprintf("%s takes no PIN; it verifies its user by %s", m.Name, m.BuiltInUV)
	case d.Account == "":
		return ""
	case m.Keys != fixtures.KeychainKeys:
		return fmt.Sprintf("%s keeps its passkeys to itself and can be in no sync account", m.Name)
	}
	provider, err := s.ProviderOf(d.Account, providerOf)
	if err == nil && provider != m.Provider && m.Provider != anyProvider {
		return fmt.Sprintf("account %s is one of %s, and %s joins accounts of %s only", d.Account, provider, m.Name, m.Provider)
	}
	return ""
}

// checkFaults finds faults that contradict themselves.
func checkFaults(s *language.Scenario) (problems language.Problems) {
	for _, d := range s.Devices {
		for _, f := range d.Faults {
			if err := f.Check(); err != nil {
				problems = append(problems, language.Problem{At: d.At, Found: fmt.Sprintf("device %s: %s: %v", d.Name, f.Name, err)})
			}
		}
	}
	for _, c := range s.Steps {
		if c.Usage.Verb != DisturbVerb {
			continue
		}
		if _, err := language.FaultOf("", c.Args); err != nil {
			problems = append(problems, language.Problem{At: c.At, Found: err.Error()})
		}
	}
	return problems
}
