package handset

import "strings"

// Statuses that a handset gives (section 2.6).
const (
	statusOK           = 200
	statusAccepted     = 202
	statusAuthOK       = 212
	statusChunk        = 213
	statusNotExecuted  = 215
	statusUndone       = 216
	statusInvalidCred  = 401
	statusNotFound     = 404
	statusNotAllowed   = 405
	statusUnsupported  = 406
	statusNoCred       = 407
	statusNoSize       = 411
	statusIncomplete   = 412
	statusTooLarge     = 413
	statusURITooLong   = 414
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
}

// reach finds the node that uri names, and the Status where it can not be reached at all.
func (c commands) reach(uri string) (path []string, query string, n *node, status int) {
	path, query, ok := c.split(uri)
	if !ok {
		return nil, query, nil, statusURITooLong
	}
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
	_, query, n, status := c.reach(uri)
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
		return value{uri, formatNode, "", n.names()}, statusOK
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

// add is Add. Parents are not made on the way: that is optional, and servers must not count on it (trap 14).
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
	parent := c.find(path[:len(path)-1])
	switch {
	case parent == nil:
		return statusNotFound
	case parent.rights&barred != 0:
		return statusDenied
	case parent.isLeaf() || parent.rights&mayAdd == 0:
		return statusNotAllowed
	}
	n := &node{name: path[len(path)-1], value: data, format: format, mime: mime, rights: all}
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
	c.put(path, n)
	return statusOK
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
