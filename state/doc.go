// Package state keeps what must survive the process in files: the state and the
// credentials of a device ([OpenDevice]), and whatever else needs a durable file
// ([Open]).
//
// A file is a bbolt database with a header that says what kind of thing it holds
// and in which version of its format. Opening looks before it maps: a file that
// is truncated, damaged, of another kind, of a newer version or in use is refused
// with an [*Error] that names the path and what to do, and is left as it is. The
// look reads the file once, some 30 milliseconds for ten megabytes; after that, a
// change costs what it changes, and is on the disk when the call returns.
//
// Files are readable by their owner alone, and so are directories made for them.
// They hold private keys in the clear, as the emulated device would in its flash.
package state
