package recovery

import "time"

// Account is what recovery has to know of an account.
type Account struct {
	Name       string    // user name
	Groups     []string  //
	Given      string    // first name or names, as the directory has them
	Family     string    // last name or names
	BirthDate  string    // 2006-01-02; empty where the directory has none
	Country    string    // ISO 3166-1 alpha-2; empty where the directory has none
	Licensed   bool      //
	LastSignIn time.Time // with a full session; zero for never
}

// eligible tells by which profile an account may be recovered, or why by none.
func eligible(p Policy, a Account, now time.Time) (Profile, error) {
	// 2a. Scope.
	r, ok := profileOf(p, a.Groups)
	if !ok {
		return r, refuse(NotInScope, "account recovery is not set up for the groups of %s", a.Name)
	}
	// 2b. Licence.
	if !a.Licensed {
		return r, refuse(NoLicence, "%s has no licence for account recovery", a.Name)
	}
	within := time.Duration(r.SignedInWithinMinutes) * time.Minute
	// 2c. A sign-in since the scope changed, and not too long ago.
	switch {
	case a.LastSignIn.IsZero() || a.LastSignIn.Before(r.Since):
		return r, refuse(NoRecentSignIn, "%s has not signed in since recovery was set up at %s", a.Name, stamp(r.Since))
	case within > 0 && now.Sub(a.LastSignIn) > within:
		return r, refuse(NoRecentSignIn, "%s last signed in at %s, more than %s ago", a.Name, stamp(a.LastSignIn), within)
	}
	// 2d. The pass that stands at the end. Asked in evaluation, too: it is what the
	// evaluation is there to find out.
	if len(p.PassGroups) > 0 && !overlap(p.PassGroups, a.Groups) {
		return r, refuse(PassNotEnabled, "Temporary Access Passes are not enabled for the groups of %s", a.Name)
	}
	return r, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") } // as the pages write times
