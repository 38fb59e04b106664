// Package report turns what happens in a run into reports for people and for
// machines.
//
// A run is one stream of events. [Stream] numbers and stamps them and hands them
// to sinks: [Console] shows live progress, [JSONL] writes one object a line, and
// [Files] leaves events.jsonl, junit.xml and report.html in a folder. Whatever is
// rendered comes from the events alone, through one [Model], so that a report can
// be drawn again later from the JSONL that [Read] reads.
//
// Nothing in an event is trusted: text is cleaned for terminals and escaped for
// XML and HTML.
package report
