package world

import (
	"fmt"

	"fido-emu/report"
	"fido-emu/rp/web"
)

// pictured tells the report of a step on a page of which there is a picture.
func (w *World) pictured(x web.Exchange) {
	if x.Picture != "" {
		w.emit(report.Event{Kind: report.Note, Text: fmt.Sprintf("%s: %s (%s).", x.Section, x.Line, x.Verdict), Picture: x.Picture})
	}
}
