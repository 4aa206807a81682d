package recipe

import (
	"bytes"
	"cmp"
	"strings"

	"dmgate/storage"
)

// maxInstances is how many children of a node are looked at for a * before there is an order, and maxComponents for
// one.
const (
	maxInstances  = 16
	maxComponents = 512
)

// solver looks for nodes that meet the needs of a recipe, in what is known. Needs are met in their order; where a later
// one can not be met another node is tried for an earlier one.
type solver struct {
	known  *Known
	needs  []need
	names  map[string]string // of the needs so far
	proofs []proof           // of each need that is met
	values map[string]string // of the order; nil as long as there is none
	most   int               // instances that a * may stand for
	direct bool              // nodes are asked for by their paths, without the lists above them

	wants   *wants // nil where nobody wants to know
	unknown bool   // something was not known that could have met a need
	hit     bool   // a need for absence has found a node
	tried   []bool // whether a node was found for a need
	buf     []byte // the URIs under way, one behind the other

	explain bool // whether miss is of interest
	miss    miss
	err     error
}

// proof is why a need counts as met.
type proof struct {
	node  *storage.Node // that has said it: the node itself, or the one that lists it; nil for absence that follows
	way   proofKind
	typed bool   // its type is what it should be
	uri   string // what is there, where that is of interest
}

type proofKind uint8

const (
	byNothing proofKind = iota
	byList              // its parent lists it
	byValue             // it was read
	byRefusal           // 405
	byBar               // 425
	byAbsence
)

// miss is the first thing that could not be met, of the need that came furthest.
type miss struct {
	need    int
	unknown bool
	uri     string
	node    *storage.Node
	says    string
}

// wants collects URIs to be asked for.
type wants struct {
	uris []string
	most int
}

func (w *wants) full() bool { return len(w.uris) >= w.most }

func (w *wants) add(uri []byte, query string) {
	if w.full() {
		return
	}
	for _, have := range w.uris {
		if len(have) == len(uri)+len(query) && have[:len(uri)] == string(uri) && have[len(uri):] == query {
			return
		}
	}
	w.uris = append(w.uris, string(uri)+query)
}

// solve meets the needs from number i on. True means that all are met: names and proofs say how.
func (s *solver) solve(i int) bool {
	if i == len(s.needs) {
		return true
	}
	n := &s.needs[i]
	if n.absent {
		return s.lacks(i)
	}
	s.tried[i] = false
	if n.optional && s.doubtful(i) {
		return s.unbound(i)
	}
	for a := range n.at {
		p := &n.at[a]
		if s.wants != nil && s.wants.full() {
			return false
		}
		if len(n.types) > 0 && p.lastIsGlob() && s.tried[i] {
			continue // the type is searched for where no name has led to it
		}
		mark := len(s.buf)
		if !s.begin(i, p) {
			continue
		}
		found := s.walk(i, p, 0, mark)
		s.buf = s.buf[:mark]
		if found {
			return true
		}
	}
	if n.optional && !s.tried[i] {
		return s.unbound(i)
	}
	return false
}

// unbound goes on without an optional node.
func (s *solver) unbound(i int) bool {
	s.names[s.needs[i].name] = ""
	s.proofs[i] = proof{}
	return s.solve(i + 1)
}

// doubtful says whether a need before number i is met by a node that an ACL bars: such a device is not asked for what
// may be left out.
func (s *solver) doubtful(i int) bool {
	for k := range s.proofs[:i] {
		if s.proofs[k].way == byBar {
			return true
		}
	}
	return false
}

// begin appends the node that a pattern begins at. It is none where the pattern begins at an optional node that is not
// there.
func (s *solver) begin(i int, p *pattern) bool {
	if p.base == "" {
		s.buf = append(s.buf, root...)
		return true
	}
	base := s.names[p.base]
	if base == "" {
		if s.explain {
			s.missed(i, false, []byte(p.text), nil, "{"+p.base+"} is not there")
		}
		return false
	}
	s.buf = append(s.buf, base...)
	return true
}

// lacks meets a need for absence.
func (s *solver) lacks(i int) bool {
	n := &s.needs[i]
	before := s.unknown
	s.unknown = false
	for a := range n.at {
		mark := len(s.buf)
		if !s.begin(i, &n.at[a]) {
			continue
		}
		s.hit = false
		s.walk(i, &n.at[a], 0, mark)
		s.buf = s.buf[:mark]
		if s.hit {
			s.unknown = before
			return false
		}
	}
	unknown := s.unknown
	s.unknown = s.unknown || before
	if unknown {
		return false
	}
	s.proofs[i] = proof{way: byAbsence}
	return s.solve(i + 1)
}

// walk goes down from the node at s.buf[mark:] by the segments of p from number seg on. True ends the search.
func (s *solver) walk(i int, p *pattern, seg, mark int) bool {
	if seg == len(p.segs) {
		return s.accept(i, p, mark)
	}
	uri := s.buf[mark:]
	n := s.known.nodes[string(uri)]
	step := &p.segs[seg]
	if step.glob {
		return s.each(i, p, seg, mark, n)
	}
	name := step.text
	if step.fill != nil {
		filled, ok, err := step.fill.fill(nil, s.values, asSegment)
		if err != nil || !ok {
			s.err = err
			return false
		}
		name = filled
	}
	end := len(s.buf)
	s.buf = append(append(s.buf, '/'), name...)
	found := s.child(i, p, seg, mark, n, end, name)
	s.buf = s.buf[:end]
	return found
}

// child goes on at the child of n that s.buf ends in, from end on, if it is there.
func (s *solver) child(i int, p *pattern, seg, mark int, n *storage.Node, end int, name string) bool {
	own := s.known.nodes[string(s.buf[mark:])]
	state := presenceOf(own)
	list := listingOf(n)
	if list >= partial && isLeaf(n) && !state.there() {
		s.missed(i, false, s.buf[mark:], n, "what should be above it is a leaf")
		return false
	}
	if list >= partial {
		spelling, has := listed(n, name)
		if has && spelling != name {
			s.buf = append(append(s.buf[:end], '/'), spelling...)
			own = s.known.nodes[string(s.buf[mark:])]
			state = presenceOf(own)
		}
		if has && state != absent {
			return s.walk(i, p, seg+1, mark)
		}
	}
	switch {
	case state.there():
		return s.walk(i, p, seg+1, mark)
	case state == absent:
		s.missed(i, false, s.buf[mark:], own, "is not there")
	case list == complete:
		s.missed(i, false, s.buf[mark:], n, "is not in the list")
	case list == unlisted && s.direct && (seg+1 < len(p.segs) || len(s.needs[i].is) > 0):
		return s.walk(i, p, seg+1, mark)
	case list == unlisted:
		s.want(i, s.buf[mark:end])
	case state == unclear:
		s.missed(i, true, s.buf[mark:], own, "does not show whether it is there")
	case s.hidden(s.buf[mark:end], n):
		s.missed(i, true, s.buf[mark:], n, "is below a node that does not show itself")
	default:
		s.want(i, s.buf[mark:])
	}
	return false
}

// hidden says whether a node that an ACL bars is all that its parent has shown: below it nothing is tried, as a device
// that answers 425 to everything has nothing else.
func (s *solver) hidden(uri []byte, n *storage.Node) bool {
	if presenceOf(n) != barred || string(uri) == root {
		return false
	}
	return presenceOf(s.known.nodes[string(uri[:parentEnd(uri)])]) != read
}

// parentEnd is where the URI of the node above one ends; that of the root for one at the root.
func parentEnd(uri []byte) int { return max(len(root), bytes.LastIndexByte(uri, '/')) }

// each goes on at the children of n that match. To search for a type is a last resort: that it can not be done leaves
// nothing open.
func (s *solver) each(i int, p *pattern, seg, mark int, n *storage.Node) bool {
	list, search := listingOf(n), len(s.needs[i].types) > 0 && p.lastIsGlob()
	switch list {
	case unlisted:
		s.want(i, s.buf[mark:])
		return false
	case closed:
		s.missed(i, presenceOf(n) != absent && !search, s.buf[mark:], n, "does not show what is below it")
		return false
	}
	end, count := len(s.buf), 0
	for _, name := range n.Children {
		if !isSegment(name) || !p.segs[seg].matches(name) || isInfo(name) && end-mark == len(root) {
			continue
		}
		if count++; count > s.most {
			list = partial
			break
		}
		s.buf = append(append(s.buf[:end], '/'), name...)
		own := s.known.nodes[string(s.buf[mark:])]
		found := presenceOf(own) != absent && s.walk(i, p, seg+1, mark)
		s.buf = s.buf[:end]
		if found {
			return true
		}
	}
	switch {
	case list == partial:
		s.missed(i, !search, s.buf[mark:], n, "has more below it than was looked at")
	case count == 0:
		s.missed(i, false, s.buf[mark:], n, "has nothing below it that fits")
	case s.explain && len(s.needs[i].where) > 0 && s.miss.need == i && !s.miss.unknown:
		// More telling than which value one of them has.
		s.miss = miss{need: i, uri: s.described(&s.needs[i]), node: n, says: "is not there"}
	}
	return false
}

// described is what a need looks for.
func (s *solver) described(n *need) string {
	p := &n.at[0]
	text := cmp.Or(s.names[p.base], root)
	for i := range p.segs {
		name := p.segs[i].text
		if fill := p.segs[i].fill; fill != nil {
			name, _, _ = fill.fill(nil, s.values, asSegment)
		}
		text += "/" + name
	}
	with := " with "
	for t := range n.where {
		w := &n.where[t]
		if want, given, err := w.is[0].fill(s.names, s.values, asText); given && err == nil {
			text += with + w.leaf + " " + want
			with = " and "
		}
	}
	return text
}

// accept takes the node at s.buf[mark:] for need i if it is what is wanted, and goes on with the next need.
func (s *solver) accept(i int, p *pattern, mark int) bool {
	n := &s.needs[i]
	typed, ok := s.hasType(i, n, p, mark)
	if !ok || s.hasValue(i, n.is, mark) != fits {
		return false
	}
	found := fits
	for t := range n.where { // all leaves that are still to be asked for are so at once
		if found = min(found, s.leafHas(i, &n.where[t], mark)); found == differs {
			return false
		}
	}
	if found != fits {
		return false
	}
	if n.absent {
		s.hit = true
		s.missed(i, false, s.buf[mark:], s.prover(mark).node, "is there")
		return true
	}
	s.tried[i] = true
	s.proofs[i] = s.prover(mark)
	s.proofs[i].typed = typed
	uri := ""
	if n.name != "" || s.explain {
		uri = string(s.buf[mark:])
	}
	if n.name != "" {
		s.names[n.name] = uri
	}
	s.proofs[i].uri = uri
	return s.solve(i + 1)
}

// prover is why the node at s.buf[mark:] counts as there.
func (s *solver) prover(mark int) proof {
	uri := s.buf[mark:]
	own := s.known.nodes[string(uri)]
	switch presenceOf(own) {
	case read:
		return proof{node: own, way: byValue}
	case unread:
		return proof{node: own, way: byRefusal}
	}
	if above := s.known.nodes[string(uri[:parentEnd(uri)])]; listingOf(above) >= partial && string(uri) != root {
		return proof{node: above, way: byList}
	}
	if presenceOf(own) == barred {
		return proof{node: own, way: byBar}
	}
	return proof{}
}

// hasType says whether the node is a management object of the type that is wanted. One that does not tell is trusted
// for its name, where it has a certain one (section 9 number 3).
func (s *solver) hasType(i int, n *need, p *pattern, mark int) (typed, ok bool) {
	if len(n.types) == 0 {
		return true, true
	}
	uri := s.buf[mark:]
	typ, asked := s.known.typeOf(uri)
	switch {
	case typ != "" && matchAny(n.types, typ):
		return true, true
	case typ != "":
		if s.explain {
			s.missed(i, false, uri, s.prover(mark).node, "is of type "+typ)
		}
		return false, false
	case !asked && s.wants != nil:
		s.wants.add(uri, queryType)
	}
	if p.lastIsGlob() {
		s.missed(i, !asked, uri, nil, "does not tell its type")
		return false, false
	}
	return false, true
}

// finding is what is known of the value of a leaf.
type finding uint8

const (
	differs finding = iota // or does not show itself
	open                   // it was not asked for
	fits
)

// leafHas says whether a leaf of the node has one of the values. Those that the order does not give are not looked at.
func (s *solver) leafHas(i int, t *test, mark int) finding {
	if !s.anyGiven(t.is) {
		return fits
	}
	end := len(s.buf)
	above := s.known.nodes[string(s.buf[mark:])]
	s.buf = append(append(s.buf, '/'), t.leaf...)
	defer func() { s.buf = s.buf[:end] }()
	own := s.known.nodes[string(s.buf[mark:])]
	if own == nil && listingOf(above) == complete {
		if _, has := listed(above, t.leaf); !has {
			s.missed(i, false, s.buf[mark:], above, "is not in the list")
			return differs
		}
	}
	return s.hasValue(i, t.is, mark)
}

// anyGiven says whether the order gives one of the values, or a value that is missing is an error.
func (s *solver) anyGiven(is []template) bool {
	for k := range is {
		if _, given, err := is[k].fill(s.names, s.values, asText); given || err != nil {
			return true
		}
	}
	return false
}

// hasValue says whether the leaf at s.buf[mark:] has one of the values. None at all is any; of one that the order does
// not give it is enough that the leaf is there.
func (s *solver) hasValue(i int, is []template, mark int) finding {
	if len(is) == 0 {
		return fits
	}
	uri := s.buf[mark:]
	own := s.known.nodes[string(uri)]
	for k := range is {
		want, given, err := is[k].fill(s.names, s.values, asText)
		switch {
		case err != nil:
			s.err = err
			return differs
		case !given && (own == nil && !s.direct || presenceOf(own).there()):
			return fits
		case own == nil:
			s.want(i, uri)
			return open
		case given && presenceOf(own) == read && strings.EqualFold(strings.TrimSpace(own.Value), want):
			return fits
		}
	}
	switch presenceOf(own) {
	case read:
		if s.explain {
			s.missed(i, false, uri, own, "is "+quoted(own.Value))
		}
	case absent:
		s.missed(i, false, uri, own, "is not there")
	default:
		s.missed(i, true, uri, own, "does not show its value")
	}
	return differs
}

// want notes that a URI is to be asked for.
func (s *solver) want(i int, uri []byte) {
	if s.wants != nil {
		s.wants.add(uri, "")
	}
	s.missed(i, true, uri, nil, "was not asked for")
}

// missed notes why a need is not met.
func (s *solver) missed(i int, unknown bool, uri []byte, n *storage.Node, says string) {
	s.unknown = s.unknown || unknown
	if !s.explain || s.miss.says != "" && (i < s.miss.need || i == s.miss.need && (s.miss.unknown || !unknown)) {
		return
	}
	s.miss = miss{need: i, unknown: unknown, uri: string(uri), node: n, says: says}
}
