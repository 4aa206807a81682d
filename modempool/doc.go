// Package modempool sends WAP pushes through GSM and LTE modems and follows them to their delivery reports.
//
// It has three layers, each a few files:
//
//   - the AT engine (line.go, at.go, submit.go, resync.go, ring.go): one conversation over one port, in which a late
//     reply is never taken for the next command's answer and an unsolicited line never disturbs one;
//   - the modem (modem.go, unlock.go, identity.go, inbox.go, report.go, received.go, reset.go): bring-up, who it is,
//     send, and what comes in; profile.go has the engine's commands in the shape of xlab's at.DeviceProfile;
//   - the pool (pool.go, dispatch.go, worker.go, burst.go, receive.go, awaiting.go): which push goes when and
//     where, and what its record says. A worker goroutine owns one modem and every push that went through it, so that
//     a push is written by one goroutine at a time and no lock is held across I/O.
//
// What a crash may cost is decided in the records: a push is saved as sending before its first byte leaves, and as
// sent with its message references after the last. One found sending at start becomes doubtful and is never silently
// repeated.
//
// Sources: section 7 of the fact sheet; what AT libraries and daemons got wrong (D1 to D17) is told where it matters, and
// each is shown not to be ours in defects_test.go. What modems say, faults and all, can be read in testdata.
package modempool
