// Package recipe knows how things are done on devices whose management trees differ: by rules that are data.
//
// A recipe says what it does (install, lock, ...), what has to be in the tree for it, what is to be sent, how each
// answer is understood, and how to see that it was done. Recipes are YAML files: those of the product are embedded,
// and a folder of the operator's overrides them or adds to them by name. gateway/docs/recipes.md says how to write
// one.
//
// All of it is pure: nothing here reads a clock, a store or a network. Who uses it asks what it wants to know of a
// tree (Set.Wanted), lets it say what the device can do (Set.Compile), sends what a Way says and shows it the
// answers. Source: sections 8 and 9 of the fact sheet.
package recipe

import (
	"fmt"
	"time"
)

// Names of capabilities: what a recipe may do.
const (
	Install      = "install"
	Update       = "update"
	Remove       = "remove"
	Activate     = "activate"
	Deactivate   = "deactivate"
	Firmware     = "firmware"
	Lock         = "lock"
	Unlock       = "unlock"
	Wipe         = "wipe"
	AccessPoint  = "access-point"
	Account      = "account"
	Certificate  = "certificate"
	Alert        = "alert"
	LargeObjects = "large-objects"
	WakeUp       = "wake-up"
)

// Names are the capabilities, in the order in which they are told.
var Names = []string{
	Install, Update, Remove, Activate, Deactivate, Firmware, Lock, Unlock, Wipe, AccessPoint, Account, Certificate, Alert,
	LargeObjects, WakeUp,
}

// Set is all recipes there are. It is ready to be used by many at once and never changes.
type Set struct {
	version string
	recipes []*Recipe // by rank
	byName  map[string]*Recipe
}

// Version is a digest of the rules: the same rules have the same.
func (s *Set) Version() string { return s.version }

// Recipes are all recipes, by rank.
func (s *Set) Recipes() []*Recipe { return s.recipes }

// Find is the recipe of a name; nil where there is none.
func (s *Set) Find(name string) *Recipe { return s.byName[name] }

// Recipe is one way to do something on devices of one kind.
type Recipe struct {
	Name   string
	Title  string
	Does   []string // names of capabilities
	Source string   // where it was read: sections and traps
	Rank   int      // of the recipes that do the same the one with the lowest rank goes first
	Why    string   // why it has this rank, or what is to be known of it
	Asks   string   // whether the user has to do something on the device: "no", "maybe", "yes"
	Undo   string   // what is not undone when it is cancelled on its way; empty for nothing
	Text   string   // as it stands there

	place
	when, unless []condition
	needs        []need
	late         int // the first of needs that depends on the order
	takes        Takes
	takesMax     string  // a fact with the limit of an inline payload
	stages       []stage // one at least; without commands where the recipe only says that something can be done
	verify       []need
	verifyWithin time.Duration
}

// Takes says what the recipe is given to install, as far as that does not depend on the device.
func (r *Recipe) Takes() Takes { return r.takes }

// Where is the file and the line of the recipe.
func (r *Recipe) Where() string { return fmt.Sprintf("%s:%d", r.file, r.line) }

// Sends says whether there is anything to be sent: a recipe without commands only says what a device can do.
func (r *Recipe) Sends() bool { return len(r.stages[0].send) > 0 }

// Takes says what a recipe is given to install.
type Takes struct {
	// Payload is how the data gets to the device: "url" (it fetches them by the value package.url), "inline" (the
	// bytes of Values.Payload travel in the session), or empty for a recipe that has none.
	Payload string
	Types   []string // media types, globs; empty for any
	Max     int64    // bytes of an inline payload, at most; 0 where nothing is known of a limit
}
