package handset

import (
	"strconv"
	"strings"
)

// An operation is what an Exec node does. The handset answers the Exec at once with status, does the work once the
// session is over, and reports the result with a generic alert in a session that it opens of its own accord.
type operation struct {
	status int
	alert  string // Type of the generic alert; "" where the family sends none and the server must look for itself
	format string // of the alert's Data
	run    func(t *tree, path []string) (result int, target string)
}

// job is an operation under way.
type job struct {
	op         *operation
	path       []string
	uri        string // as the server wrote it
	correlator string
}

// finding is a job's result on its way to the server: alert 1226 (section 2.4).
type finding struct {
	kind, format, source, target, correlator string
	result                                   int
}

// finish does the work of j on t.
func (j *job) finish(t *tree) (finding, bool) {
	result, target := j.op.run(t, j.path)
	return finding{
		kind: j.op.alert, format: j.op.format, source: j.uri, target: target, correlator: j.correlator, result: result,
	}, j.op.alert != ""
}

// Results of operations (sections 8.2 to 8.4).
const (
	fumoSuccess  = 200
	fumoBadURL   = 411
	scomoSuccess = 1200
	scomoFailed  = 1400
	lawmoSuccess = 1200
)

// updateFirmware is FUMO's DownloadAndUpdate: afterwards DevDetail/FwV is what PkgVersion said, so that a server that
// looks again can see the update.
func updateFirmware(t *tree, path []string) (int, string) {
	root := path[:len(path)-1]
	if url := t.find(join(path, "PkgURL")); url == nil || url.value == "" {
		t.set(join(root, "State"), "20")
		return fumoBadURL, ""
	}
	version := ""
	if v := t.find(join(root, "PkgVersion")); v != nil {
		version = v.value
	}
	fwv := []string{"DevDetail", "FwV"}
	if version == "" {
		version = t.find(fwv).value + "+1"
	}
	t.set(fwv, version)
	t.set(join(root, "State"), "100")
	return fumoSuccess, ""
}

// downloadFirmware is FUMO's Download: the package lies ready for Update.
func downloadFirmware(t *tree, path []string) (int, string) {
	t.set(join(path[:len(path)-1], "State"), "40")
	return fumoSuccess, ""
}

// deploy returns what the operation at .../Download/X/Operations/Y does: a component turns up under
// .../Inventory/Deployed. The names of the leaves differ between SCOMO and the older SCM (sections 8.3, 8.5).
func deploy(url, id string, component func(name, id, version string) *node) func(*tree, []string) (int, string) {
	return func(t *tree, path []string) (int, string) {
		pkg, root := path[:len(path)-2], path[:len(path)-4]
		text := func(name string) string {
			if n := t.find(join(pkg, name)); n != nil {
				return n.value
			}
			return ""
		}
		if text(url) == "" || text(id) == "" {
			t.set(join(pkg, "Status"), "20")
			return scomoFailed, ""
		}
		deployed := join(root, "Inventory", "Deployed")
		n := component("C"+strconv.Itoa(len(t.find(deployed).kids)), text(id), text("Version"))
		if name := text("Name"); name != "" {
			n.child("Name").value = name
		}
		// The same component again takes the place of the older one.
		for _, k := range t.find(deployed).kids {
			if k.child("ID") != nil && k.child("ID").value == text(id) {
				n.name = k.name
			}
		}
		t.put(join(deployed, n.name), n)
		t.set(join(pkg, "Status"), "10")
		return scomoSuccess, "./" + strings.Join(deployed, "/") + "/" + n.name
	}
}

// undeploy is Remove on .../Inventory/Deployed/X/Operations/Remove.
func undeploy(t *tree, path []string) (int, string) {
	component := path[:len(path)-2]
	t.put(component, nil)
	return scomoSuccess, "./" + strings.Join(component, "/")
}

// lock returns what LAWMO's locks do: State is state afterwards.
func lock(state string) func(*tree, []string) (int, string) {
	return func(t *tree, path []string) (int, string) {
		t.set(join(path[:len(path)-2], "State"), state)
		return lawmoSuccess, ""
	}
}

// wipe does nothing that a tree shows.
func wipe(*tree, []string) (int, string) { return lawmoSuccess, "" }

// join is path with names after it, in memory of its own.
func join(path []string, names ...string) []string {
	return append(append(make([]string, 0, len(path)+len(names)), path...), names...)
}
