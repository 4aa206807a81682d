package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"dmgate/gateway/fleet"
	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// Capabilities is what a device can do, and how.
type Capabilities struct {
	Device   storage.DeviceID `json:"device"`
	Version  string           `json:"version"` // digest of the content: the same can the same
	Rules    string           `json:"rules"`   // version of the rules it was compiled by
	Model    string           `json:"model,omitempty"`
	Compiled *time.Time       `json:"compiled,omitempty"` // when the device has said the last of it
	Complete bool             `json:"complete"`           // its tree was looked at to the end
	Short    string           `json:"short,omitempty"`    // the bound at which that was cut
	// Reference is the model whose tree stands for what the device was not asked, shown by the device ReferenceOf.
	Reference   string           `json:"reference,omitempty"`
	ReferenceOf storage.DeviceID `json:"reference_device,omitempty"`
	Message     int              `json:"message_bytes,omitempty"`
	Object      int              `json:"object_bytes,omitempty"`
	List        []Capability     `json:"capabilities"`
}

// Capability is one thing that a device can do or not.
type Capability struct {
	Name     string          `json:"name"`
	Possible recipe.Possible `json:"possible"`
	Why      string          `json:"why"`
	How      []Way           `json:"how,omitempty"` // the best way first
	Not      []Unfit         `json:"not,omitempty"`
}

// Way is how it is done.
type Way struct {
	Recipe     string            `json:"recipe"`
	Title      string            `json:"title,omitempty"`
	Confidence recipe.Confidence `json:"confidence"`
	Asks       string            `json:"asks,omitempty"`  // whether the user of the device has to do something
	Paths      map[string]string `json:"paths,omitempty"` // what the recipe's names stand for on the device
	Takes      *Takes            `json:"takes,omitempty"`
	Note       string            `json:"note,omitempty"`
	Evidence   []Evidence        `json:"evidence,omitempty"` // with ?explain
}

// Takes is what a way installs.
type Takes struct {
	Payload string   `json:"payload"` // "url" or "inline"
	Types   []string `json:"types,omitempty"`
	Max     int64    `json:"max_bytes,omitempty"`
}

// Unfit is a way that the device has not.
type Unfit struct {
	Recipe   string          `json:"recipe"`
	Possible recipe.Possible `json:"possible"`
	Why      string          `json:"why"`
	Evidence []Evidence      `json:"evidence,omitempty"` // with ?explain
}

// Evidence is what the device has said to a Get. Without a session it is what others of its model have said.
type Evidence struct {
	URI     string     `json:"uri"`
	Status  int        `json:"status"`
	Says    string     `json:"says,omitempty"`
	Session string     `json:"session,omitempty"`
	Task    uint64     `json:"task,omitempty"`
	Message uint32     `json:"message,omitempty"`
	Time    *time.Time `json:"time,omitempty"`
}

func (a *API) getCapabilities(r *request) (any, error) {
	c, err := a.fleet.Capabilities(storage.DeviceID(r.id))
	if err != nil {
		return nil, err
	}
	explain := r.QueryArgs().Has("explain")
	body, err := json.Marshal(showCapabilities(c, explain))
	if err != nil {
		return nil, err
	}
	r.writeTagged(append(body, '\n'))
	return written, nil
}

// writeTagged writes a body under an ETag that is its digest, or says that the caller has it already.
func (r *request) writeTagged(body []byte) {
	sum := sha256.Sum256(body)
	tag := fmt.Sprintf(`"%x"`, sum[:8])
	r.Response.Header.Set("ETag", tag)
	for known := range bytes.SplitSeq(r.Request.Header.Peek("If-None-Match"), []byte{','}) {
		if known = bytes.TrimPrefix(bytes.TrimSpace(known), []byte("W/")); string(known) == tag || string(known) == "*" {
			r.SetStatusCode(304)
			return
		}
	}
	r.SetStatusCode(r.status)
	r.SetContentType("application/json")
	r.SetBody(body)
}

func showCapabilities(c *fleet.Capabilities, explain bool) *Capabilities {
	out := &Capabilities{
		Device: c.Device, Version: c.Version, Rules: c.Rules, Model: c.Model, Compiled: instant(c.Compiled),
		Complete: c.Complete, Short: c.Short, Reference: c.Reference, ReferenceOf: c.ReferenceOf,
		Message: c.Message, Object: c.Object,
		List: make([]Capability, len(c.List)),
	}
	for i := range c.List {
		is := &c.List[i]
		shown := Capability{Name: is.Name, Possible: is.Possible, Why: is.Why}
		for k := range is.Ways {
			shown.How = append(shown.How, showWay(&is.Ways[k], explain))
		}
		for k := range is.Not {
			u := &is.Not[k]
			unfit := Unfit{Recipe: u.Recipe.Name, Possible: u.Possible, Why: u.Why}
			if explain && u.Evidence != nil {
				unfit.Evidence = showEvidence([]recipe.Evidence{*u.Evidence})
			}
			shown.Not = append(shown.Not, unfit)
		}
		out.List[i] = shown
	}
	return out
}

func showWay(w *recipe.Way, explain bool) Way {
	out := Way{
		Recipe: w.Recipe.Name, Title: w.Recipe.Title, Confidence: w.Confidence, Asks: w.Recipe.Asks, Paths: w.Names,
		Note: w.Recipe.Why,
	}
	if w.Takes.Payload != "" {
		out.Takes = &Takes{Payload: w.Takes.Payload, Types: w.Takes.Types, Max: w.Takes.Max}
	}
	if explain {
		out.Evidence = showEvidence(w.Evidence)
	}
	return out
}

func showEvidence(list []recipe.Evidence) []Evidence {
	out := make([]Evidence, len(list))
	for i := range list {
		e := &list[i]
		out[i] = Evidence{
			URI: e.URI, Status: e.Code, Says: e.Says, Session: e.Session, Task: e.Task, Message: e.MsgID,
			Time: instant(e.Time),
		}
	}
	return out
}

// Node is what a device has said of a node of its tree.
type Node struct {
	URI      string    `json:"uri"` // as it was asked, perhaps with a query
	Status   int       `json:"status"`
	Format   string    `json:"format,omitempty"`
	Type     string    `json:"type,omitempty"`
	Children []string  `json:"children,omitempty"`
	Value    string    `json:"value,omitempty"`
	Cut      bool      `json:"cut,omitempty"`   // there is more than is kept
	Stale    bool      `json:"stale,omitempty"` // it was said before the discovery that goes on now
	Session  string    `json:"session"`
	Task     uint64    `json:"task"`
	Message  uint32    `json:"message"`
	Time     time.Time `json:"time"`
}

// TreePage is a page of what is known of a device's tree, by URI.
type TreePage struct {
	Nodes []Node `json:"nodes"`
	Next  string `json:"next,omitempty"` // the ?after of the next page
}

func (a *API) getTree(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	d, err := a.store.Device(storage.DeviceID(r.id))
	if err != nil {
		return nil, err
	}
	nodes, err := a.store.Nodes(d.ID, string(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := TreePage{Nodes: make([]Node, len(nodes))}
	for i := range nodes {
		n := &nodes[i]
		page.Nodes[i] = Node{
			URI: n.URI, Status: n.Code, Format: n.Format, Type: n.Type, Children: n.Children, Value: n.Value, Cut: n.Cut,
			Stale: n.Time.Before(d.Walk.Begun), Session: n.Session, Task: n.Task, Message: n.MsgID, Time: n.Time,
		}
	}
	if len(nodes) == limit {
		page.Next = nodes[limit-1].URI
	}
	return page, nil
}

// Placed is an order that was placed.
type Placed struct {
	Order string `json:"order"`
}

func (a *API) discover(r *request) (any, error) {
	order, err := a.fleet.Discover(storage.DeviceID(r.id))
	if err != nil {
		return nil, err
	}
	return Placed{order}, nil
}
