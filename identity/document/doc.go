// Package document draws test documents, genuine ones and such with a defect, and finds
// out from the bytes of a picture which it has before it.
//
// [Draw] makes the picture of a passport's data page, of both sides of an identity card
// (front above back) or of a driving licence, in PNG: printed fields, portrait, a
// hologram, on passports and cards the machine-readable zone of ICAO Doc 9303 parts 3, 4
// and 5, and, in a text chunk of the file, what the chip says: the zone (DG1), the
// portrait (DG2), the printed data (DG11) and their hashes, signed with a test key of the
// issuing state, as passive authentication has it (ICAO Doc 9303-11, section 5.1; here in
// JSON, not CMS).
//
// [Inspector.Inspect] knows nothing but those bytes. It measures sharpness, glare, colour
// and moiré, looks for the corners, reads the zone character by character and calculates
// its check digits, verifies the chip, and compares the page, field by field, with what
// one of these data must look like. Each finding has a [Code].
//
// The typeface of the zone is not OCR-B but a fixed bitmap font, and it is found at its
// known place: that a camera is held askew is not played here.
//
// The states' keys are made from their names: they prove nothing outside of tests.
package document
