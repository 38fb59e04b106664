package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteExchanges writes what was said in an attempt for people to read: the steps,
// each with its CTAP exchanges and ceremonies, decoded and as they were.
func WriteExchanges(w io.Writer, events []Event) error {
	var b bytes.Buffer
	for i := range events {
		e := &events[i]
		if b.Len() == 0 && e.StepIndex == 0 && (e.Exchange != nil || e.Kind == Note) {
			b.WriteString("Before the steps\n")
		}
		switch {
		case e.Kind == StepStart && e.Step != nil:
			fmt.Fprintf(&b, "\n%d  %s  (%s)\n", e.StepIndex, clean(e.Step.Text), e.Step.Location.String())
		case e.Kind == StepEnd && e.Failure != nil:
			fmt.Fprintf(&b, "   %s: %s\n", e.Outcome, clean(e.Failure.Message))
		case e.Exchange != nil:
			writeExchange(&b, e)
		case e.Ceremony != nil:
			writeCeremony(&b, e.Ceremony)
		case e.Kind == Note:
			fmt.Fprintf(&b, "   %s\n", clean(e.Text))
		}
	}
	_, err := w.Write(bytes.TrimLeft(b.Bytes(), "\n"))
	return err
}

func writeExchange(b *bytes.Buffer, e *Event) {
	x := e.Exchange
	fmt.Fprintf(b, "   %s %s\n", clean(e.Device), clean(x.Command))
	writeFields(b, x.Request.Decoded, "     > ")
	fmt.Fprintf(b, "     > %x\n", x.Request.Raw)
	fmt.Fprintf(b, "   %s\n", clean(x.Status))
	writeFields(b, x.Response.Decoded, "     < ")
	fmt.Fprintf(b, "     < %x\n", x.Response.Raw)
}

func writeCeremony(b *bytes.Buffer, c *Ceremony) {
	fmt.Fprintf(b, "   navigator.credentials.%s for %s at %s\n", clean(c.Type), clean(c.Person), clean(c.Origin))
	writeFields(b, c.Decoded, "     ")
	for _, raw := range []struct {
		what string
		json json.RawMessage
	}{{"options", c.Options}, {"response", c.Response}} {
		if len(raw.json) > 0 {
			fmt.Fprintf(b, "     %s: %s\n", raw.what, clean(string(raw.json)))
		}
	}
	if c.Error != "" {
		fmt.Fprintf(b, "     %s\n", clean(c.Error))
	}
}

func writeFields(b *bytes.Buffer, fields []Field, indent string) {
	for _, f := range fields {
		line := indent + clean(f.Name)
		if f.Value != "" {
			line += ": " + clean(f.Value)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		writeFields(b, f.Fields, indent+"  ")
	}
}
