package steps

import (
	"context"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupPlain = "Time, and remarks"

func plain() []Step {
	return []Step{
		{language.Usage{
			Verb: "wait", Group: groupPlain, Summary: "Time passes. It is the scenario's own time: nobody really waits, but for up to 12 s where a key takes part that has a clock of its own.",
			Subject: language.Member{Name: "time", Kind: language.Duration, Text: "How much."}, Example: "- wait: 2 hours",
		}, wait},
		{language.Usage{
			Verb: "note", Group: groupPlain, Summary: "A remark for whoever reads the report.",
			Subject: language.Member{Name: "text", Kind: language.Text, Text: "The remark; ${name} puts in what was saved."}, Example: "- note: Ada is on holiday now.",
		}, note},
	}
}

func wait(ctx context.Context, w *world.World, c language.Call) error {
	d, err := language.ParseDuration(c.Subject)
	if err != nil {
		return err
	}
	return w.Pause(ctx, d)
}

func note(_ context.Context, w *world.World, c language.Call) error {
	w.Note("%s", c.Subject)
	return nil
}

// All returns every step, in the order in which people find them listed.
func All() []Step {
	var all []Step
	for _, group := range [][]Step{people(), manage(), administration(), profiles(), fallbacks(), conditionalAccess(), recovering(), fates(), pins(), syncing(), membership(), claims(), plain()} {
		all = append(all, group...)
	}
	return all
}
