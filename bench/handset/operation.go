package handset

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// An operation is what an Exec node does. The handset answers the Exec at once with status, does the work once the
// session is over, and reports the result with a generic alert in a session that it opens of its own accord. Where run
// returns running, it is run again after that session.
type operation struct {
	status int
	alert  *alertForm            // nil where the family sends none and the server must look for itself
	check  func(data string) int // of the Exec's Data: a Status in place of status, or 0; nil takes any
	start  func(w *work)         // what the tree shows from the Exec on; nil for nothing
	run    func(w *work) (result int, target string)
}

// running is the result of a job that has more to do (101, in progress).
const running = 101

// alertForm is how a family reports a result: alert 1226 (section 2.4).
type alertForm struct {
	kind, format, mark string
	data               func(result int, id string) string // nil for the bare number
	lone               bool                               // without the Correlator of the Exec (trap 18)
}

// job is an operation under way.
type job struct {
	op         *operation
	path       []string
	uri        string // as the server wrote it
	correlator string
	data       string    // of the Exec
	id         string    // of the package that it is about, once that is known
	pkg        *download // what it has fetched so far
}

// work is a job that is being done on a tree.
type work struct {
	*job
	*tree
	make  *Make
	fetch func(url string) (*download, fault)
	done  Result // the numbers that this adds to the handset's
}

// finding is a job's result on its way to the server.
type finding struct {
	form                             *alertForm
	source, target, correlator, data string
}

// report is what the server is told of j's result.
func (j *job) report(result int, target string) finding {
	f := finding{form: j.op.alert, source: j.uri, target: target, data: strconv.Itoa(result)}
	if !f.form.lone {
		f.correlator = j.correlator
	}
	if f.form.data != nil {
		f.data = f.form.data(result, j.id)
	}
	return f
}

// carryOut does what Execs have asked for, and makes the handset want to tell of it. The handset is busy meanwhile.
func (h *Handset) carryOut(ctx context.Context, jobs []job) {
	h.mu.Lock()
	account, t := h.account, h.tree()
	h.mu.Unlock()
	w := work{tree: &t, make: h.Make, fetch: func(url string) (*download, fault) {
		return h.world.fetch(ctx, url, h.Make.Ranges)
	}}
	var left []job
	var findings []finding
	var told []string
	for i := range jobs {
		w.job = &jobs[i]
		result, target := w.op.run(&w)
		if result == running {
			left = append(left, jobs[i])
			continue
		}
		if w.op.alert != nil {
			findings = append(findings, w.report(result, target))
		}
		told = append(told, fmt.Sprintf("%s: %d", w.uri, result))
	}
	h.mu.Lock()
	defer h.unlock()
	if h.account == account { // else a new document came meanwhile, and its tree is a new one
		h.root, h.ready = t.root, true
		h.jobs, h.findings = left, append(h.findings, findings...)
	}
	h.result.add(&w.done)
	for _, detail := range told {
		h.note(WorkDone, detail)
	}
	h.free()
}

// load fetches the package at url, unless the job has it already.
func (w *work) load(url string) fault {
	if w.pkg != nil {
		return 0
	}
	w.done.Downloads++
	d, f := w.fetch(url)
	if f == 0 {
		w.pkg = d
		w.done.Downloaded += d.size
	}
	return f
}

// text is the value of the leaf at path with names after it; empty where there is none.
func (w *work) text(path []string, names ...string) string {
	if n := w.find(join(path, names...)); n != nil {
		return n.value
	}
	return ""
}

// locURI is path as a server writes it.
func locURI(path []string) string { return "./" + strings.Join(path, "/") }

// join is path with names after it, in memory of its own.
func join(path []string, names ...string) []string {
	return append(append(make([]string, 0, len(path)+len(names)), path...), names...)
}
