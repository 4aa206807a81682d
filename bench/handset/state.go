package handset

// State is how far a handset has come.
type State uint8

// States.
const (
	Unmanaged  State = iota // it knows no DM server
	AwaitsPIN               // a document is there, the PIN is not
	Lost                    // the user ran out of tries; the document is gone
	Refused                 // the user did not want the document
	HasAccount              // bootstrapped, but no session has come to its end yet
	Managed                 // bootstrapped, and its last session came to its regular end
	Failed                  // bootstrapped, and its last session failed
	states
)

var stateNames = [states]string{"unmanaged", "awaits PIN", "lost", "refused", "has account", "managed", "failed"}

func (s State) String() string { return stateNames[s] }

// Result is what became of a handset so far.
type Result struct {
	State         State
	Err           error // why the last session failed
	SMS           int   // short messages that arrived
	Pushes        int   // whole pushes
	Documents     int   // bootstrap documents among them
	Duplicates    int   // documents that had been applied already
	PINTries      int   // how often the user typed a PIN
	Notifications int   // notifications among the pushes
	Unheeded      int   // of these, thrown away, or refused by the user
	Sessions      int   // opened
	Triggered     int   // of these, by a notification: with Alert 1200
	Closed        int   // of these, came to their regular end
	Messages      int   // DM messages sent and answered
	Repeats       int   // messages sent once more
	BytesSent     int   // bodies of DM messages, repeats among them
	BytesReceived int   // bodies of the answers
	Links         int   // shown to the user
	Opened        int   // of these, opened by the user
	Downloads     int   // packages asked for: by the server's Exec or by opening a link
	Downloaded    int   // bytes of those that came whole
	Wipes         int   // wiped, by LAWMO or RemoteWipe
	Locks         int   // locked, by LAWMO or RemoteLock
	Violations    int   // including those that were not kept
}

// add adds the numbers of o to r.
func (r *Result) add(o *Result) {
	r.SMS += o.SMS
	r.Pushes += o.Pushes
	r.Documents += o.Documents
	r.Duplicates += o.Duplicates
	r.PINTries += o.PINTries
	r.Notifications += o.Notifications
	r.Unheeded += o.Unheeded
	r.Sessions += o.Sessions
	r.Triggered += o.Triggered
	r.Closed += o.Closed
	r.Messages += o.Messages
	r.Repeats += o.Repeats
	r.BytesSent += o.BytesSent
	r.BytesReceived += o.BytesReceived
	r.Links += o.Links
	r.Opened += o.Opened
	r.Downloads += o.Downloads
	r.Downloaded += o.Downloaded
	r.Wipes += o.Wipes
	r.Locks += o.Locks
	r.Violations += o.Violations
}
