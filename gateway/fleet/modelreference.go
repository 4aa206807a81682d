package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"dmgate/storage"
)

// Bounds of a reference.
const (
	maxReferenceNodes    = 512
	maxReferenceChildren = 64
	maxReferenceText     = 96 << 10 // bytes of all URIs, names and values
)

// modelFacts are the facts that are the same on all devices of a model. Others are left out: DevId tells who it is,
// Lang who uses it.
var modelFacts = []string{
	"Man", "Mod", "FwV", "SwV", "HwV", "OEM", "DevTyp", "DmV", "LrgObj", "URI/MaxDepth", "URI/MaxTotLen", "URI/MaxSegLen",
	"Ext/FotaClientVer", "Ext/DMClientVer", "Ext/ModDDF", "Ext/ModDevDet", storage.FactMaxMsgSize, storage.FactMaxObjSize,
}

// instances are nodes whose children are not the model's: accounts, access points, what the user has installed. In a
// reference they stand without children, and whether they have any is not known.
var instances = []string{
	"DMAcc", "NAP", "Proxy", "AP", "Con", "Delivered", "Deployed", "Bookmark", "Bookmarks", "Email", "MMS", "DSAcc",
	"MSI", "AppStore", "nonStore", "System", "AppInstallation", "Provider", "Root", "My",
}

// referenceOf is what of a device's facts and nodes may stand for its model: nothing that tells who it is, who uses it
// or how it is reached.
func referenceOf(dev *storage.Device, nodes []storage.Node) storage.ModelReference {
	own := marks(dev)
	r := storage.ModelReference{Device: dev.ID, Facts: make(map[string]string), TNDS: dev.Facts[storage.FactTNDS]}
	for _, name := range modelFacts {
		if value := dev.Facts[name]; value != "" && !own.in(value) {
			r.Facts[name] = plain(value, maxValue)
		}
	}
	r.Nodes = boundNodes(own.all(nodes))
	return r
}

// all is what of nodes may stand for the model.
func (p personal) all(nodes []storage.Node) []storage.ModelNode {
	var kept []storage.ModelNode
	for i := range nodes {
		if n, ok := p.shared(&nodes[i]); ok {
			kept = append(kept, n)
		}
	}
	return kept
}

// boundNodes puts nodes in order and keeps as many as there is place for: what stands high in the tree matters most. Of
// several of one URI the last one holds.
func boundNodes(nodes []storage.ModelNode) []storage.ModelNode {
	byURI := make(map[string]storage.ModelNode, len(nodes))
	for _, n := range nodes {
		byURI[n.URI] = n
	}
	kept := slices.SortedFunc(maps.Values(byURI), func(a, b storage.ModelNode) int {
		return cmp.Or(cmp.Compare(strings.Count(a.URI, "/"), strings.Count(b.URI, "/")), cmp.Compare(a.URI, b.URI))
	})
	room := maxReferenceText
	for i := range kept {
		if room -= textOf(&kept[i]); room < 0 || i == maxReferenceNodes {
			kept = kept[:i]
			break
		}
	}
	slices.SortFunc(kept, func(a, b storage.ModelNode) int { return cmp.Compare(a.URI, b.URI) })
	return kept
}

func textOf(n *storage.ModelNode) int {
	size := len(n.URI) + len(n.Format) + len(n.Type) + len(n.Value)
	for _, c := range n.Children {
		size += len(c)
	}
	return size
}

// personal is what a text may not have in it to be the model's.
type personal []string

// marks is what tells dev from all others.
func marks(dev *storage.Device) personal {
	_, imei, _ := strings.Cut(dev.DevID, ":")
	_, told, _ := strings.Cut(dev.Facts["DevId"], ":")
	var p personal
	for _, m := range []string{string(dev.ID), strings.TrimPrefix(dev.MSISDN, "+"), dev.IMSI, dev.DevID, imei, told} {
		if len(m) >= 6 {
			p = append(p, strings.ToLower(m))
		}
	}
	return p
}

func (p personal) in(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(p, func(m string) bool { return strings.Contains(text, m) })
}

// name says whether a node's name may be the model's. Long numbers and what stands in braces are made for one device.
func (p personal) name(s string) bool {
	digits := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			digits = 0
			continue
		}
		if digits++; digits == 8 {
			return false
		}
	}
	return s != "" && len(s) <= maxName && !strings.ContainsAny(s, "{}") && !strings.Contains(s, "%7B") && !p.in(s)
}

// shared is n as it may stand for the model; ok is false where it is the device's own.
func (p personal) shared(n *storage.Node) (m storage.ModelNode, ok bool) {
	path, query, _ := strings.Cut(n.URI, "?")
	segments := strings.Split(strings.TrimPrefix(path, "./"), "/")
	for i, s := range segments {
		if s != "." && !p.name(s) || i > 0 && slices.Contains(instances, segments[i-1]) {
			return m, false
		}
	}
	m = storage.ModelNode{
		URI: n.URI, Code: n.Code, Format: plain(n.Format, maxName), Type: plain(n.Type, maxName), Cut: n.Cut,
	}
	if p.in(m.Type) {
		m.Type = ""
	}
	if valueShared(path) || query == "prop=Type" || query == "prop=Format" {
		if !p.in(n.Value) {
			m.Value = plain(n.Value, maxValue)
		}
	}
	if query == "" && slices.Contains(instances, segments[len(segments)-1]) {
		m.Cut = true
		return m, true
	}
	for _, c := range n.Children {
		if !p.name(c) || len(m.Children) == maxReferenceChildren {
			m.Cut = true
			continue
		}
		m.Children = append(m.Children, c)
	}
	return m, true
}

// valueShared says whether the value of a leaf is the model's: what DevDetail and DevInfo say of facts of the model.
// All other values are a device's own, or of a moment.
func valueShared(uri string) bool {
	name, ok := strings.CutPrefix(uri, "./DevDetail/")
	if !ok {
		name, ok = strings.CutPrefix(uri, "./DevInfo/")
	}
	return ok && slices.Contains(modelFacts, name)
}

// agree says whether two trees are the same, as far as both of them know: what is there, and what stands below it.
func agree(a, b []storage.ModelNode) bool {
	known := make(map[string]*storage.ModelNode, len(a))
	for i := range a {
		known[a[i].URI] = &a[i]
	}
	for i := range b {
		is := &b[i]
		was := known[is.URI]
		if was == nil {
			continue
		}
		if isThere(was.Code) != isThere(is.Code) || isGiven(was.Code) != isGiven(is.Code) {
			return false
		}
		if !was.Cut && !is.Cut && !sameNames(was.Children, is.Children) {
			return false
		}
	}
	return true
}

// sameNames says whether two lists have the same names, in whatever order.
func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
