package hub

// library is what this package needs of a USB library. Its errors wrap
// hid.ErrUnplugged and ErrPermission where they mean that.
type library interface {
	// hubs describes the hubs that are plugged in, root hubs among them, and opens
	// nothing. What was found comes with the error.
	hubs() ([]description, error)
	open(d description) (handle, error)
	close() error
}

// handle is an open hub.
type handle interface {
	// control performs a control transfer (USB 2.0, section 9.3).
	control(requestType, request byte, value, index uint16, data []byte) (int, error)
	close() error
}
