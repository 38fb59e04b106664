package rp

import (
	"context"
	"time"
)

// PassScheduler is a relying party whose administrators issue Temporary Access Passes that
// begin later, as for somebody's first day.
type PassScheduler interface {
	// IssuePassFrom issues a pass that is good from start on; otherwise it is as
	// [Administration].IssuePass.
	IssuePassFrom(ctx context.Context, p Person, start time.Time, lifetime time.Duration, once bool) (pass string, err error)
}
