package recipe

// State says how far a stage of a way has come.
type State string

// States of a stage.
const (
	Pending State = "pending" // not all commands are answered
	Later   State = "later"   // the device has accepted it: the result is to come, by Alert 1226 or by asking
	Next    State = "next"    // done, and the recipe has another stage
	Done    State = "done"
	Failed  State = "failed"
)

// Verdict is what answers mean.
type Verdict struct {
	State  State
	Reason string // in words; never empty where State is Failed
	Again  bool   // of Failed: worth trying the same recipe once more
	User   bool   // of Failed: the user of the device has said no
}
