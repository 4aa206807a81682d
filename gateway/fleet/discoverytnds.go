package fleet

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"dmgate/codec/tnds"
	"dmgate/sessions"
	"dmgate/storage"
)

// Some devices give a part of their tree in one piece (?list=TNDS), many do not (trap 15). It is tried once, on an
// object into which the rules want to look, beside the single Gets: a device that can not loses no time. Where it
// works the other objects are taken in one piece.

const (
	maxSubtrees     = 4   // in one list of questions
	maxSubtreeNodes = 256 // that are kept of one
)

// pieces sorts what the rules want into what comes with a subtree and what has to be asked for by itself.
func (q *questioner) pieces(wanted []string) {
	known := q.dev.Facts[storage.FactTNDS]
	for _, uri := range wanted {
		object := rootOf(uri)
		if known == "no" || len(q.subtrees) == 1 && known == "" || !q.hasSubtree(uri, object) {
			q.wanted = append(q.wanted, uri)
			continue
		}
		piece := get(object + listTNDS)
		asked := slices.ContainsFunc(q.subtrees, func(c storage.Command) bool { return c.URI == piece.URI })
		if !asked && len(q.subtrees) < maxSubtrees {
			q.subtrees = append(q.subtrees, piece)
		}
		if known == "" {
			q.wanted = append(q.wanted, uri)
		}
	}
}

// hasSubtree says whether what is at uri may come with the object that it is in: one that was seen to be there.
// Accounts are not taken in one piece: that would bring their secrets where they are readable.
func (q *questioner) hasSubtree(uri, object string) bool {
	if uri == object || strings.Contains(uri, "?") || object == "./DMAcc" || object == "./SyncML" {
		return false
	}
	n := q.tree.node(object)
	return n != nil && isGiven(n.Code) && isObject(object) && !q.tree.has(object+listTNDS)
}

// hearSubtrees reads objects that have come in one piece. Any status but a good one, and a tree that can not be read,
// says that the device can not do that.
func (f *Fleet) hearSubtrees(
	dev *storage.Device, task *storage.Task, answers []storage.Answer, out *sessions.Outcome,
) {
	for i := range answers {
		a := &answers[i]
		if isGiven(a.Code) && a.More || isSilent(a) {
			continue // the rest is to come
		}
		n := evidence(dev, task, out)
		n.URI, n.Code = task.Commands[a.Command].URI, a.Code
		can := "no"
		if isGiven(a.Code) || a.Code == 0 && len(a.Data) > 0 {
			read, err := f.readSubtree(dev, task, a, n, out)
			if err == nil && read > 0 {
				can = "yes"
				n.Value = fmt.Sprintf("%d nodes", read)
			} else if err != nil {
				n.Value = cutText([]byte(err.Error()))
			}
		}
		out.Commit.Nodes = append(out.Commit.Nodes, n.Node)
		learnSubtrees(dev, can, out)
	}
}

// learnSubtrees keeps whether the device can give subtrees, "yes" or "no". One that has given one can.
func learnSubtrees(dev *storage.Device, can string, out *sessions.Outcome) {
	if known := dev.Facts[storage.FactTNDS]; known == "" || known == "no" && can == "yes" {
		out.Change(dev, func(d *storage.Device) { d.Learn(storage.FactTNDS, can) })
	}
}

// readSubtree keeps the nodes of an object that an answer brings, and says how many.
func (f *Fleet) readSubtree(
	dev *storage.Device, task *storage.Task, a *storage.Answer, from heard, out *sessions.Outcome,
) (int, error) {
	doc := a.Data
	if a.Part > 1 {
		parts, err := f.store.Results(dev.ID, task.ID-1, 1)
		if err != nil {
			return 0, err
		}
		doc = joined(parts, task.ID, a)
	}
	if strings.EqualFold(string(a.Format), "b64") {
		raw, err := base64.StdEncoding.DecodeString(string(doc))
		if err != nil {
			return 0, err
		}
		doc = raw
	}
	t, err := tnds.Read(doc, nil)
	if err != nil {
		return 0, err
	}
	object := strings.TrimSuffix(from.URI, listTNDS)
	read := 0
	t.Walk(root, func(uri string, n *tnds.Node) {
		if uri != object && !strings.HasPrefix(uri, object+"/") || read == maxSubtreeNodes || !isAskable(uri) {
			return
		}
		read++
		out.Commit.Nodes = append(out.Commit.Nodes, from.subtreeNode(uri, n))
	})
	return read, nil
}

// joined is the whole of a large value whose last part has come in this message: parts are those before it.
func joined(parts []storage.Results, task uint64, last *storage.Answer) []byte {
	var whole []byte
	for i := range parts {
		for k := range parts[i].Answers {
			switch a := &parts[i].Answers[k]; {
			case parts[i].Task != task || a.Command != last.Command || a.Part == 0:
			case a.Part == 1:
				whole = append(whole[:0], a.Data...)
			default:
				whole = append(whole, a.Data...)
			}
		}
	}
	return append(whole, last.Data...)
}

// subtreeNode is a node of a subtree, on the evidence of the message that has brought it.
func (h heard) subtreeNode(uri string, n *tnds.Node) storage.Node {
	a := storage.Answer{Code: 200, Format: []byte(n.Props.Format), Type: []byte(n.Props.Type), Data: n.Value}
	if n.Props.DDFName != "" {
		a.Type = []byte(n.Props.DDFName)
	}
	if len(n.Children) > 0 || n.Props.Format == "node" {
		a.Format, a.Data = []byte("node"), nil
		for i := range n.Children {
			a.Data = append(append(a.Data, n.Children[i].Name...), '/')
		}
	}
	h.URI, h.Code = uri, 200
	h.read(&a)
	return h.Node
}
