// Package codec is the house of everything that turns bytes into messages and back: WBXML tokens (wbxml), the SyncML
// DM message (syncml), management trees and the account among them (tnds, dmacc), DevInf (devinf), OMA client
// provisioning documents (cp), WAP push and SMS (push), and credential digests (auth).
//
// Nothing under codec does I/O, reads a clock or keeps global state. Readers take hostile bytes: they never panic,
// never loop, and fail with a *SyntaxError that says where.
package codec

import "fmt"

// SyntaxError is bad input. Its text reads "wbxml: offset 57: string table index 912 past its end (40)".
type SyntaxError struct {
	Format string // what was being read: "wbxml", "xml", "cp", "tnds", "devinf", "push", "tpdu", "notification",
	// "x-syncml-hmac"
	Offset int    // bytes from the start of the document as received
	Msg    string // what was there and what was wanted
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: offset %d: %s", e.Format, e.Offset, e.Msg)
}

// Errorf returns a *SyntaxError for format at offset.
func Errorf(format string, offset int, msg string, args ...any) error {
	return &SyntaxError{Format: format, Offset: offset, Msg: fmt.Sprintf(msg, args...)}
}
