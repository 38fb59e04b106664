package audit

import "time"

// Clock lets time pass for a relying party that runs on a clock of our own. Beside it,
// attacks make use of the optional interfaces of package rp.
type Clock interface {
	Pass(d time.Duration)
}
