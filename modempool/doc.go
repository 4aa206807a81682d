// Package modempool sends WAP pushes through GSM and LTE modems and follows them to their delivery reports.
//
// It has four layers, each a few files:
//
//   - the AT engine (line.go, at.go, submit.go, resync.go, ring.go): one conversation over one port, in which a late
//     reply is never taken for the next command's answer and an unsolicited line never disturbs one;
//   - the modem (modem.go, unlock.go, identity.go, inbox.go, report.go, received.go, reset.go): bring-up, who it is,
//     send, and what comes in; profile.go has the engine's commands in the shape of xlab's at.DeviceProfile;
//   - the limits (limits.go, quiet.go, meter.go, bucket.go, hourly.go, simday.go): what may go now, and until when the
//     rest has to wait;
//   - the pool (pool.go, queue.go, plug.go, dispatch.go, worker.go, burst.go, receive.go, settle.go, overdue.go): which
//     push goes when and where, and what its record says. Queue and waits are in the store: the dispatcher has a few
//     pushes of each flow in memory, a worker the one that its modem sends, and a delivery report finds its push there.
//
// What a crash may cost is decided in the records: a push is saved as sending before its first byte leaves, and as
// sent with its message references after the last. One found sending at start becomes doubtful: a delivery report settles
// it, or it is sent once more, which its record and the feed say. It is never silently repeated.
//
// Sources: section 7 of the fact sheet; what AT libraries and daemons got wrong (D1 to D17) is told where it matters,
// and each is shown not to be ours in defects_test.go. What modems say, faults and all, can be read in testdata.
package modempool
