package fleet

import (
	"fmt"
	"math"
	"strings"

	"dmgate/storage"
)

// groupAll is the name of the group of all targets of a campaign.
const groupAll = "all"

// Stages of a target that has been begun, beside what its push has come to. Which one counts as success
// (Pacing.Success) decides on canary groups and holds only: a target is done when its order is.
const (
	stageQueued    = "queued"
	stageDoubtful  = "doubtful"
	stageSent      = "sent"
	stageDelivered = "delivered"
	successDone    = "done"

	successInstalled = "installed" // the same, of an install
	stageMarked      = "marked"    // an install that was left to upstream: it is not tried again
)

// stages in the order of the way. One that is in doubt may be sent and is not known to be.
var stages = map[string]int{stageQueued: 1, stageDoubtful: 2, stageSent: 3, stageDelivered: 4, successDone: 5, successInstalled: 5}

// succeeds says whether a stage is one of success.
func succeeds(stage, success string) bool { return stages[stage] >= stages[success] }

// groupsOf are the names of the groups that a target is in, beside the whole campaign.
func groupsOf(t *storage.Target, operator string) []string {
	var groups []string
	if digits, ok := strings.CutPrefix(t.DevID, "IMEI:"); ok && len(digits) >= 8 {
		groups = append(groups, "tac:"+digits[:8])
	}
	if operator != "" {
		groups = append(groups, "operator:"+operator)
	}
	return groups
}

// judge counts an outcome in a group, and says why the group is to be held from now on, empty where it is not.
//
// The window moves by halves: what is judged are the outcomes of the running half and of the one before it, so at least
// half of Pacing.HoldOver and at most all of it. Below that nothing is judged. What is queued already of a TAC or an
// operator goes out although it is held; that is at most launchBacklog pushes.
func judge(g *storage.Group, p *storage.Pacing, good bool) string {
	count(g, good)
	half := max(1, p.HoldOver/2)
	if g.Run >= half {
		g.Last, g.LastBad, g.Run, g.RunBad = g.Run, g.RunBad, 0, 0
	}
	g.Run++
	if !good {
		g.RunBad++
	}
	n, failures := g.Run+g.Last, g.RunBad+g.LastBad
	if good || p.HoldAbove == 0 || n < half || float64(failures) <= p.HoldAbove*float64(n) {
		return ""
	}
	return fmt.Sprintf("%d of the last %d outcomes were failures, more than %.3g %%", failures, n, p.HoldAbove*100)
}

// count counts an outcome that is not judged.
func count(g *storage.Group, good bool) {
	if good {
		g.Good++
	} else {
		g.Bad++
	}
}

// canarySize is how many targets of a campaign go first: all, where it has fewer.
func canarySize(c *storage.Campaign) int {
	if c.Selecting {
		return c.How.Canary
	}
	n := left(c) + c.Counts[string(storage.TargetDone)] + c.Counts[string(storage.TargetFailed)]
	return min(c.How.Canary, n)
}

// left is how many targets of a campaign have not come to their end.
func left(c *storage.Campaign) int {
	return c.Counts[string(storage.TargetPending)] + c.Counts[string(storage.TargetHeld)] +
		c.Counts[string(storage.TargetBegun)]
}

// canaryWants is how many of the canary group have to come to success.
func canaryWants(c *storage.Campaign) int {
	return int(math.Ceil(c.How.CanaryGood*float64(canarySize(c)) - 1e-9))
}

// canaryPassed says whether the rest may be begun.
func canaryPassed(c *storage.Campaign) bool {
	return c.Canary.Passed || c.How.Canary == 0 || c.Canary.Good >= canaryWants(c)
}

// canaryFailed says whether the canary group can not pass any more.
func canaryFailed(c *storage.Campaign) bool {
	return !canaryPassed(c) && c.Canary.Bad > canarySize(c)-canaryWants(c)
}

// canaryRoom is how many targets may be begun as members of the canary group.
func canaryRoom(c *storage.Campaign) int { return canarySize(c) - (c.Canary.Begun - c.Canary.From) }
