package handset

import "dmgate/codec/syncml"

// object is a large object that comes in, one chunk a message (section 2.2).
type object struct {
	kind syncml.Kind
	uri  string
	size int // announced with the first chunk; 0 where it was not
	data []byte
}

// collect puts the chunks of a large object together. The code is 200 where data is whole, 213 where more is to come.
func (s *session) collect(c *syncml.Command, it *syncml.Item) (data string, code int) {
	if s.object == nil && !it.MoreData {
		return string(it.Data), statusOK
	}
	size := max(it.Meta.Size, c.Meta.Size)
	if s.object == nil {
		if size == 0 {
			s.blame(RuleObject, "first chunk of %s without Size", it.Target.URI)
			if s.make.NeedsSize {
				return "", statusNoSize // trap 17
			}
		}
		if limit := s.make.MaxObjSize; limit > 0 && size > limit {
			s.blame(RuleObject, "object of %d bytes (MaxObjSize %d)", size, limit)
			return "", statusTooLarge
		}
		s.object = &object{kind: c.Kind, uri: string(it.Target.URI), size: size}
	} else if size != 0 && size != s.object.size {
		s.blame(RuleObject, "Size %d in a later chunk of an object of %d", size, s.object.size)
	}
	o := s.object
	o.data = append(o.data, it.Data...)
	if it.MoreData {
		return "", statusChunk
	}
	s.object = nil
	if o.size != 0 && o.size != len(o.data) {
		s.blame(RuleObject, "%d bytes of an object of %d", len(o.data), o.size)
		return "", statusSizeMismatch
	}
	return string(o.data), statusOK
}

// interrupted drops a large object whose end never came, and says so.
func (s *session) interrupted() {
	s.blame(RuleObject, "another command before the end of %s", s.object.uri)
	code := alertNoEndOfData
	if s.make.NeedsSize {
		code, s.aborted = alertAbort, true // S60 aborts instead (trap 17)
	}
	s.fresh = append(s.fresh, answer{kind: syncml.Alert, code: code, items: []answerItem{{target: s.object.uri}}})
	s.object = nil
}
