package report

import "io"

// WriteHTML writes m as one self-contained page.
func WriteHTML(w io.Writer, m *Model) error {
	_, err := io.WriteString(w, m.Run.Title)
	return err
}
