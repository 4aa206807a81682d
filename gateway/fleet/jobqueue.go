package fleet

import (
	"cmp"

	"dmgate/storage"
)

// Jobs of one device that can not run side by side.
//
//	lock, unlock, wipe                     wait for no other, and for each other in the order in which they were placed
//	install, update, remove, activate,     wait for each other until the one before has come to its end; where it waits for
//	deactivate, firmware                   its user to download something, those of other packages go on
//	account, access-point, certificate     wait for one of the same kind
//	notify, task, discover                 wait for none
//
// Of those that wait the one with the lowest priority number goes first, then the oldest.

// jobClass says with which other jobs of its device a job can not run.
type jobClass uint8

const (
	classBeside   jobClass = iota // none
	classUrgent                   // others like it
	classSoftware                 // others that change software
	classSettings                 // those of the same kind
)

// conflict says whether two jobs of a device can not run side by side, the first one being under way.
func conflict(running, waiting *storage.Job) bool {
	class := jobKinds[waiting.Kind].class
	switch {
	case class != jobKinds[running.Kind].class || class == classBeside:
		return false
	case class == classSettings:
		return running.Kind == waiting.Kind
	case running.State == storage.JobAwaitsDownload || running.State == storage.JobDownloaded:
		return running.What.Package == waiting.What.Package
	}
	return true
}

// ahead is the job that has to end before j can begin; empty where none has to. j is queued, or new.
func ahead(jobs []storage.Job, j *storage.Job) string {
	for i := range jobs {
		o := &jobs[i]
		if o.ID == j.ID || !o.State.Open() || !conflict(o, j) {
			continue
		}
		begun := o.State != storage.JobQueued
		if begun || before(o, j) < 0 {
			return o.ID
		}
	}
	return ""
}

// before compares two jobs by who goes first.
func before(a, b *storage.Job) int {
	urgent := func(j *storage.Job) int {
		if jobKinds[j.Kind].class == classUrgent {
			return 0
		}
		return 1
	}
	return cmp.Or(urgent(a)-urgent(b), cmp.Compare(a.What.Priority, b.What.Priority), cmp.Compare(a.Number, b.Number))
}
