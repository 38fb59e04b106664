package audit

import (
	"encoding/json"
	"io"

	"fido-emu/rp/audit"
)

// WriteJSON writes a report as indented JSON.
func WriteJSON(w io.Writer, r *audit.Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
