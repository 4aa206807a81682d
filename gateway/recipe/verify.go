package recipe

import (
	"maps"
	"strings"
	"time"

	"dmgate/storage"
)

// Locate says which nodes the way works on, as far as that depends on the order: the component with the identifier
// {software.id}, for example. It is a function of the answers so far, by the URI that was asked (see Gather): as long
// as the verdict is Pending the commands in more are to be sent, and it is called again with their answers as well.
// Done comes with all names, which are to be the way's Names from then on; so it is called once, with no answers, of
// a way that needs no such thing. Failed says that the device has no such node, or does not show it.
func (w *Way) Locate(v Values, answers map[string]storage.Answer) (more []storage.Command, names map[string]string, verdict Verdict) {
	r := w.Recipe
	more, names, verdict = w.look(r.needs[r.late:], v, answers)
	if verdict.State == Later {
		verdict.State = Failed
	}
	return more, names, verdict
}

// Verify says whether what the way was to do is to be seen on the device. As Locate it is a function of the answers
// so far; Pending says that more is to be asked. Done says that it is verified, or, with nothing asked, that there is
// nothing to be read back. Later says that it is not so, or not yet: with all answers asked anew it may be, and where
// it is not within VerifyWithin it has failed.
func (w *Way) Verify(v Values, answers map[string]storage.Answer) (more []storage.Command, verdict Verdict) {
	if !w.Verifies() {
		return nil, Verdict{State: Done, Reason: "there is nothing to be read back"}
	}
	more, _, verdict = w.look(w.Recipe.verify, v, answers)
	return more, verdict
}

// VerifyWithin is how long what was done may take to be seen.
func (w *Way) VerifyWithin() time.Duration { return w.Recipe.verifyWithin }

// Verifies says whether there is anything to be read back.
func (w *Way) Verifies() bool { return len(w.Recipe.verify) > 0 }

// maxAsked is how many nodes one task asks for.
const maxAsked = 64

// look meets needs by answers. Later says that they are not met.
func (w *Way) look(needs []need, v Values, answers map[string]storage.Answer) ([]storage.Command, map[string]string, Verdict) {
	ws := wants{most: maxAsked}
	s := solver{
		known: answered(answers), needs: needs, names: maps.Clone(w.Names), values: v.Text, most: maxComponents, wants: &ws,
		proofs: make([]proof, len(needs)), tried: make([]bool, len(needs)), explain: true,
		direct: true,
	}
	if s.names == nil {
		s.names = make(map[string]string)
	}
	if s.values == nil {
		s.values = map[string]string{}
	}
	found := s.solve(0)
	switch {
	case s.err != nil:
		return nil, nil, Verdict{State: Failed, Reason: w.Recipe.valueError(s.err).Error()}
	case len(ws.uris) > 0 && (!found || len(needs) > 0 && anyOptional(needs)):
		more := make([]storage.Command, len(ws.uris))
		for i, uri := range ws.uris {
			more[i] = storage.Command{Kind: "Get", URI: uri}
		}
		return more, nil, Verdict{State: Pending}
	case !found:
		return nil, nil, Verdict{State: Later, Reason: s.miss.uri + " " + s.miss.says}
	}
	maps.DeleteFunc(s.names, func(_, uri string) bool { return uri == "" })
	return nil, s.names, Verdict{State: Done, Reason: s.found()}
}

func anyOptional(needs []need) bool {
	for i := range needs {
		if needs[i].optional {
			return true
		}
	}
	return false
}

// found is what was seen, in words.
func (s *solver) found() string {
	for i := len(s.proofs) - 1; i >= 0; i-- {
		switch p := &s.proofs[i]; {
		case p.way == byAbsence:
			return s.described(&s.needs[i]) + " is not there"
		case p.node != nil && len(s.needs[i].is)+len(s.needs[i].where) > 0:
			return p.uri + " is as it should be"
		case p.node != nil:
			return p.uri + " is there"
		}
	}
	return ""
}

// Gather adds answers to Gets by the URI that was asked, for Locate and Verify. The parts of a large value are joined.
func Gather(into map[string]storage.Answer, commands []storage.Command, answers []storage.Answer) {
	for i := range answers {
		a := answers[i]
		if a.Command < 0 || a.Command >= len(commands) || commands[a.Command].Kind != "Get" {
			continue
		}
		uri := commands[a.Command].URI
		had, has := into[uri]
		switch {
		case has && a.Part > 1:
			had.Data = append(had.Data[:len(had.Data):len(had.Data)], a.Data...)
			had.Code, had.More = a.Code, a.More
			into[uri] = had
		case !has || len(a.Data) > 0 || len(had.Data) == 0:
			into[uri] = a
		}
	}
}

// answered is what answers by URI say of the nodes.
func answered(answers map[string]storage.Answer) *Known {
	nodes := make([]storage.Node, 0, len(answers))
	for uri, a := range answers {
		nodes = append(nodes, nodeOf(uri, &a))
	}
	return NewKnown(nil, nodes)
}

// nodeOf is what the answer to a Get says of a node. A device that does not tell the format of an interior node gives
// its children all the same: they are read both as that and as a value.
func nodeOf(uri string, a *storage.Answer) storage.Node {
	n := storage.Node{URI: uri, Code: a.Code, Format: string(a.Format), Type: string(a.Type)}
	if n.Code == 0 && len(a.Data) > 0 {
		n.Code = 200 // a value without a status
	}
	if n.Format != "node" {
		n.Value = string(a.Data)
	}
	if n.Format == "node" || n.Format == "" {
		for name := range strings.SplitSeq(string(a.Data), "/") {
			if name != "" {
				n.Children = append(n.Children, name)
			}
		}
	}
	return n
}
