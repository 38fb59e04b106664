// Package usbip makes emulated FIDO keys into USB devices that a Linux kernel takes
// for plugged in, by the USB/IP protocol, version 1.1.1
// (Documentation/usb/usbip_protocol.rst in the kernel).
//
// A [Key] is one device: its descriptors, its control requests and its interrupt
// endpoints on the side of the host, and a hid.Conn on the side of the authenticator.
// A [Server] exports keys over TCP to stock clients (usbip list, usbip attach); the
// package vhci below this one plugs a key into the kernel of the same machine without
// them. [List] and [Import] are the client's half of the conversation.
//
// The protocol knows no authentication: whoever reaches the server may use its keys.
// Listen on the loopback address unless the network is trusted.
package usbip

// DefaultAddress is where a server listens unless told otherwise: the protocol's port
// on this machine alone.
const DefaultAddress = "127.0.0.1:3240"
