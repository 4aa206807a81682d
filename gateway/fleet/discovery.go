package fleet

import (
	"errors"
	"strings"
	"time"

	"go.uber.org/zap"

	"dmgate/sessions"
	"dmgate/storage"
)

// Discovery is a walk through a device's tree. It begins with what the device is (DevDetail, leaf by leaf) and what
// stands at its root. Then it asks what the rules want to know (recipe.Set.Wanted), list of questions by list, until
// they want nothing more or a bound is met. All answers are kept as nodes as they come, so that a walk that breaks off
// goes on in the next session and asks nothing twice. Source: section 9 of the fact sheet.
//
// It is done once for a handset and its firmware: see discoveryagain.go for what has it done anew.

// Purposes of the tasks that discovery makes.
const (
	purposeRoot     = "discovery: device"    // what it is, and its root
	purposeTree     = "discovery: tree"      // what the rules want
	purposeTNDS     = "discovery: subtrees"  // objects in one piece
	purposeAlone    = "discovery: once more" // a node that was answered by 500
	purposeVersions = "discovery: versions"  // whether the firmware is still the one that is known
)

var discoveryPurposes = [...]string{purposeRoot, purposeTree, purposeTNDS, purposeAlone, purposeVersions}

// Bounds of a walk. How many nodes are asked for is Options.TreeNodes.
const (
	maxDepth   = 12  // segments of a URI
	maxURI     = 512 // bytes of one
	maxRounds  = 64  // lists of questions
	maxVisits  = 12  // sessions that have come and found it unfinished
	maxAgain   = 8   // nodes that are asked once more
	roundSize  = 48  // questions of a list
	maxObjects = 64  // nodes at the root that are looked at although no rule asks for them
)

// detailLeaves are asked one by one: a missing one does not spoil the rest.
var detailLeaves = []string{
	"DevTyp", "OEM", "FwV", "SwV", "HwV", "LrgObj", "URI/MaxDepth", "URI/MaxTotLen", "URI/MaxSegLen",
}

const (
	devDetail = "./DevDetail/"
	root      = "."
	propType  = "?prop=Type"
	listTNDS  = "?list=TNDS"
)

// Proved implements sessions.Planner: the first authenticated session proves that bootstrap worked. A device that is
// not known yet, or not any more, is asked what it is.
func (f *Fleet) Proved(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	f.hearOpening(dev, out)
	if dev.State != storage.Discovered && !(dev.State == storage.Connected && dev.Wait.For == answersOf) {
		order := dev.Order
		f.awaitAnswers(now, dev, out)
		if order != "" {
			endTask(order, storage.OrderDone, "", out)
		}
	}
	return f.thenJobs(now, dev, out, f.visit(now, dev, out))
}

// answersOf is what a device is waited for while it is discovered.
const answersOf = "the device's answers"

// awaitAnswers has a device wait for what it says of itself, unless a bootstrap was ordered meanwhile: that waits for a
// session of its own.
func (f *Fleet) awaitAnswers(now time.Time, dev *storage.Device, out *sessions.Outcome) {
	order := dev.Order
	out.Change(dev, func(d *storage.Device) {
		if d.Order != order {
			return
		}
		d.Enter(storage.Connected, now, "", storage.Wait{
			For: answersOf, Until: now.Add(f.opt.AnswerIn), Next: "discovery stays unfinished until it connects again",
		})
	})
}

// visit says what a device is asked that has just come.
func (f *Fleet) visit(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	w := &dev.Walk
	is := dev.Handset()
	switch {
	case w.Begun.IsZero():
		return f.setOut(now, dev, "nothing is known of it", out)
	case !sameHandset(&is, &w.Of):
		return f.setOut(now, dev, difference(&w.Of, &is), out)
	case w.Ended.IsZero():
		visits := w.Visits + 1
		changeWalk(dev, out, func(w *storage.Walk) { w.Visits = visits })
		return f.goOn(now, dev, nil, out)
	case w.Rules != f.opt.Rules.Version():
		return f.reopen(now, dev, out)
	}
	return f.check(now, dev, &is, out)
}

// Answered implements sessions.Planner.
func (f *Fleet) Answered(
	now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, done bool, out *sessions.Outcome,
) []storage.Task {
	switch task.Purpose {
	case purposeOrder:
		answeredOrder(task, answers, done, out)
	case purposeTNDS:
		f.hearSubtrees(dev, task, answers, out)
	case purposeRoot, purposeTree, purposeAlone, purposeVersions:
		hearNodes(dev, task, answers, out)
	}
	hearVersions(now, dev, task, answers, out)
	switch {
	case done && task.Purpose == purposeVersions:
		return f.thenJobs(now, dev, out, f.checked(now, dev, out))
	case done && isDiscovery(task.Purpose):
		return f.thenJobs(now, dev, out, f.goOn(now, dev, task, out))
	case task.Purpose == purposeJob:
		next := f.answerJob(now, dev, task, done, out)
		if done {
			next = append(next, f.moved(now, dev, out)...)
		}
		return next
	case done:
		return f.moved(now, dev, out)
	}
	return nil
}

// GivenUp implements sessions.Planner: an order fails with its task. A job goes on: it hears of it from the feed.
func (f *Fleet) GivenUp(task *storage.Task, why string, out *sessions.Outcome) {
	if task.Order != "" && task.Purpose != purposeJob {
		endTask(task.Order, storage.OrderFailed, why, out)
	}
}

func isDiscovery(purpose string) bool { return strings.HasPrefix(purpose, "discovery: ") }

// asked says whether the device is being asked for its tree in this session.
func asked(out *sessions.Outcome) bool {
	for _, purpose := range discoveryPurposes {
		if out.Open(purpose) {
			return true
		}
	}
	return false
}

// changeWalk edits the record of the walk that dev is on, unless another one was ordered meanwhile.
func changeWalk(dev *storage.Device, out *sessions.Outcome, edit func(*storage.Walk)) {
	begun := dev.Walk.Begun
	out.Change(dev, func(d *storage.Device) {
		if d.Walk.Begun.Equal(begun) {
			edit(&d.Walk)
		}
	})
}

// setOut begins a walk.
func (f *Fleet) setOut(now time.Time, dev *storage.Device, why string, out *sessions.Outcome) []storage.Task {
	was, is := dev.Walk, dev.Handset()
	other := !was.Begun.IsZero() && (was.Of.DevID != is.DevID || was.Of.Man != is.Man || was.Of.Mod != is.Mod)
	next := storage.Walk{Begun: now, Why: why, Of: is, Visits: 1}
	if was.Ended.IsZero() {
		next.Order, next.Whole = was.Order, was.Whole
	}
	out.Change(dev, func(d *storage.Device) {
		if !d.Walk.Begun.Equal(was.Begun) {
			return // one was ordered meanwhile: it begins with the next session
		}
		d.Walk = next
		if other {
			forgetHandset(d)
		}
	})
	if other {
		f.forgetTree(dev, out)
	}
	if !was.Begun.IsZero() {
		out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{Kind: "device", Text: "to be discovered anew: " + why})
	}
	return f.firstRound(now, dev, out)
}

// reopen goes on with a walk that has ended: there are other rules now, which may want to know more.
func (f *Fleet) reopen(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	f.awaitAnswers(now, dev, out)
	changeWalk(dev, out, func(w *storage.Walk) { w.Ended, w.Rounds, w.Visits, w.Why = time.Time{}, 1, 1, "other rules" })
	return f.goOn(now, dev, nil, out)
}

// forgetHandset drops what another handset has said; what package 1 has brought is of this one already.
func forgetHandset(d *storage.Device) {
	for _, leaf := range detailLeaves {
		delete(d.Facts, leaf)
	}
	delete(d.Facts, storage.FactTNDS)
	delete(d.Facts, storage.FactWakeUp)
}

// forgetTree drops what another handset has said of its tree: of other firmware it is kept until it is said anew.
func (f *Fleet) forgetTree(dev *storage.Device, out *sessions.Outcome) {
	t, err := f.readNodes(dev, nil, true)
	if err != nil {
		f.notRead(dev, err)
		return // then it is stale, and goes at the end of the walk
	}
	for i := range t.nodes {
		out.Commit.Nodes = append(out.Commit.Nodes, storage.Node{Device: dev.ID, URI: t.nodes[i].URI})
	}
}

// firstRound asks what the device is, what stands at its root, and, where its kind is known, what decides whether it is
// like the others.
func (f *Fleet) firstRound(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	if dev.State != storage.Connected || dev.Wait.For != answersOf {
		f.awaitAnswers(now, dev, out)
	}
	commands := make([]storage.Command, 0, len(detailLeaves)+1)
	for _, leaf := range detailLeaves {
		commands = append(commands, get(devDetail+leaf))
	}
	commands = append(commands, get(root))
	for _, uri := range f.expect(dev, out) {
		commands = append(commands, get(uri))
	}
	return f.ask(now, dev, out, question{purposeRoot, commands})
}

// goOn says what is asked next, when the device has answered all that it was asked. last is the task that it has just
// answered, nil in the beginning of a session.
func (f *Fleet) goOn(now time.Time, dev *storage.Device, last *storage.Task, out *sessions.Outcome) []storage.Task {
	w := &dev.Walk
	switch {
	case w.Begun.IsZero() || !w.Ended.IsZero() || asked(out):
		return nil
	case w.Rounds == 0:
		return f.firstRound(now, dev, out)
	case len(w.Again) > 0:
		uri, rest := w.Again[0], w.Again[1:]
		changeWalk(dev, out, func(w *storage.Walk) { w.Again = rest })
		return f.ask(now, dev, out, question{purposeAlone, []storage.Command{get(uri)}})
	}
	t, err := f.treeIn(dev, out)
	if err != nil {
		f.notRead(dev, err)
		return nil // the next session goes on
	}
	if last != nil {
		t.hearSilence(dev, last, out)
	} else if err := f.hearLoss(dev, t, out); err != nil {
		f.notRead(dev, err)
		return nil
	}
	next, confirmed := f.confirm(dev, t, out)
	if len(next) == 0 && !confirmed {
		next = f.questions(dev, t)
	}
	short := ""
	if len(next) > 0 {
		short = f.bound(w, t)
	}
	if len(next) == 0 || short != "" {
		f.arrive(now, dev, t, short, out)
		return nil
	}
	return f.ask(now, dev, out, next...)
}

// notRead notes that a walk can not go on now. A store that has failed says so itself, to who commits what there is.
func (f *Fleet) notRead(dev *storage.Device, err error) {
	if !errors.Is(err, storage.ErrFailed) {
		f.opt.Log.Error("discovery not carried on", zap.String("device", string(dev.ID)), zap.Error(err))
	}
}

// bound is the bound that a walk has met; empty for none.
func (f *Fleet) bound(w *storage.Walk, t *tree) string {
	switch {
	case len(t.nodes) >= f.opt.TreeNodes:
		return "it has more nodes than are looked at"
	case w.Rounds >= maxRounds:
		return "it took too many questions"
	case w.Visits > maxVisits:
		return "it took too many sessions"
	}
	return ""
}

// question is a list of Gets for one purpose.
type question struct {
	purpose  string
	commands []storage.Command
}

// ask makes the tasks of a list of questions, the next one of a walk.
func (f *Fleet) ask(now time.Time, dev *storage.Device, out *sessions.Outcome, questions ...question) []storage.Task {
	tasks := make([]storage.Task, len(questions))
	ids := make([]uint64, len(questions))
	for i, q := range questions {
		tasks[i] = f.task(now, dev, q)
		ids[i] = tasks[i].ID
	}
	rounds := dev.Walk.Rounds + 1
	changeWalk(dev, out, func(w *storage.Walk) { w.Rounds, w.Asked = rounds, ids })
	return tasks
}

func (f *Fleet) task(now time.Time, dev *storage.Device, q question) storage.Task {
	return storage.Task{
		ID: f.newID(now), Device: dev.ID, Order: dev.Order, Purpose: q.purpose, Commands: q.commands, Created: now,
	}
}

func get(uri string) storage.Command { return storage.Command{Kind: "Get", URI: uri} }

// arrive ends a walk: what the device can do is known. What it has said before the walk is forgotten.
func (f *Fleet) arrive(now time.Time, dev *storage.Device, t *tree, short string, out *sessions.Outcome) {
	for _, uri := range t.stale {
		out.Commit.Nodes = append(out.Commit.Nodes, storage.Node{Device: dev.ID, URI: uri})
	}
	rules := f.opt.Rules.Version()
	changeWalk(dev, out, func(w *storage.Walk) {
		w.Ended, w.Rules, w.Short, w.Asked, w.Again = now, rules, short, nil, nil
	})
	caps, err := f.compile(dev, t)
	if err != nil { // what it has said is kept, and compiled by who asks for it
		f.notRead(dev, err)
		caps = &Capabilities{}
	}
	changeWalk(dev, out, func(w *storage.Walk) { w.Capabilities = caps.Version })
	out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{
		Kind: "capabilities", Order: dev.Walk.Order, Status: caps.Version, Text: caps.summary(short),
	})
	f.showTrust(dev, out)
	discovered(now, dev, out)
}

// discovered is the end of discovery, unless a bootstrap was ordered meanwhile: the session after it looks again.
func discovered(now time.Time, dev *storage.Device, out *sessions.Outcome) {
	begun := dev.Walk.Begun
	out.Change(dev, func(d *storage.Device) {
		if d.State == storage.Connected && d.Walk.Begun.Equal(begun) {
			d.Enter(storage.Discovered, now, "", storage.Wait{})
		}
	})
	if order := dev.Walk.Order; order != "" {
		endTask(order, storage.OrderDone, "", out)
	}
}
