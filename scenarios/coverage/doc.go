// Package coverage tells which scenarios show what organisations rely on when they
// move to passkeys. The rows of its table are the rules; a scenario names the rows
// that it shows in its member covers. Beside it stand the labels of the library, its one
// vocabulary.
package coverage
