package handset

import (
	"net/url"
	"strings"
)

// Statuses that a handset gives (section 2.6).
const (
	statusOK           = 200
	statusAccepted     = 202
	statusAuthOK       = 212
	statusChunk        = 213
	statusNotExecuted  = 215
	statusUndone       = 216
	statusBadRequest   = 400
	statusInvalidCred  = 401
	statusNotFound     = 404
	statusNotAllowed   = 405
	statusUnsupported  = 406
	statusNoCred       = 407
	statusNoSize       = 411
	statusIncomplete   = 412
	statusTooLarge     = 413
	statusURITooLong   = 414
	statusFormat       = 415
	statusExists       = 418
	statusSizeMismatch = 424
	statusDenied       = 425
	statusFailed       = 500
	statusAtomicFailed = 507
	statusNotUndone    = 516
)

// A value is one Item of a Results: what stands at a URI.
type value struct{ uri, format, mime, data string }

// commands carries out tree commands by the rules of one make.
type commands struct {
	*tree
	uriLimits
	list       int  // status of a Get with ?list=; old clients have their own (trap 15)
	properties bool // ?prop= works for the mandatory properties; else 406
	escapes    bool // see Make
	implicit   bool
	closed     bool
}

// commands are those of make m on t.
func (m *Make) commands(t *tree) commands {
	return commands{
		tree: t, uriLimits: m.limits, list: m.list, properties: m.properties, escapes: m.escapes, implicit: m.implicit,
		closed: m.closed,
	}
}

// reach finds the node that uri names, and the Status where it can not be reached at all.
func (c commands) reach(uri string) (path []string, query string, n *node, status int) {
	if strings.HasPrefix(uri, "/") {
		return nil, "", nil, statusBadRequest // trap 23
	}
	path, query, ok := c.split(uri)
	if !ok {
		return nil, query, nil, statusURITooLong
	}
	if c.escapes {
		for i, name := range path {
			if plain, err := url.PathUnescape(name); err == nil {
				path[i] = plain
			}
		}
	}
	path = c.resolve(path)
	if n = c.find(path); n == nil {
		return path, query, nil, statusNotFound
	}
	if n.rights&barred != 0 {
		return path, query, n, statusDenied
	}
	return path, query, n, 0
}

// get is Get: a leaf's value, an interior node's children or a property (section 2.5).
func (c commands) get(uri string) (value, int) {
	path, query, n, status := c.reach(uri)
	if c.closed && (n == nil || !n.isLeaf() || path[0] != "DevInfo" && path[0] != "DevDetail") {
		return value{}, statusDenied
	}
	if strings.HasPrefix(query, "list=") {
		return value{}, c.list
	}
	if status != 0 {
		return value{}, status
	}
	if prop, ok := strings.CutPrefix(query, "prop="); ok {
		return c.property(uri, n, prop)
	}
	switch {
	case query != "":
		return value{}, statusUnsupported
	case n.rights&mayGet == 0:
		return value{}, statusNotAllowed
	case !n.isLeaf():
		return value{uri, formatNode, "", n.list(c.escapes)}, statusOK
	}
	return value{uri, n.format, n.mime, n.value}, statusOK
}

func (c commands) property(uri string, n *node, prop string) (value, int) {
	if !c.properties {
		return value{}, statusUnsupported
	}
	v := value{uri: uri, format: formatChr, mime: plainText}
	switch prop {
	case "ACL":
		v.data = "Get=*"
		if n.rights&all == all {
			v.data = "Add=*&Delete=*&Get=*&Replace=*"
		}
	case "Format":
		v.data = n.format
	case "Name":
		v.data = n.name
	case "Type":
		v.data = n.mime
	default:
		return value{}, statusUnsupported
	}
	return v, statusOK
}

// add is Add. Few clients make the parents on the way: that is optional, and servers must not count on it (trap 14).
func (c commands) add(uri, format, mime, data string) int {
	path, query, _, status := c.reach(uri)
	switch {
	case status == 0:
		return statusExists
	case status != statusNotFound:
		return status
	case query != "" || len(path) == 0:
		return statusNotAllowed
	}
	root := c.root
	for i := 1; i < len(path) && c.implicit; i++ {
		if c.find(path[:i]) == nil {
			if code := c.addOne(path[:i], formatNode, "", ""); code != statusOK {
				c.root = root
				return code
			}
		}
	}
	code := c.addOne(path, format, mime, data)
	if code != statusOK {
		c.root = root
	}
	return code
}

// addOne is Add of a node whose parents are there.
func (c commands) addOne(path []string, format, mime, data string) int {
	name := path[len(path)-1]
	parent := c.find(path[:len(path)-1])
	switch {
	case parent == nil:
		return statusNotFound
	case parent.rights&barred != 0:
		return statusDenied
	case parent.isLeaf() || parent.rights&mayAdd == 0:
		return statusNotAllowed
	}
	n := &node{name: name, value: data, format: format, mime: mime, rights: all}
	if parent.shape != nil {
		shape := parent.shape.child(name)
		if shape == nil {
			shape = parent.shape.child("")
		}
		if shape == nil {
			return statusNotAllowed
		}
		if code := n.form(shape); code != statusOK {
			return code
		}
	}
	if format == formatNode {
		n.value = ""
		if parent.seed != nil {
			n.kids = parent.seed.kids
		}
	} else if n.format == "" {
		n.format = formatChr
	}
	if n.isLeaf() && n.mime == "" {
		n.mime = plainText
	}
	if parent.names != "" {
		n.name = parent.free(parent.names, 1)
		c.give(path, n.name)
		path = join(path[:len(path)-1], n.name)
	}
	c.put(path, n)
	return statusOK
}

// form makes n, which is being added, what shape says that it is.
func (n *node) form(shape *node) int {
	if shape.isLeaf() != n.isLeaf() {
		return statusFormat
	}
	if shape.check != nil {
		if code := shape.check(n.value); code != 0 {
			return code
		}
	}
	n.rights = shape.rights | mayDelete
	n.exec = shape.exec
	if n.isLeaf() {
		n.format = shape.format
	} else if shape.shape != nil {
		n.shape = shape.shape
	}
	return statusOK
}

// give keeps the name that the handset has given to what the server called path.
func (t *tree) give(path []string, name string) {
	if t.given == nil {
		t.given = make(map[string]string)
	}
	t.given[strings.Join(path, "/")] = name
}

// replace is Replace. It never creates (trap 13).
func (c commands) replace(uri, data string) int {
	path, query, n, status := c.reach(uri)
	switch {
	case status != 0:
		return status
	case query != "":
		return statusUnsupported // changing properties is beyond these handsets
	case !n.isLeaf() || n.rights&mayReplace == 0:
		return statusNotAllowed
	}
	c.set(path, data)
	return statusOK
}

// remove is Delete.
func (c commands) remove(uri string) int {
	path, query, n, status := c.reach(uri)
	switch {
	case status != 0:
		return status
	case query != "" || len(path) == 0 || n.rights&mayDelete == 0:
		return statusNotAllowed
	}
	c.put(path, nil)
	return statusOK
}

// execute is Exec. The operation itself runs after the session; the caller keeps what is returned for then.
func (c commands) execute(uri string) (path []string, op *operation, status int) {
	path, query, n, status := c.reach(uri)
	switch {
	case status != 0:
		return nil, nil, status
	case query != "" || n.rights&mayExec == 0:
		return nil, nil, statusNotAllowed
	}
	return path, n.exec, n.exec.status
}
