package fleet

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dmgate/sessions"
	"dmgate/storage"
)

// Bounds of what is kept of a node.
const (
	maxChildren = 256     // names below it
	maxName     = 128     // bytes of one
	maxNames    = 8 << 10 // bytes of all
	maxValue    = 512     // bytes of a value, a type or a fact
)

// hearOpening takes what package 1 has told besides DevInfo.
func (f *Fleet) hearOpening(dev *storage.Device, out *sessions.Outcome) {
	learnSize(dev, storage.FactMaxMsgSize, out.MaxMsg, out)
	learnSize(dev, storage.FactMaxObjSize, out.MaxObj, out)
	if out.Called && dev.Facts[storage.FactWakeUp] != "yes" && f.wasNotified(dev.ID) {
		out.Change(dev, func(d *storage.Device) { d.Learn(storage.FactWakeUp, "yes") })
	}
}

func learnSize(dev *storage.Device, fact string, size int, out *sessions.Outcome) {
	if size == 0 {
		return
	}
	if known, _ := strconv.Atoi(dev.Facts[fact]); known != size {
		value := strconv.Itoa(size)
		out.Change(dev, func(d *storage.Device) { d.Learn(fact, value) })
	}
}

// wasNotified says whether a notification of ours may have reached a device. Some claim to have been called whatever
// has led to their session.
func (f *Fleet) wasNotified(id storage.DeviceID) bool {
	pushes, err := f.store.Pushes(id)
	return err == nil && slices.ContainsFunc(pushes, func(p storage.PushJob) bool {
		return p.Kind == notification &&
			(p.State == storage.PushSent || p.State == storage.PushDelivered || p.State == storage.PushDoubtful)
	})
}

// hearNodes keeps what answers say of nodes. Each node takes the place of what was known of its URI.
func hearNodes(dev *storage.Device, task *storage.Task, answers []storage.Answer, out *sessions.Outcome) {
	for i := range answers {
		a := &answers[i]
		uri := task.Commands[a.Command].URI
		if a.Part > 1 && isGiven(a.Code) || isSilent(a) {
			continue // the first part of a large value has all that is kept; see tree.hearSilence for the other
		}
		n := evidence(dev, task, out)
		n.URI, n.Code = uri, a.Code
		n.read(a)
		if uri == root && isGiven(n.Code) && !slices.ContainsFunc(n.Children, isTelling) {
			n.Cut = true // it shows what every device has, and perhaps not all
		}
		out.Commit.Nodes = append(out.Commit.Nodes, n.Node)
		if leaf, ok := strings.CutPrefix(uri, devDetail); ok {
			learnLeaf(dev, leaf, &n.Node, out)
		}
		if a.Code == 500 && task.Purpose != purposeAlone && !strings.Contains(uri, "?") {
			askAgain(dev, uri, out)
		}
	}
}

// isTelling says whether a name in the list of the root makes the list worth believing. Some devices list what every
// device has, and keep the rest from us by their ACLs (section 9, number 4).
func isTelling(name string) bool {
	return name != "DevInfo" && name != "DevDetail" && name != "DMAcc" && name != "SyncML"
}

// isSilent says whether an answer is a good Status without its value, which may come with another message.
func isSilent(a *storage.Answer) bool {
	return isGiven(a.Code) && len(a.Data) == 0 && len(a.Format) == 0 && len(a.Type) == 0
}

// isGiven says whether a status means that a value was given.
func isGiven(code int) bool { return code >= 200 && code < 300 }

// heard is a node being read.
type heard struct{ storage.Node }

// evidence is a node of which nothing is known yet, but which message of which session says something of it.
func evidence(dev *storage.Device, task *storage.Task, out *sessions.Outcome) heard {
	n := heard{storage.Node{Device: dev.ID, Task: task.ID, Time: out.Commit.Time}}
	for i := range out.Commit.Results {
		if r := &out.Commit.Results[i]; r.Task == task.ID {
			n.Session, n.MsgID = r.Session, r.MsgID
		}
	}
	return n
}

// read takes over what an answer says. A value that came without a Status is there all the same. Some devices tell no
// Format: what they say may be a list, or a value, and is kept as both.
func (n *heard) read(a *storage.Answer) {
	if a.Code == 0 && len(a.Data) > 0 {
		n.Code = 200
	}
	if !isGiven(n.Code) {
		return
	}
	n.Format, n.Type = cutText(a.Format), cutText(a.Type)
	query := strings.Contains(n.URI, "?")
	interior := strings.EqualFold(n.Format, "node")
	if !query && (interior || n.Format == "") {
		n.Children, n.Cut = childNames(a.Data, a.More)
	}
	if interior || isSecret(n.URI) || !utf8.Valid(a.Data) {
		return
	}
	if n.Value = cutText(a.Data); len(n.Value) < len(a.Data) || a.More {
		n.Cut = true
	}
}

// cutText is a text, cut where it is longer than what is kept.
func cutText(b []byte) string {
	if len(b) > maxValue {
		return strings.ToValidUTF8(string(b[:maxValue]), "")
	}
	return string(b)
}

// childNames are the names in a list of children. Those that can stand in no URI are left out; cut says that there
// are more than are kept. more says that the list goes on in another message: its last name may be half of one.
func childNames(list []byte, more bool) (kept []string, cut bool) {
	text := string(list)
	if more {
		text, cut = text[:strings.LastIndexByte(text, '/')+1], true
	}
	size := 0
	for name := range strings.SplitSeq(text, "/") {
		switch size += len(name); {
		case name == "":
		case len(kept) == maxChildren || size > maxNames:
			return kept, true
		case !isName(name):
			cut = true
		default:
			kept = append(kept, name)
		}
	}
	return kept, cut
}

// isName says whether a segment of a URI can be called that. Section 2.5.
func isName(s string) bool {
	if s == "." || s == ".." || len(s) > maxName || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '?' || r == '/' })
}

// isSecret says whether a leaf holds what nobody is to read. A device should not give it, and not all of them know.
func isSecret(uri string) bool {
	switch uri[strings.LastIndexByte(uri, '/')+1:] {
	case "AAuthSecret", "AAuthData", "AuthSecret", "ClientPW", "ServerPW", "ClientNonce", "ServerNonce", "Secret":
		return true
	}
	return false
}

// learnLeaf keeps a leaf of DevDetail as a fact.
func learnLeaf(dev *storage.Device, leaf string, n *storage.Node, out *sessions.Outcome) {
	value := n.Value
	switch _, known := dev.Facts[leaf]; {
	case isGiven(n.Code) && value != "" && !n.Cut:
		out.Change(dev, func(d *storage.Device) { d.Learn(leaf, value) })
	case n.Code == 404 && known:
		out.Change(dev, func(d *storage.Device) { delete(d.Facts, leaf) })
	}
}

// askAgain has a node asked for once more, alone: a device that can not answer many questions may answer one.
func askAgain(dev *storage.Device, uri string, out *sessions.Outcome) {
	if len(dev.Walk.Again) < maxAgain && !slices.Contains(dev.Walk.Again, uri) {
		again := append(slices.Clone(dev.Walk.Again), uri)
		changeWalk(dev, out, func(w *storage.Walk) { w.Again = again })
	}
}

// hearVersions notices what a device says of its firmware, whoever has asked for it.
func hearVersions(
	now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, out *sessions.Outcome,
) {
	for i := range answers {
		a := &answers[i]
		leaf := versionLeaf(task.Commands[a.Command].URI)
		if leaf == "" || !isGiven(a.Code) || len(a.Data) == 0 || len(a.Data) > maxValue || a.Part > 0 {
			continue
		}
		if dev.Facts[leaf] != string(a.Data) {
			value := string(a.Data)
			out.Change(dev, func(d *storage.Device) { d.Learn(leaf, value) })
		}
		changeWalk(dev, out, func(w *storage.Walk) { w.Checked = now })
	}
	if w := &dev.Walk; w.Ended.IsZero() && !w.Begun.IsZero() && task.Purpose == purposeRoot {
		fwV, swV := dev.Facts["FwV"], dev.Facts["SwV"]
		changeWalk(dev, out, func(w *storage.Walk) { w.Of.FwV, w.Of.SwV = fwV, swV })
	}
}

// versionLeaf is the name of the leaf of DevDetail at a URI, where it tells one firmware from the next.
func versionLeaf(uri string) string {
	switch uri {
	case "./DevDetail/FwV":
		return "FwV"
	case "./DevDetail/SwV":
		return "SwV"
	}
	return ""
}
