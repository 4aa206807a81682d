package fleet

import "dmgate/storage"

// What can come of a recipe, or of a fallback, as the status of an entry of kind "outcome" in the feed.
const (
	outcomeWorked  = "worked"
	outcomeFailed  = "failed"
	outcomeRefused = "refused" // the user said no
	outcomeOurs    = "ours"    // failed by a fault of ours: a file that could not be served, an order that ran out of time
)

// outcomeOf is the entry of the feed that tells what has come of a recipe, or of a fallback ("si", "sms"), in a job;
// reason is empty where it has worked. Whoever commits what follows from it for the job adds it to that very commit
// (Commit.Feed): then it is learnt once and once only, and not while the device waits (see RunModels).
func outcomeOf(job, recipe, what, reason string) storage.FeedEntry {
	return storage.FeedEntry{Kind: "outcome", Order: job, Recipe: recipe, Status: what, Text: reason}
}
