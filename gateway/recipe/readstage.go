package recipe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// maxStages is how many parts a recipe may have.
const maxStages = 8

// stages reads a stage from its keys, and those that follow it.
func (r *reader) stages(keys []pair, rec *Recipe, at place) {
	st := stage{place: at, within: 24 * time.Hour}
	answers := pair{at: at}
	var then *pair
	for _, p := range keys {
		switch p.key {
		case "send":
			for _, n := range r.list(p.value, "send") {
				if s, ok := r.sending(n); ok {
					st.send = append(st.send, s)
				}
			}
		case "answers":
			answers = p
		case "within":
			st.within = r.duration(p.value, "within")
		case "poll":
			st.poll = r.poll(p)
		case "then":
			then = &p
		default:
			r.unknownKey(p, "then", "send, answers, within, poll or then")
		}
	}
	r.answers(answers, &st)
	rec.stages = append(rec.stages, st)
	number := len(rec.stages) - 1
	switch {
	case then == nil:
	case len(rec.stages) == maxStages:
		r.add(then.at, "more than %d parts", maxStages)
	case len(st.send) == 0:
		r.add(then.at, "then: nothing is sent before it")
	default:
		r.stages(r.pairs(then.value, "then"), rec, then.at)
		if len(rec.stages) > number+1 && len(rec.stages[number+1].send) == 0 {
			r.add(then.at, "then: nothing to send: want send")
		}
	}
}

// answers reads which tables a stage goes by, the one of all statuses last.
func (r *reader) answers(p pair, st *stage) {
	if p.value != nil {
		for _, k := range r.pairs(p.value, "answers") {
			switch k.key {
			case "status":
				st.status = r.tableRefs(k.value)
			case "result":
				st.result = r.tableRefs(k.value)
			default:
				r.unknownKey(k, "answers", "status or result")
			}
		}
	}
	st.status = append(st.status, tableRef{place: p.at, name: statusTable})
}

// tableRefs reads a list of tables: names, and such as stand in the recipe.
func (r *reader) tableRefs(n ast.Node) []tableRef {
	var refs []tableRef
	for _, item := range r.items(n) {
		ref := tableRef{place: r.at(item)}
		var named bool
		if ref.name, named = r.scalar(item); !named {
			ref.table = r.table(item)
		}
		refs = append(refs, ref)
	}
	return refs
}

// table reads codes and what they mean.
func (r *reader) table(n ast.Node) *table {
	t := &table{place: r.at(n)}
	for _, p := range r.pairs(n, "codes") {
		e := entry{place: p.at}
		from, to, isRange := strings.Cut(p.key, "-")
		if !isRange {
			to = from
		}
		var ok, also bool
		e.from, ok = code(from)
		e.to, also = code(to)
		switch {
		case !ok || !also:
			r.add(p.at, "codes: %s is no code: want 0 to %d, or a range such as 1201-1299", quoted(p.key), maxCode)
			continue
		case e.from > e.to:
			r.add(p.at, "codes: %s runs backwards", p.key)
			continue
		}
		for i := range t.entries {
			if o := &t.entries[i]; e.from <= o.to && o.from <= e.to {
				r.add(p.at, "codes: %s is there already, as %s", p.key, o.codes())
				break
			}
		}
		e.verdict = r.verdict(p)
		t.entries = append(t.entries, e)
	}
	return t
}

func (e *entry) codes() string {
	if e.from == e.to {
		return strconv.Itoa(e.from)
	}
	return fmt.Sprintf("%d-%d", e.from, e.to)
}

func code(s string) (n int, ok bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= maxCode
}

// verdict reads what a code means: done, later, or keys.
func (r *reader) verdict(p pair) Verdict {
	if _, ok := r.scalar(p.value); ok {
		return Verdict{State: State(r.word(p.value, "code "+p.key, string(Done), string(Later)))}
	}
	v := Verdict{}
	what := "code " + p.key
	for _, k := range r.pairs(p.value, what) {
		switch k.key {
		case string(Done), string(Later), string(Failed):
			if v.State != "" {
				r.add(k.at, "%s: want one of done, later and failed", what)
			}
			v.State, v.Reason = State(k.key), r.text(k.value, k.key)
		case "again":
			v.Again = r.bool(k.value, "again")
		case "user":
			v.User = r.bool(k.value, "user")
		default:
			r.unknownKey(k, what, "done, later, failed, again or user")
		}
	}
	switch {
	case v.State == "":
		r.add(p.at, "%s: want done, later or failed with words", what)
	case v.State != Failed && (v.Again || v.User):
		r.add(p.at, "%s: again and user are of what has failed", what)
	}
	return v
}

func (r *reader) poll(p pair) *poll {
	out := &poll{place: p.at, gone: Later, every: time.Hour, most: 24}
	for _, k := range r.pairs(p.value, "poll") {
		switch k.key {
		case "get":
			out.get = r.uri(k.value, "get")
		case "pending":
			out.pending = r.readings(k)
		case "done":
			out.done = r.readings(k)
		case "failed":
			out.failed = r.readings(k)
		case "gone":
			out.gone = State(r.word(k.value, "gone", string(Done), string(Later), string(Failed)))
		case "every":
			out.every = r.duration(k.value, "every")
		case "most":
			out.most = r.number(k.value, "most", 1, 1000)
		default:
			r.unknownKey(k, "poll", "get, pending, done, failed, gone, every or most")
		}
	}
	switch {
	case len(out.get.parts) == 0:
		r.add(p.at, "poll: no node: want get")
	case len(out.done) == 0 && out.gone != Done:
		r.add(p.at, "poll: it comes to no end: want done with values, or gone: done")
	}
	for i, a := range [][]reading{out.pending, out.done, out.failed} {
		for _, b := range [][]reading{out.pending, out.done, out.failed}[i+1:] {
			for _, x := range a {
				if slices.ContainsFunc(b, func(y reading) bool { return x.is == y.is }) {
					r.add(p.at, "poll: value %s has two meanings", quoted(x.is))
				}
			}
		}
	}
	return out
}

// readings reads values: a list, or values with words.
func (r *reader) readings(p pair) []reading {
	var all []reading
	switch p.value.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		for _, k := range r.pairs(p.value, p.key) {
			all = append(all, reading{k.key, r.text(k.value, p.key)})
		}
	default:
		for _, v := range r.texts(p.value, p.key) {
			all = append(all, reading{is: v})
		}
	}
	return all
}
