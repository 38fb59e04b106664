package authenticator

import "fido-emu/ctap"

// infoLimitQuirks are about the numbers of authenticatorGetInfo, and those members that
// change as the authenticator lives.
func infoLimitQuirks() []quirk {
	number := func(key uint64, v any) behaviour { return infoMembers(func(m members) { m.set(key, v) }) }
	return []quirk{
		breach("info-message-size-low", "6.4", "states a maxMsgSize below 1024",
			"platforms do not send requests that it could take", "", number(5, 512)),
		breach("info-list-count-zero", "6.4", "states a maxCredentialCountInList of 0",
			"platforms send no lists, and the key finds no credential", "", number(7, 0)),
		breach("info-id-length-zero", "6.4", "states a maxCredentialIdLength of 0",
			"platforms leave every credential out of lists", "", number(8, 0)),
		breach("info-min-pin-low", "6.4", "states a minPINLength of 3",
			"users choose a PIN that is refused, or too weak", "clientPin", number(13, 3)),
		breach("info-min-pin-missing", "6.4", "has clientPin and states no minPINLength",
			"users choose a PIN that is refused", "clientPin,FIDO_2_1", infoMembers(func(m members) { delete(m, 13) })),
		breach("info-min-pin-without-pin", "6.4", "states a minPINLength without clientPin",
			"platforms offer to set a PIN that does not exist", "no clientPin", number(13, 4)),
		breach("info-max-pin-low", "6.4", "states a maxPINLength of 7",
			"users are kept to short PINs", "clientPin,FIDO_2_1", number(29, 7)),
		breach("info-max-pin-without-pin", "6.4", "states a maxPINLength without clientPin",
			"platforms offer to set a PIN that does not exist", "no clientPin", number(29, 32)),
		breach("info-min-pin-sites-missing", "6.4", "has the extension minPinLength and states no maxRPIDsForSetMinPINLength",
			"administrators do not know how many sites they may list", "minPinLength", infoMembers(func(m members) { delete(m, 16) })),
		breach("info-complexity-without-pin", "6.4", "states a pinComplexityPolicy without clientPin",
			"platforms offer to set a PIN that does not exist", "no clientPin", number(27, true)),
		breach("info-complexity-url-text", "6.4", "states pinComplexityPolicyURL as text, not as bytes",
			"a strict platform cannot read getInfo", "FIDO_2_1", number(28, "https://example.com/pin")),
		breach("info-cred-blob-length-missing", "6.4", "lists the extension credBlob and states no maxCredBlobLength",
			"sites do not know what they may store", "FIDO_2_1", ofInfo(func(i *ctap.Info) {
				i.Extensions, i.MaxCredBlobLength = append(without(i.Extensions, "credBlob"), "credBlob"), 0
			})),
		breach("info-cred-blob-length-low", "6.4", "states a maxCredBlobLength of 16",
			"sites cannot store what they may rely on", "FIDO_2_1", ofInfo(func(i *ctap.Info) {
				i.Extensions, i.MaxCredBlobLength = append(without(i.Extensions, "credBlob"), "credBlob"), 16
			})),
		breach("info-cred-blob-length-alone", "6.4", "states a maxCredBlobLength without the extension credBlob",
			"sites store what is lost", "no credBlob", number(15, 32)),
		breach("info-large-blob-capacity-low", "6.4", "states a maxSerializedLargeBlobArray of 512",
			"sites cannot store what they may rely on", "largeBlobs", number(11, 512)),
		breach("info-large-blob-capacity-alone", "6.4", "states a maxSerializedLargeBlobArray without the option largeBlobs",
			"sites store what is lost", "no largeBlobs", number(11, 1024)),
		breach("info-uv-attempts-zero", "6.4", "states 0 preferredPlatformUvAttempts",
			"platforms never ask for the finger", "uv", number(17, 0)),
		breach("info-remaining-stuck", "6.4", "does not count remainingDiscoverableCredentials down",
			"the user learns that it is full when it is too late", "rk,FIDO_2_1", inInfo(func(x *exchange, i *ctap.Info) {
				if left := i.RemainingDiscoverableCredentials; left != nil {
					*left = uint(x.profile.CredentialLimit())
				}
			})),
		breach("info-force-change-hidden", "6.4", "does not say forcePINChange when the PIN must be changed",
			"the user sees sign-ins fail and not why", "minPinLength", ofInfo(func(i *ctap.Info) { i.ForcePINChange = false })),
		breach("info-identifier-repeats", "6.4", "sends the same encIdentifier with every getInfo",
			"whoever meets the key twice knows it again", "perCredMgmtRO", firstAgain(25)),
		breach("info-identifier-short", "6.4", "sends an encIdentifier without its IV",
			"no platform can decrypt it", "perCredMgmtRO", ofInfo(func(i *ctap.Info) {
				if len(i.EncIdentifier) == 32 {
					i.EncIdentifier = i.EncIdentifier[16:]
				}
			})),
		breach("info-identifier-other-key", "6.4", "encrypts encIdentifier under another key than the persistent token gives",
			"no platform can decrypt it", "perCredMgmtRO", inInfo(func(x *exchange, i *ctap.Info) {
				if i.EncIdentifier != nil {
					i.EncIdentifier = hashOf(i.EncIdentifier)
				}
			})),
		breach("info-store-state-repeats", "6.4", "sends the same encCredStoreState with every getInfo",
			"platforms do not see that credentials came or went", "encCredStoreState", firstAgain(30)),
		breach("info-store-state-stuck", "6.4", "does not change the state in encCredStoreState when a credential comes or goes",
			"platforms show passkeys that are gone", "encCredStoreState", firstStoreState()),
	}
}

// firstStoreState encrypts the same state with every getInfo, each time anew.
func firstStoreState() behaviour {
	var first []byte
	return inInfo(func(x *exchange, i *ctap.Info) {
		if i.EncCredStoreState == nil {
			return
		}
		if first == nil {
			first, x.err = x.a.storeState()
		}
		if sealed, err := x.a.forHolders(infoStoreState, first); err == nil {
			i.EncCredStoreState = sealed
		}
	})
}

// firstAgain sends the first value of a member for ever.
func firstAgain(key uint64) behaviour {
	var first []byte
	return infoMembers(func(m members) {
		if first == nil {
			first = m[key]
		}
		if m[key] != nil {
			m[key] = first
		}
	})
}
