package main

import (
	"testing"

	"fido-emu/docs/doctest"
)

func TestDocumentedCommands(t *testing.T) { doctest.Commands(t, "../..", command) }
