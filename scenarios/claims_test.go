package scenarios

import (
	"strings"
	"testing"

	"fido-emu/report"
)

// TestClaimsCanFail makes each claim of a world in which it is false, and each
// step that checks something see that it is not so.
func TestClaimsCanFail(t *testing.T) {
	const head = `title: False
people: {ada: , bob: }
accounts: {cloud: }
devices:
  key: {profile: security-key, pin: "4711"}
  phone: {profile: passkey-provider, account: cloud, passcode: "112233"}
  tablet: {profile: passkey-provider}
steps:
  - {register: ada, with: key, save: bound, name: Blue}
  - {register: ada, with: phone, save: synced}
  - {register: bob, with: key}
  - {sign-in: ada, with: key, save: session}
`
	for step, want := range map[string]string{
		"{expect: ada, signed-in: no}":                                           "signed-in of ada should be no, but it is yes",
		"{expect: ada, passkeys: more than 2}":                                   "passkeys of ada should be more than 2, but it is 2",
		"{expect: key, passkeys: 0}":                                             "but it is 2",
		"{expect: key, pin-set: no}":                                             "but it is yes",
		"{expect: key, pin-tries: 7}":                                            "but it is 8",
		"{expect: key, in-account: yes}":                                         "but it is no",
		"{expect: phone, unsynced: 0}":                                           "but it is 1",
		"{expect: cloud, devices: 2}":                                            "but it is 1",
		"{expect: '${bound}', registered: no}":                                   "but it is yes",
		"{expect: '${bound}', type: synced}":                                     "but it is device-bound",
		"{expect: '${synced}', type: device-bound}":                              "but it is synced",
		"{expect: '${bound}', backup-eligible: yes}":                             "but it is no",
		"{expect: '${synced}', backed-up: yes}":                                  "but it is no",
		"{expect: '${bound}', counter: 'less than ${session.counter}'}":          "counter of ${bound} should be less than",
		"{expect: '${bound}', attestation: packed}":                              "but it is none",
		"{expect: '${bound}', trusted: yes}":                                     "but it is no",
		"{expect: '${bound}', name: Red}":                                        "but it is Blue",
		"{expect: '${bound}', on: phone}":                                        "${bound} should be on phone, but it is not there",
		"{expect: '${bound}', not-on: key}":                                      "but it is there",
		"{expect: '${bound}', on: key, shown-as: Eve}":                           "but it is ada",
		"{expect: '${session}', method: temporary*}":                             "but it is passkey",
		"{expect: '${session}', passkey: '${synced}'}":                           "passkey of ${session} should be ${synced}",
		"{expect: '${session}', counter: 0}":                                     "counter of ${session} should be 0",
		"{expect: '${session}', acts: 3}":                                        "acts of ${session} should be 3, but it is 2",
		"{expect: '${session}', seconds: more than 9}":                           "but it is 3",
		"{expect: ada, last-from: 'DE, managed'}":                                "but it is unknown, unmanaged",
		"{expect: ada, last-rules: '*success'}":                                  "last-rules of ada should be *success",
		"{sign-in: ada, with: key, offered: [ada], without-user-name: yes}":      "it offered ada@example.com, bob@example.com",
		"{sign-in: ada, with: key, warning: '*counter*'}":                        "it noticed none",
		"{fail-pin: key, pin: '4711'}":                                           "a wrong PIN should be refused, but the device took it",
		"{fail-pin: key, last-answer: CTAP2_ERR_PIN_BLOCKED}":                    "the last answer should be CTAP2_ERR_PIN_BLOCKED",
		"{fail-passcode: tablet, account: cloud, last-answer: escrow-destroyed}": "the last answer should be escrow-destroyed",
		"{sync: key}":                     "no-keychain",
		"{delete: '${bound}', on: phone}": "passkey-absent",
	} {
		t.Run(step, func(t *testing.T) {
			events := runAll(t, []Source{{File: "false.yaml", ID: "false", Text: []byte(head + "  - " + step + "\n")}}, Options{Title: "claims"})
			for _, e := range events {
				if e.Kind != report.ScenarioEnd {
					continue
				}
				if e.Outcome != report.Failed || e.Failure.Location.Line != 13 || !strings.Contains(e.Failure.Message, want) {
					t.Errorf("%s: %+v, want %q in line 13", e.Outcome, e.Failure, want)
				}
			}
		})
	}
}
