package recipe

import "time"

// Possible says whether a device can do something.
type Possible string

// Answers to whether a device can do something.
const (
	Yes     Possible = "yes"
	No      Possible = "no"
	Unknown Possible = "unknown" // its tree could not be seen well enough, or not yet
)

// Capability is something that a device can do or not, and how.
type Capability struct {
	Name     string
	Possible Possible
	Ways     []Way   // in the order in which they are to be tried; perhaps also where Possible is Unknown
	Not      []Unfit // recipes that do it on other devices
	Why      string  // in words: by which recipe, or why not
}

// Unfit is a recipe that can not be used on a device.
type Unfit struct {
	Recipe   *Recipe
	Possible Possible  // No, or Unknown where not all was seen that it needs
	Why      string    // the first thing it misses
	Evidence *Evidence // that it misses it; nil where nothing was asked
}

// Confidence says how well it is known that a way can be gone.
type Confidence string

// Levels of confidence.
const (
	Seen    Confidence = "seen"    // the device has shown all that it needs
	Likely  Confidence = "likely"  // some of it is trusted by its name only
	Assumed Confidence = "assumed" // nothing in the tree speaks for it or against it
)

// Evidence is a result of a session that speaks for something.
type Evidence struct {
	URI     string // of the Get
	Code    int
	Session string
	Task    uint64
	MsgID   uint32
	Time    time.Time
	Says    string // what it shows, in words
}

// Learned is what other devices of the same model have taught.
type Learned interface {
	// Barred says whether a recipe is not to be used on this model, and why.
	Barred(recipe string) (reason string, barred bool)
	// Rank goes before the rank of the recipe: the lowest goes first. It is 0 for a recipe of which nothing is known,
	// negative for one that has worked, positive for one that has failed.
	Rank(recipe string) int
}

// Compile says of each capability, in the order of Names, whether the device has it, and all ways in their order. Nothing
// may be learnt yet: l is nil then.
func (s *Set) Compile(k *Known, l Learned) []Capability { return nil }
