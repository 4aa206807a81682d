package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dmgate/sessions"
	"dmgate/storage"
)

// walk lets a device answer what discovery asks, task by task, and returns what was asked.
func walk(t *testing.T, r *rig, dev *storage.Device, answer func(uri string) storage.Answer) (asked []string) {
	t.Helper()
	var out sessions.Outcome
	queue := r.Proved(epoch, dev, &out)
	for len(queue) > 0 {
		task := queue[0]
		queue = queue[1:]
		var answers []storage.Answer
		for i, c := range task.Commands {
			asked = append(asked, c.URI)
			a := answer(c.URI)
			a.Command = i
			answers = append(answers, a)
		}
		task.State = storage.TaskDone
		queue = append(queue, r.Answered(epoch, dev, &task, answers, true, &out)...)
		if len(asked) > 1000 {
			t.Fatal("discovery does not end")
		}
	}
	return asked
}

func value(code int, data string) storage.Answer {
	return storage.Answer{Code: code, Data: []byte(data)}
}

func TestDiscoverOpenRoot(t *testing.T) {
	r := newRig(t)
	dev := &storage.Device{ID: "d", State: storage.Delivered}
	walk(t, r, dev, func(uri string) storage.Answer {
		switch uri {
		case "./DevDetail/FwV":
			return value(200, "1.0.7")
		case "./DevDetail/OEM":
			return value(404, "")
		case ".":
			return value(200, "DevInfo/DevDetail/FUMO/SCOMO/Gone")
		case "./FUMO":
			return value(200, "State/PkgName")
		case "./FUMO?prop=Type":
			return value(200, "urn:oma:mo:oma-fumo:1.0")
		case "./SCOMO":
			return value(405, "")
		case "./Gone":
			return value(404, "")
		}
		return value(406, "")
	})
	if dev.State != storage.Discovered {
		t.Errorf("device %s", dev.State)
	}
	if _, oem := dev.Facts["OEM"]; dev.Facts["FwV"] != "1.0.7" || oem {
		t.Errorf("facts %v", dev.Facts)
	}
	want := []storage.Object{
		{URI: "./FUMO", Type: "urn:oma:mo:oma-fumo:1.0", Children: []string{"State", "PkgName"}},
		{URI: "./SCOMO"}, // it may not be read, so it is there
	}
	if fmt.Sprint(dev.Objects) != fmt.Sprint(want) {
		t.Errorf("objects %+v, want %+v", dev.Objects, want)
	}
}

// A device that keeps its root closed is asked for the places where objects are known to stand.
func TestDiscoverClosedRoot(t *testing.T) {
	for _, closed := range []storage.Answer{value(425, ""), value(405, ""), value(500, ""), value(0, ""), value(200, "")} {
		r := newRig(t)
		dev := &storage.Device{ID: "d", State: storage.Delivered}
		asked := walk(t, r, dev, func(uri string) storage.Answer {
			switch uri {
			case ".":
				return closed
			case "./SCM":
				return value(200, "Inventory/Download")
			}
			return value(404, "")
		})
		for _, p := range probes {
			if !slices.Contains(asked, p) {
				t.Errorf("root answered %d: %s was not asked for", closed.Code, p)
			}
		}
		if dev.State != storage.Discovered || len(dev.Objects) != 1 || dev.Objects[0].URI != "./SCM" {
			t.Errorf("root answered %d: device %s, objects %+v", closed.Code, dev.State, dev.Objects)
		}
	}
}

// A device that says it has a thousand nodes is not asked a thousand times; names that are none are passed over.
func TestDiscoverHostileRoot(t *testing.T) {
	r := newRig(t)
	dev := &storage.Device{ID: "d", State: storage.Delivered}
	asked := walk(t, r, dev, func(uri string) storage.Answer {
		if uri == "." {
			return value(200, strings.Repeat("//Node", 1000)+"/../..\x00/"+strings.Repeat("x", 5000))
		}
		return value(200, "")
	})
	if len(asked) > len(detailLeaves)+1+2*maxObjects {
		t.Errorf("asked %d times", len(asked))
	}
	for _, uri := range asked {
		if strings.Contains(uri, "..") || strings.Contains(uri, "\x00") || len(uri) > 300 {
			t.Errorf("asked for %.60q", uri)
		}
	}
}

// A device that is known is not asked again.
func TestDiscoveredStaysDiscovered(t *testing.T) {
	r := newRig(t)
	var out sessions.Outcome
	dev := &storage.Device{ID: "d", State: storage.Discovered}
	if tasks := r.Proved(epoch, dev, &out); len(tasks) > 0 {
		t.Errorf("%d tasks", len(tasks))
	}
}
