// Package storage holds the gateway's records and the one door to where they are kept, the Store interface. It knows
// nothing of HTTP, SyncML or AT.
//
// Records are written in a generated encoding (msgp) behind a version byte, as maps with short keys: tomorrow's
// program reads today's files, skips keys it does not know and finds zero values for keys that were not written.
package storage

import "time"

//go:generate go tool msgp -file records.go -o records_gen.go -tests=false -io=false
//msgp:timezone utc

// A damaged length must not make a reader allocate gigabytes. No list or text comes near this; data has limits of its own.
//msgp:limit arrays:65536 maps:65536 marshal:true

// DeviceID names a device in this gateway and is the user name of its DM account: 16 characters from a CSPRNG, so
// that it can not be guessed.
type DeviceID string

// State is how far a device has come.
type State string

// States of a device, in the order of the way.
const (
	Registered  State = "registered"  // known, nothing ordered
	Ordered     State = "ordered"     // a bootstrap waits for a modem
	Sent        State = "sent"        // every segment is with the network
	Delivered   State = "delivered"   // every segment is reported delivered
	Connected   State = "connected"   // opened a session with the credentials of its bootstrap
	Discovered  State = "discovered"  // told what it is and what it has
	Unanswered  State = "unanswered"  // bootstrap delivered, no session until the deadline: refused or ignored
	Unreachable State = "unreachable" // the network gave the bootstrap up
	Failed      State = "failed"      // see Device.Reason
)

// States lists all states in the order of the way.
var States = []State{Registered, Ordered, Sent, Delivered, Connected, Discovered, Unanswered, Unreachable, Failed}

// Bootstrapped says whether a device in state s has a working DM account of ours.
func (s State) Bootstrapped() bool { return s == Connected || s == Discovered }

// Wait says what something waits for. Nothing ever just waits: it has a reason, a deadline and what comes then.
type Wait struct {
	For   string    `msg:"f"` // "a modem", "a session"; empty where nothing is waited for
	Since time.Time `msg:"s"`
	Until time.Time `msg:"u"`
	Next  string    `msg:"n"` // what happens at Until
}

// Device is one device as far as it is known.
type Device struct {
	ID      DeviceID  `msg:"id"`
	MSISDN  string    `msg:"ms"` // E.164 with its "+"; unique
	IMSI    string    `msg:"im"` // 6 to 15 digits; empty where unknown
	DevID   string    `msg:"di"` // ./DevInfo/DevId, "IMEI:490154203237518"; unique; empty until known
	Created time.Time `msg:"cr"`
	State   State     `msg:"st"`
	Since   time.Time `msg:"si"` // when State was entered
	Reason  string    `msg:"re"` // why, in words, where State is one of the failed ends
	Wait    Wait      `msg:"wa"`
	Order   string    `msg:"or"` // the bootstrap order that is open, or was last
	Seen    time.Time `msg:"se"` // last authenticated session

	Certificates []Given `msg:"ce,omitempty"` // root certificates that it was given
	// Facts are what DevInfo and DevDetail said, by node name: "Man", "Mod", "FwV", ...; and what the device has shown in
	// its sessions: see the names below.
	Facts map[string]string `msg:"fa"`
	Walk  Walk              `msg:"wk"` // how far its tree is known; what is known of it are its Nodes
}

// Facts that are no node of the device's.
const (
	FactMaxMsgSize = "MaxMsgSize" // bytes of a message that it takes, as package 1 said
	FactMaxObjSize = "MaxObjSize" // bytes of a large object that it takes
	FactTNDS       = "TNDS"       // "yes" where it has given a part of its tree in one piece, "no" where it can not
	FactWakeUp     = "WakeUp"     // "yes" where a notification of ours was followed by a session with Alert 1200
)

// Account holds a device's credentials: what its bootstrap document gave it, and the nonces since. It is a record of
// its own so that reading a device never touches a secret.
type Account struct {
	Device         DeviceID `msg:"d"`
	ServerID       string   `msg:"s"`
	Password       string   `msg:"p"`  // the device's, under user name Device
	ServerPassword string   `msg:"sp"` // ours towards the device, under user name ServerID
	ClientNonce    []byte   `msg:"cn"` // decoded; what the device's next digest is over
	ServerNonce    []byte   `msg:"sn"` // decoded; what ours is over

	// ServerScheme is how we prove ourselves to the device: "basic", "md5" or "hmac". Empty stands for md5, which every
	// client takes.
	ServerScheme string `msg:"ss,omitempty"`
	// Scheme is the one the device has to use at least, in the same words; empty where basic will do.
	Scheme string `msg:"sc,omitempty"`
	// Failures counts credentials refused one after the other, over sessions. Each round of them locks the account for
	// longer, until LockedUntil.
	Failures    int       `msg:"fa,omitempty"`
	LockedUntil time.Time `msg:"lu"`
	// ZeroNonceUntil is the end of a resynchronisation: until then the device may prove itself over the zero nonce, for
	// it has lost ours. Zero where there is none; the next session that is proved ends it.
	ZeroNonceUntil time.Time `msg:"zu"`
}

// OrderState says whether an order is still worked on.
type OrderState string

// States of an order.
const (
	OrderOpen   OrderState = "open"
	OrderDone   OrderState = "done"
	OrderFailed OrderState = "failed"
)

// Order is something upstream asked for one device.
type Order struct {
	ID      string     `msg:"id"`
	Device  DeviceID   `msg:"d"`
	Batch   string     `msg:"b"` // the request that placed it, shared by all its devices
	Kind    string     `msg:"k"` // "bootstrap"
	State   OrderState `msg:"st"`
	Created time.Time  `msg:"cr"`
	Ended   time.Time  `msg:"en"`
	Reason  string     `msg:"re"` // of OrderFailed

	// Variant is how a bootstrap was made, for who learns what devices take: "userpin", or with an access point
	// "userpin+apn".
	Variant string `msg:"va,omitempty"`
}

// TaskState says where a task stands.
type TaskState uint8

// States of a task.
const (
	TaskQueued  TaskState = iota
	TaskSent              // at least one of its commands is with the device
	TaskDone              // every command was answered; the answers are in its Results
	TaskFailed            // given up; see Reason
	TaskWaiting           // every command was answered, an Exec by 202: its result is to come by Alert 1226
)

// Task is something to be said to one device: one or more commands and what they are for.
type Task struct {
	ID       uint64    `msg:"i"` // ascending by creation within a device
	Device   DeviceID  `msg:"d"`
	Order    string    `msg:"o"`
	Purpose  string    `msg:"p"` // who made it and interprets the answers: "discovery", "api"
	Commands []Command `msg:"c"`
	State    TaskState `msg:"s"`
	Attempts int       `msg:"a"` // sessions that have begun it
	Created  time.Time `msg:"cr"`
	Reason   string    `msg:"r"` // of TaskFailed, why; of TaskWaiting, for what

	Priority uint8     `msg:"pr,omitempty"` // 0 goes first; within a priority the older one does
	Key      string    `msg:"k,omitempty"`  // of tasks with the same key that are not begun only the newest is carried out
	Expires  time.Time `msg:"x"`            // not begun after it; zero for never
	Deadline time.Time `msg:"dl"`           // given up after it, begun or not; zero for never
	// Broken are the sessions that broke off while commands of this task were out, the evidence against it. Three of
	// them make it poison.
	Broken []Break `msg:"b,omitempty"`
}

// Open says whether there is still something to do for t, or to wait for.
func (t *Task) Open() bool {
	return t.State == TaskQueued || t.State == TaskSent || t.State == TaskWaiting
}

// Break is a session that a device broke off.
type Break struct {
	Session string    `msg:"s"`
	Time    time.Time `msg:"t"` // of the last message that was taken in it
	Command int       `msg:"c"` // the first command without an answer
}

// Command is one DM command of a task. Members of an Atomic or Sequence follow it in the list with a Depth greater by
// one.
type Command struct {
	// Kind is "Get", "Add", "Replace", "Delete", "Copy", "Exec", "Alert", "Atomic" or "Sequence", or "Put": an Add,
	// and where the node is there already (418) a Replace (trap 13). In a group it is an Add.
	Kind   string `msg:"k"`
	URI    string `msg:"u"` // Target; empty for an Alert, Atomic or Sequence
	Format string `msg:"f"`
	Type   string `msg:"t"`
	Data   []byte `msg:"d,limit=16777216"` // at most 16 MiB

	Depth      uint8    `msg:"dp,omitempty"` // 0 but for members
	Source     string   `msg:"s,omitempty"`  // of Copy: the node that is copied
	Code       int      `msg:"co,omitempty"` // of Alert: 1100 to 1104
	Items      []string `msg:"it,omitempty"` // of Alert: options, text, choices (section 2.4)
	Correlator string   `msg:"cr,omitempty"` // of Exec; empty for one that the session makes
	// Probe is a node whose value tells whether an Exec has run that nobody knows of: "./FUMO/X/State". Idle are its
	// values where it has not. Without a Probe such an Exec is not sent again.
	Probe string   `msg:"pb,omitempty"`
	Idle  []string `msg:"id,omitempty"`
}

// Results is what one message brought for one task. Its byte slices may be views: Store.Commit copies.
type Results struct {
	Device  DeviceID  `msg:"d"`
	Task    uint64    `msg:"t"`
	Session string    `msg:"s"`
	MsgID   uint32    `msg:"m"`
	Time    time.Time `msg:"ti"`
	Answers []Answer  `msg:"a"`
}

// Answer is the status of one command, with the value where it was a Get. A Get that brings several items makes one
// Answer for each.
type Answer struct {
	Command int    `msg:"c"` // index in Task.Commands
	Code    int    `msg:"s"` // status code; 0 where the device sent a value without a status
	URI     []byte `msg:"u"`
	Format  []byte `msg:"f"`
	Type    []byte `msg:"t"`
	Data    []byte `msg:"d,limit=16777216"`
	Late    bool   `msg:"l,omitempty"` // Code is the result code of a 1226 alert, which came after the command's Status
	// Part counts the chunks of a large object from 1; 0 for a value that came whole. More says that there is another.
	// The last one has the code of the whole: where that is none of success, the parts are of no use.
	Part int  `msg:"p,omitempty"`
	More bool `msg:"m,omitempty"`
}

// PushState says where a push stands.
type PushState string

// States of a push.
const (
	PushQueued    PushState = "queued"
	PushSending   PushState = "sending"   // handed to a modem; after a crash nobody knows how far it got
	PushSent      PushState = "sent"      // every segment accepted by the network
	PushDelivered PushState = "delivered" // every segment reported delivered
	PushFailed    PushState = "failed"    // given up; see Error
	PushDoubtful  PushState = "doubtful"  // perhaps sent: a crash came between send and record, or the modem did not answer
)

// PushJob is one WAP push on its way through the modem pool.
type PushJob struct {
	ID        uint64    `msg:"i"` // ascending by creation
	Device    DeviceID  `msg:"d"`
	Order     string    `msg:"o"`
	Kind      string    `msg:"k"` // "bootstrap", "notification", "certificate", "access-point", "link"
	MSISDN    string    `msg:"ms"`
	PDU       []byte    `msg:"pd"` // the WSP push, with its MAC; it holds the account's secrets
	Priority  uint8     `msg:"pr"` // 0 goes first
	State     PushState `msg:"st"`
	NotBefore time.Time `msg:"nb"`
	Attempts  int       `msg:"at"` // times it was handed to a modem
	Modem     string    `msg:"mo"` // the modem of the last attempt: its IMEI, where that is known, or its port
	Segments  []Segment `msg:"sg"` // of the last attempt
	Total     int       `msg:"to"` // segments sent over all attempts
	Created   time.Time `msg:"cr"`
	Changed   time.Time `msg:"ch"`
	Error     string    `msg:"er"` // of the last attempt

	// Flow names the pushes that share their fate in the queue: those of one campaign to one destination (see
	// Store.PushFlows). Modems are shared out fairly between flows of one priority.
	Flow string `msg:"fl,omitempty"`
	// Behind is the push of the same device that goes first, 0 for none: this one is not due before that one is
	// delivered or its time is up (see fleet). NotBefore is set accordingly.
	Behind uint64 `msg:"bh,omitempty"`
	// Until is how long delivery reports are waited for, in states sent and doubtful; zero where they are not any more.
	// A doubtful push is decided then.
	Until   time.Time `msg:"un"`
	Repeats int       `msg:"rp,omitempty"` // times it was sent once more, being in doubt
	// Text is that of a plain SMS, which has no PDU. It may hold a link that nobody else is to know.
	Text   string `msg:"tx,omitempty"`
	Faults int    `msg:"fu,omitempty"` // modems that failed under it without one of its attempts being counted
}

// Segment is one SMS of a push.
type Segment struct {
	Reference uint8 `msg:"r"` // message reference the modem reported
	Sent      bool  `msg:"s"`
	Reported  bool  `msg:"p"` // a final delivery report came
	Status    uint8 `msg:"t"` // TP-Status of that report
}

// Checkpoint is a session between two messages: with it the next message is answered as if nothing happened, also
// by another process.
type Checkpoint struct {
	Device    DeviceID  `msg:"d"`
	Session   []byte    `msg:"s"` // SessionID as the device writes it
	Started   time.Time `msg:"st"`
	Updated   time.Time `msg:"u"`
	Ended     bool      `msg:"e"`            // the last reply ended the session; kept to answer a repeated message
	Parting   bool      `msg:"pt,omitempty"` // it did so by Alert 1223: the device's Status for that is still to come
	MsgID     uint32    `msg:"m"`            // last message taken
	Digest    []byte    `msg:"dg"`           // of that message's body, so that a repeat is told from a forgery
	Opening   []byte    `msg:"op,omitempty"` // digest of the session's first message
	Reply     []byte    `msg:"r"`            // what it was answered with
	ReplyMAC  []byte    `msg:"rm,omitempty"` // its mac in x-syncml-hmac; empty where it goes without
	Sent      uint32    `msg:"o"`            // MsgID of that reply
	Proved    uint8     `msg:"pr"`           // how the device proved itself
	ServerOK  bool      `msg:"so"`           // the device has accepted our credential for the session
	Refusals  int       `msg:"rf"`           // credentials of ours that the device refused
	Planned   bool      `msg:"pl"`           // the planner was asked for the session's first tasks
	Failures  int       `msg:"fa"`           // credentials of the device that were refused
	MaxMsg    int       `msg:"mm"`           // the device's MaxMsgSize
	MaxObj    int       `msg:"mo,omitempty"` // the device's MaxObjSize
	Incoming  *Incoming `msg:"in,omitempty"` // the large object that the device is sending
	Tasks     []Open    `msg:"t"`
	Commands  []Pending `msg:"c"`
	NextNonce []byte    `msg:"nn"` // the client nonce of the last challenge, until the device proves itself
}

// Open is a task that a session has begun.
type Open struct {
	ID       uint64 `msg:"i"`
	Next     int    `msg:"n"`           // next command to be sent
	Answered int    `msg:"a"`           // commands answered
	Again    []int  `msg:"g,omitempty"` // commands to be sent again, before Next
	Replace  []int  `msg:"r,omitempty"` // of kind Put: the node is there, it is a Replace from now on
	Doubtful []int  `msg:"d,omitempty"` // an Exec that may have run: to be asked for, before anything else
	Accepted []int  `msg:"w,omitempty"` // an Exec answered by 202, whose result has not come
	Chunk    int    `msg:"k,omitempty"` // bytes of the data of command Next that the device has, where it is too large for a message
}

// Pending is a command that waits for its Status or its Results.
type Pending struct {
	MsgID   uint32 `msg:"m"`
	CmdID   uint32 `msg:"c"`
	Task    uint64 `msg:"t"`
	Command int    `msg:"n"`
	Code    int    `msg:"s"`           // its Status, where that came and its Results may follow
	Probe   bool   `msg:"p,omitempty"` // it is a Get of the command's Probe
	Chunk   bool   `msg:"k,omitempty"` // it carries a part of the command's data, and not the last
	Valued  bool   `msg:"v,omitempty"` // its Results have come, whole
}

// Incoming is a large object of which the device has sent a part.
type Incoming struct {
	MsgID   uint32 `msg:"m"` // the command that it answers
	CmdID   uint32 `msg:"c"`
	URI     string `msg:"u"`
	Size    int    `msg:"s"` // said in its first chunk; 0 where it was not
	Got     int    `msg:"g"` // bytes that have come
	Parts   int    `msg:"p"` // chunks that have come
	Dropped int    `msg:"d"` // the status it was refused with: what still comes of it is thrown away
}

// FeedEntry is something that happened. The feed is append-only; Offset counts from 1 without gaps.
type FeedEntry struct {
	Offset uint64    `msg:"o"`
	Time   time.Time `msg:"t"`
	Device DeviceID  `msg:"d"` // empty where it concerns none
	// Kind is "state", "push", "session", "results", "alert", "order", "device", "capabilities", "task", "job", "outcome",
	// "ticket", "certificate", "campaign", "sms" or "modem".
	Kind  string `msg:"k"`
	Order string `msg:"or"`
	// Campaign is the one that it concerns as a whole; what happens to one of its targets is told by the Order.
	Campaign string `msg:"ca,omitempty"`
	Recipe   string `msg:"rc,omitempty"` // of "outcome": what was tried, a recipe or a fallback
	// Status is the state that was entered, of "push", "certificate", "order", "job" and "campaign"; of "outcome" what
	// came of it; of "capabilities" their version.
	Status string `msg:"ss,omitempty"`
	From   State  `msg:"f"` // of "state": the state left; empty for a new device
	To     State  `msg:"s"` // of "state": the state entered
	Count  int    `msg:"n"` // how many, where something is counted: of "results", the answers
	Text   string `msg:"x"` // what happened, in words, without secrets
}
