package handset

import (
	"fmt"
	"strconv"
	"strings"
)

// Results of SCOMO, which the older SCM keeps to as well (section 8.3).
const (
	scomoSuccess       = 1200
	scomoClientError   = 1400
	scomoNoDownload    = 1402
	scomoNoMemory      = 1404
	scomoInstallFailed = 1405
)

// Statuses and States of SCOMO (section 8.3).
const (
	scomoIdle           = "10"
	scomoDownloadFailed = "20"
	scomoDownloading    = "30"
	scomoInstalling     = "50"
	scomoInactive       = "10"
	scomoActive         = "20"
	scomoDelivered      = "10"
	scomoInstalled      = "20"
)

// Component is a piece of software on a handset.
type Component struct {
	ID, Name, Version string
	Inactive          bool
	URL               string // the link it came by
}

// inventory is where a family shows what is installed.
type inventory struct {
	path      []string // "SCOMO", "Inventory", "Deployed"; nil where the tree has no such place
	component func(name string, c *Component) *node
	byID      bool // a component's node is named after its ID
}

// install puts c into the inventory, in the place of an older one with its ID, and says where; "" for nowhere.
func (v *inventory) install(t *tree, c *Component) string {
	all := t.find(v.path)
	if v.path == nil || all == nil {
		return ""
	}
	name := c.ID
	if !v.byID {
		name = all.free("C%d", 0)
		for _, k := range all.kids {
			if k.text("ID") == c.ID {
				name = k.name
			}
		}
	}
	t.put(join(v.path, name), v.component(name, c))
	return locURI(join(v.path, name))
}

// Inventory are the components that stand in the handset's tree, in its order; nil where it has no place for them.
func (h *Handset) Inventory() []Component {
	h.mu.Lock()
	t := h.tree()
	h.mu.Unlock()
	v := &h.Make.inventory
	if v.path == nil {
		return nil
	}
	var all []Component
	for _, k := range t.find(v.path).kids {
		c := Component{ID: k.text("ID"), Name: k.text("Name"), Version: k.text("Version")}
		if v.byID {
			c.ID = k.name
		}
		c.Inactive = k.text("State") == scomoInactive || k.text("StateValue") == "Inactive"
		all = append(all, c)
	}
	return all
}

// free is the first name of form, from number from on, that no child of n has.
func (n *node) free(form string, from int) string {
	for i := from; ; i++ {
		if name := fmt.Sprintf(form, i); n.child(name) == nil {
			return name
		}
	}
}

// packageLeaves are the names of the leaves below Download/X, which differ between SCOMO and SCM.
type packageLeaves struct{ url, id string }

var (
	scomoLeaves = packageLeaves{"PkgURL", "PkgID"}
	scmLeaves   = packageLeaves{"URI", "ID"}
)

// downloading is what Download/X shows from the Exec on.
func downloading(w *work) { w.set(join(w.path[:len(w.path)-2], "Status"), scomoDownloading) }

// deploy returns what an operation at .../Download/X/Operations/Y does that installs: a component turns up in the
// inventory.
func deploy(l packageLeaves, inactive bool) func(*work) (int, string) {
	return func(w *work) (int, string) {
		pkg := w.path[:len(w.path)-2]
		if result := w.loadPackage(l); result != scomoSuccess {
			return result, ""
		}
		target := w.make.inventory.install(w.tree, w.component(pkg, l, inactive))
		w.set(join(pkg, "Status"), scomoIdle)
		return scomoSuccess, target
	}
}

// deliver returns what Download does: the package lies in Inventory/Delivered, to be installed from there.
func deliver(l packageLeaves, delivered func(name string) *node) func(*work) (int, string) {
	return func(w *work) (int, string) {
		pkg := w.path[:len(w.path)-2]
		if result := w.loadPackage(l); result != scomoSuccess {
			return result, ""
		}
		place := []string{w.path[0], "Inventory", "Delivered"}
		c := w.component(pkg, l, false)
		n := delivered(w.find(place).free("D%d", 0))
		n.kids = append([]*node{
			leaf(l.id, c.ID), leaf("Name", c.Name), leaf("InstallOpts", "version="+c.Version).with(mayReplace), w.digest(),
		}, n.kids...)
		w.put(join(place, n.name), n)
		w.set(join(pkg, "Status"), scomoIdle)
		return scomoSuccess, locURI(join(place, n.name))
	}
}

// digest is the leaf Data of a package that was downloaded: its digest stands for its bytes, which are not kept.
func (w *work) digest() *node {
	n := leaf("Data", "sha256:"+w.pkg.digest).as(formatBin)
	n.rights = 0
	return n
}

// loadPackage fetches what Download/X names. Status and Ext/LastError say how that went.
func (w *work) loadPackage(l packageLeaves) int {
	pkg := w.path[:len(w.path)-2]
	w.id = w.text(pkg, l.id)
	result := scomoSuccess
	if url := w.text(pkg, l.url); url == "" || w.id == "" {
		result = scomoClientError
	} else if f := w.load(url); f == tooLarge {
		result = scomoNoMemory
	} else if f != 0 {
		result = scomoNoDownload
	}
	w.fails(result)
	if result != scomoSuccess {
		w.set(join(pkg, "Status"), scomoDownloadFailed)
	}
	return result
}

// fails puts result where the object keeps its last error, if it has such a place.
func (w *work) fails(result int) {
	if result == scomoSuccess {
		result = 0
	}
	w.set([]string{w.path[0], "Ext", "LastError"}, strconv.Itoa(result))
}

// deployDelivered returns what Install at .../Inventory/Delivered/X/Operations does with a package that came in-band as
// Data, or by Download.
func deployDelivered(l packageLeaves, inactive bool) func(*work) (int, string) {
	return func(w *work) (int, string) {
		pkg := w.path[:len(w.path)-2]
		if w.id = w.text(pkg, l.id); w.id == "" || w.text(pkg, "Data") == "" {
			w.set(join(pkg, "Status"), "60") // install failed, no data
			w.fails(scomoInstallFailed)
			return scomoInstallFailed, ""
		}
		w.fails(scomoSuccess)
		target := w.make.inventory.install(w.tree, w.component(pkg, l, inactive))
		w.set(join(pkg, "State"), scomoInstalled)
		return scomoSuccess, target
	}
}

// component is what the package at pkg installs. Its version stands in a leaf of its own, with the parameters of its
// installation as "version=1.2", in the answer to the download, or at the end of its name.
func (w *work) component(pkg []string, l packageLeaves, inactive bool) *Component {
	c := &Component{ID: w.text(pkg, l.id), Name: w.text(pkg, "Name"), Inactive: inactive}
	if w.pkg != nil {
		c.Version = w.pkg.version
	}
	for _, name := range [...]string{"InstallOpts", "InstallParams"} {
		if v := parameter(w.text(pkg, name), "version"); v != "" {
			c.Version = v
		}
	}
	if v := w.text(pkg, "Version"); v != "" {
		c.Version = v
	}
	if c.Version == "" {
		words := strings.Fields(c.Name)
		if n := len(words); n > 0 && words[n-1][0] >= '0' && words[n-1][0] <= '9' {
			c.Version = words[n-1]
		}
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	return c
}

// parameter is the value of name in a list as "a=1;version=1.2".
func parameter(list, name string) string {
	for _, p := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(";&, ", r) }) {
		if v, ok := strings.CutPrefix(p, name+"="); ok {
			return v
		}
	}
	return ""
}

// undeploy is Remove on .../X/Operations/Remove.
func undeploy(w *work) (int, string) {
	component := w.path[:len(w.path)-2]
	if w.id = w.text(component, "ID"); w.id == "" {
		w.id = w.text(component, "PkgID") // of a package that was delivered
	}
	w.put(component, nil)
	return scomoSuccess, locURI(component)
}

// setState returns what Activate and Deactivate do: the component's leaf shows state.
func setState(name, state string) func(*work) (int, string) {
	return func(w *work) (int, string) {
		component := w.path[:len(w.path)-2]
		w.id = w.text(component, "ID")
		w.set(join(component, name), state)
		return scomoSuccess, locURI(component)
	}
}
