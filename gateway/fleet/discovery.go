package fleet

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"dmgate/sessions"
	"dmgate/storage"
)

// Purposes of the tasks that discovery makes. The first asks what the device is and what stands at the root of its
// tree, the second looks at each of these. Source: section 9 of the fact sheet.
const (
	purposeRoot    = "discovery: device"
	purposeObjects = "discovery: objects"
)

// detailLeaves are asked one by one: a missing one does not spoil the rest.
var detailLeaves = []string{
	"DevTyp", "OEM", "FwV", "SwV", "HwV", "LrgObj", "URI/MaxDepth", "URI/MaxTotLen", "URI/MaxSegLen",
}

const (
	devDetail = "./DevDetail/"
	root      = "."
	propType  = "?prop=Type"
)

// probes are where management objects are found on devices that keep their root closed. Spelling differs in the field.
var probes = []string{"./DMAcc", "./SyncML", "./FUMO", "./FwUpdate", "./SCOMO", "./Scomo", "./SCM", "./LAWMO", "./Lawmo", "./DCMO", "./NAP"}

// Bounds of what is looked at and kept of a tree.
const (
	maxObjects  = 64  // nodes at the root
	maxChildren = 64  // of each of them
	maxValue    = 512 // bytes of a fact or a type
	maxName     = 128 // bytes of a child's name
)

// Proved implements sessions.Planner: the first authenticated session proves that bootstrap worked. A device that is
// not known yet is asked what it is.
func (f *Fleet) Proved(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	if dev.State == storage.Discovered {
		return f.proveJobs(now, dev, out)
	}
	if dev.State != storage.Connected || dev.Wait.For == "" {
		order := dev.Order
		out.Change(dev, func(d *storage.Device) {
			if d.Order != order {
				return // a bootstrap was ordered meanwhile: it waits for a session of its own
			}
			d.Enter(storage.Connected, now, "", storage.Wait{
				For: "the device's answers", Until: now.Add(f.opt.AnswerIn), Next: "discovery stays unfinished until it connects again",
			})
		})
		if order != "" {
			endOrder(order, out)
		}
	}
	if out.Open(purposeRoot) || out.Open(purposeObjects) {
		return nil // an earlier session was broken off in the middle of it
	}
	commands := make([]storage.Command, 0, len(detailLeaves)+1)
	for _, leaf := range detailLeaves {
		commands = append(commands, get(devDetail+leaf))
	}
	commands = append(commands, get(root))
	return []storage.Task{f.task(now, dev, purposeRoot, commands)}
}

// endOrder closes the bootstrap order that has led to this session.
func endOrder(id string, out *sessions.Outcome) {
	out.Commit.Ends = append(out.Commit.Ends, storage.OrderEnd{ID: id, State: storage.OrderDone})
}

// Answered implements sessions.Planner.
func (f *Fleet) Answered(now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, done bool, out *sessions.Outcome) []storage.Task {
	switch task.Purpose {
	case purposeRoot:
		return f.answeredRoot(now, dev, task, answers, done, out)
	case purposeObjects:
		for i := range answers {
			learnObject(dev, task.Commands[answers[i].Command].URI, &answers[i], out)
		}
		if done {
			discovered(now, dev, out)
			return f.proveJobs(now, dev, out)
		}
	case purposeJob:
		return f.answerJob(now, dev, task, done, out)
	case purposeOrder:
		answeredOrder(task, answers, done, out)
	}
	return nil
}

// GivenUp implements sessions.Planner: an order fails with its task. A job goes on: it hears of it from the feed.
func (f *Fleet) GivenUp(task *storage.Task, why string, out *sessions.Outcome) {
	if task.Order != "" && task.Purpose != purposeJob {
		endTask(task.Order, storage.OrderFailed, why, out)
	}
}

func (f *Fleet) answeredRoot(now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, done bool, out *sessions.Outcome) []storage.Task {
	var objects []string
	for i := range answers {
		a := &answers[i]
		uri := task.Commands[a.Command].URI
		if uri == root {
			if objects == nil {
				objects = rootChildren(a)
			}
			continue
		}
		if name := strings.TrimPrefix(uri, devDetail); a.Code == 200 && len(a.Data) > 0 && len(a.Data) <= maxValue {
			value := string(a.Data)
			out.Change(dev, func(d *storage.Device) { d.Learn(name, value) })
		}
	}
	if done && objects == nil {
		objects = probes
	}
	if objects == nil || out.Open(purposeObjects) {
		return nil
	}
	return []storage.Task{f.task(now, dev, purposeObjects, lookAt(objects))}
}

// rootChildren are the nodes to look at: those the device lists at its root, or the known places where it keeps it
// closed. It is nil where the list has nothing to look at or is still to come, after its Status.
func rootChildren(a *storage.Answer) []string {
	if a.Code != 200 {
		return probes
	}
	var uris []string
	for name := range strings.SplitSeq(string(a.Data), "/") {
		uri := "./" + name
		if !nodeName.MatchString(name) || name == "DevInfo" || name == "DevDetail" || slices.Contains(uris, uri) {
			continue
		}
		if uris = append(uris, uri); len(uris) == maxObjects {
			break
		}
	}
	return uris
}

// nodeName is a segment of a LocURI as devices have them at their root.
var nodeName = regexp.MustCompile(`^[A-Za-z0-9_%~-][A-Za-z0-9._%~-]{0,63}$`)

func lookAt(uris []string) []storage.Command {
	commands := make([]storage.Command, 0, 2*len(uris))
	for _, uri := range uris {
		commands = append(commands, get(uri), get(uri+propType))
	}
	return commands
}

// learnObject keeps what an answer says of a node at the root. A node that may not be read (405, 425) is there; its type
// is optional.
func learnObject(dev *storage.Device, uri string, a *storage.Answer, out *sessions.Outcome) {
	object, isType := strings.CutSuffix(uri, propType)
	value := string(a.Data)
	if isType {
		if a.Code == 200 && value != "" && len(value) <= maxValue {
			out.Change(dev, func(d *storage.Device) {
				if i := objectAt(d, object); i >= 0 {
					d.Objects[i].Type = value
				}
			})
		}
		return
	}
	switch a.Code {
	case 200, 405, 425:
	default:
		return
	}
	var children []string
	if a.Code == 200 && value != "" {
		children = strings.SplitN(value, "/", maxChildren+1)
		children = children[:min(len(children), maxChildren)]
		children = slices.DeleteFunc(children, func(name string) bool { return len(name) > maxName })
	}
	out.Change(dev, func(d *storage.Device) {
		i := objectAt(d, object)
		if i < 0 {
			d.Objects = append(d.Objects, storage.Object{URI: object})
			i = len(d.Objects) - 1
		}
		d.Objects[i].Children = children
	})
}

func objectAt(d *storage.Device, uri string) int {
	return slices.IndexFunc(d.Objects, func(o storage.Object) bool { return o.URI == uri })
}

// discovered is the end of discovery, unless a bootstrap was ordered meanwhile: the session after it begins anew.
func discovered(now time.Time, dev *storage.Device, out *sessions.Outcome) {
	out.Change(dev, func(d *storage.Device) {
		if d.State == storage.Connected {
			d.Enter(storage.Discovered, now, "", storage.Wait{})
		}
	})
}

func get(uri string) storage.Command { return storage.Command{Kind: "Get", URI: uri} }

func (f *Fleet) task(now time.Time, dev *storage.Device, purpose string, commands []storage.Command) storage.Task {
	return storage.Task{
		ID: f.newID(now), Device: dev.ID, Order: dev.Order, Purpose: purpose, Commands: commands, Created: now,
	}
}
