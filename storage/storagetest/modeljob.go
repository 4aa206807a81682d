package storagetest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// editedJobs are the jobs of c with its edits carried out, and what the feed says of them.
func (m *model) editedJobs(c *storage.Commit) (map[row[string]]storage.Job, []storage.FeedEntry, error) {
	jobs := map[row[string]]storage.Job{}
	var news []storage.FeedEntry
	put := func(was, is storage.Job) {
		if was.State != is.State {
			news = append(news, storage.FeedEntry{Kind: "job", Order: is.ID, Status: string(is.State), Text: is.Reason})
		}
		jobs[row[string]{c.Device, is.ID}] = is
	}
	for _, j := range c.Jobs {
		if _, found := m.jobs[row[string]{c.Device, j.ID}]; found {
			return nil, nil, storage.ErrExists
		}
		put(storage.Job{}, j)
	}
	for _, e := range c.JobEdits {
		key := row[string]{c.Device, e.ID}
		was, found := jobs[key]
		if !found {
			if was, found = m.jobs[key]; !found {
				return nil, nil, storage.ErrNotFound
			}
		}
		is := was
		is.Steps = slices.Clone(was.Steps)
		if err := e.Edit(&is); err != nil {
			return nil, nil, err
		}
		is.Changed++
		put(was, is)
	}
	return jobs, news, nil
}

func (m *model) nodesOf(dev storage.DeviceID, after string, limit int) []storage.Node {
	return pick(m.nodes, limit, func(n storage.Node) bool { return n.Device == dev && n.URI > after },
		func(a, b storage.Node) int { return cmp.Compare(a.URI, b.URI) })
}

func (m *model) jobsOf(dev storage.DeviceID) []storage.Job {
	return pick(m.jobs, len(m.jobs), func(j storage.Job) bool { return j.Device == dev },
		func(a, b storage.Job) int { return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID)) })
}

func byRef(a, b storage.JobRef) int {
	return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Device, b.Device), cmp.Compare(a.ID, b.ID))
}

func (m *model) jobsDue(now time.Time, behind storage.JobRef, limit int) []storage.JobRef {
	var open []storage.JobRef
	for _, j := range m.jobs {
		ref := storage.JobRef{Until: j.Wait.Until, Device: j.Device, ID: j.ID}
		if j.State.Open() && !j.Wait.Until.After(now) && (behind.ID == "" || byRef(ref, behind) > 0) {
			open = append(open, ref)
		}
	}
	slices.SortFunc(open, byRef)
	return open[:min(limit, len(open))]
}

func (m *model) document(name string) ([]byte, error) {
	value, found := m.documents[name]
	if !found {
		return nil, storage.ErrNotFound
	}
	return []byte(value), nil
}

func (m *model) documentsAfter(prefix, after string, limit int) (list []storage.Document) {
	all := make(map[string]storage.Document)
	for name, value := range m.documents {
		all[name] = storage.Document{Name: name, Value: []byte(value)}
	}
	return pick(all, limit, func(d storage.Document) bool {
		return strings.HasPrefix(d.Name, prefix) && (after == "" || d.Name > after)
	}, func(a, b storage.Document) int { return cmp.Compare(a.Name, b.Name) })
}

var jobStates = []storage.JobState{storage.JobQueued, storage.JobInstalling, storage.JobMarked, storage.JobFailed}

func drawURI(t *rapid.T) string {
	return rapid.SampledFrom([]string{".", "./A", "./A/B", "./B"}).Draw(t, "URI")
}

func randomNodes(t *rapid.T, id storage.DeviceID) []storage.Node {
	return drawSome(t, "nodes", func(t *rapid.T) storage.Node {
		return storage.Node{Device: id, URI: drawURI(t), Value: drawName(t), Time: drawTime(t)}
	})
}

// randomJobs are new jobs, no two with one ID.
func randomJobs(t *rapid.T, id storage.DeviceID) []storage.Job {
	jobs := drawSome(t, "jobs", func(t *rapid.T) storage.Job {
		return storage.Job{
			ID: rapid.StringMatching("j[a-f]").Draw(t, "job"), Device: id, Number: drawID(t), Reason: drawName(t),
			State: rapid.SampledFrom(jobStates).Draw(t, "job state"), Wait: storage.Wait{Until: drawTime(t)},
		}
	})
	if len(jobs) == 2 && jobs[0].ID == jobs[1].ID {
		return jobs[:1]
	}
	return jobs
}

func randomJobEdits(t *rapid.T, jobs []storage.Job) []storage.JobEdit {
	return drawSome(t, "job edits", func(t *rapid.T) storage.JobEdit {
		id := rapid.StringMatching("j[a-f]").Draw(t, "job")
		if len(jobs) > 0 && rapid.Bool().Draw(t, "of this commit") {
			id = jobs[0].ID
		}
		state, reason, until := rapid.SampledFrom(jobStates).Draw(t, "job state"), drawName(t), drawTime(t)
		return storage.JobEdit{ID: id, Edit: func(j *storage.Job) error {
			if reason == "n4" {
				return errAbandoned
			}
			j.Enter(state, until, reason, storage.Wait{For: "it", Until: until})
			return nil
		}}
	})
}

// randomDocument puts, edits or removes a document of both.
func randomDocument(t *rapid.T, s storage.Store, m *model) {
	name, value := drawDocument(t), drawName(t)
	var err error
	switch rapid.SampledFrom([]string{"put", "append", "remove", "abandon"}).Draw(t, "document edit") {
	case "put":
		err = s.PutDocument(name, []byte(value))
		m.documents[name] = value
	case "append":
		err = s.EditDocument(name, func(old []byte) ([]byte, error) { return append(append([]byte{}, old...), value...), nil })
		m.documents[name] += value
	case "remove":
		err = s.EditDocument(name, func([]byte) ([]byte, error) { return nil, nil })
		delete(m.documents, name)
	case "abandon":
		if err = s.EditDocument(name, func([]byte) ([]byte, error) { return []byte("?"), errAbandoned }); err == errAbandoned {
			err = nil
		}
	}
	if err != nil {
		t.Fatalf("document %q: %v", name, err)
	}
}

func drawDocument(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "a/", "a/1", "a/2", "b/1"}).Draw(t, "document")
}

func compareJobs(t *rapid.T, s storage.Store, m *model) {
	id, limit, now, uri, name := drawDevice(t), drawLimit(t), drawTime(t), drawURI(t), drawDocument(t)
	compare[[]storage.Node](t, "Nodes")(s.Nodes(id, uri, limit))(m.nodesOf(id, uri, limit), nil)
	compare[[]storage.Job](t, "Jobs")(s.Jobs(id))(m.jobsOf(id), nil)
	compare[*storage.Job](t, "Job")(s.Job(id, "ja"))(find(m.jobs, row[string]{id, "ja"}))
	all := m.jobsDue(now, storage.JobRef{}, 99)
	compare[[]storage.JobRef](t, "JobsDue")(s.JobsDue(now, storage.JobRef{}, limit))(all[:min(limit, len(all))], nil)
	if len(all) > 0 {
		compare[[]storage.JobRef](t, "JobsDue behind")(s.JobsDue(now, all[0], limit))(m.jobsDue(now, all[0], limit), nil)
	}
	compare[[]byte](t, "Document")(s.Document(name))(m.document(name))
	compare[[]storage.Document](t, "Documents")(s.Documents(name, "a/1", limit))(m.documentsAfter(name, "a/1", limit), nil)
}
