package scenarios

import "fido-emu/report"

// seat tells of devices in which slots of a bench they are, and why in none. It is asked
// while the slots are lent: nobody else changes what is known of them.
func (l *loan) seat(devices []report.Device) {
	for i := range devices {
		d := &devices[i]
		d.Beside = l.beside[d.Name]
		for _, t := range l.lent {
			if t.device.Name == d.Name {
				seat := t.use.Seat
				d.Slot = &seat
			}
		}
	}
}
