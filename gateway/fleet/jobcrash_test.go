package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/storage"
)

// Whatever commit of the engine or of a session is lost, or is kept and not acknowledged: each job comes to the end that
// it comes to without, once, and the device is told to do nothing twice.
func TestJobsKilledAnywhere(t *testing.T) {
	for _, c := range []struct {
		name string
		make *handset.Make
		want string
	}{
		{"install, and remove what was installed", handset.RedBend, "install#1 installed, remove#2 installed, lock#3 installed; " +
			"Exec ./LAWMO/Operations/FullyLock 1, Exec ./SCOMO/Download/RB_DP/Operations/DownloadInstall 1, " +
			"Exec ./SCOMO/Inventory/Deployed/C1/Operations/Remove 1; ends 3, bootstraps 1"},
		{"no alert", handset.Silent, "install#1 installed, remove#2 installed, lock#3 installed; " +
			"Exec ./LAWMO/Operations/FullyLock 1, Exec ./SCOMO/Download/RB_DP/Operations/DownloadInstall 1, " +
			"Exec ./SCOMO/Inventory/Deployed/C1/Operations/Remove 1; ends 3, bootstraps 1"},
		{"nothing to install by", handset.Closed, "install#1 marked-for-installation, remove#2 failed, lock#3 failed; ; " +
			"ends 3, bootstraps 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			truth, _ := jobsKilledAt(t, c.make, 0, false)
			if truth != c.want {
				t.Fatalf("without a crash: %s, want %s", truth, c.want)
			}
			kills := 0
			for _, kept := range []bool{false, true} {
				for n, more := 1, true; more; n++ {
					var got string
					if got, more = jobsKilledAt(t, c.make, n, kept); got != truth {
						t.Fatalf("killed at commit %d (kept: %v): %s, want %s", n, kept, got, truth)
					}
					kills++
				}
			}
			t.Logf("killed %d times", kills)
		})
	}
}

// jobsKilledAt lives through three jobs of a device of which commit n is lost, or kept and not acknowledged. more says
// that there were so many.
func jobsKilledAt(t *testing.T, m *handset.Make, n int, kept bool) (result string, more bool) {
	w := newJobWorld(t, m)
	p, _, err := w.AddPackage("", storage.Package{
		Name: "client", Version: "2.1", Enabled: true, Software: "com.example.client", Params: "version=2.1",
		File: storage.File{Type: "application/octet-stream"},
	})
	w.must(err)
	_, err = w.SetPackageFile(p.ID, strings.Repeat("ab", 32), 100)
	w.must(err)
	w.store.failAt, w.store.kept = n, kept
	w.pin = w.order(JobOrder{ID: "1", Kind: jobInstall, Package: "client", Fallback: []string{linkSI, linkSMS, wayMark}})
	w.order(JobOrder{ID: "2", Kind: jobRemove, Package: "client"})
	w.order(JobOrder{ID: "3", Kind: jobLock})
	w.pass(3*time.Hour, 10*time.Minute)
	w.pass(12*24*time.Hour, 24*time.Hour)
	return w.result(), n > 0 && w.store.failAt == 0
}

// order places a job, as often as it takes, and returns the PIN.
func (w *jobWorld) order(o JobOrder) string {
	w.t.Helper()
	o.Device = w.dev
	for range 3 {
		w.store.arm(true)
		placed, err := w.PlaceJob(o)
		w.store.arm(false)
		w.store.mend()
		if err == nil {
			return placed.PIN
		}
	}
	w.t.Fatalf("job %s can not be placed", o.ID)
	return ""
}

// result is what has become of all jobs.
func (w *jobWorld) result() string {
	w.t.Helper()
	jobs, err := w.store.Jobs(w.dev)
	w.must(err)
	var states, execs []string
	for i := range jobs {
		j := &jobs[i]
		states = append(states, w.name(j.ID)+" "+string(j.State))
		o, err := w.store.Order(w.dev, j.ID)
		w.must(err)
		if done := o.State == storage.OrderDone; o.State == storage.OrderOpen || done != (j.State == storage.JobDone) {
			w.t.Errorf("%s is %s, its order %s", w.name(j.ID), j.State, o.State)
		}
	}
	for _, uri := range slices.Sorted(maps.Keys(w.execs)) {
		execs = append(execs, fmt.Sprintf("Exec %s %d", uri, w.execs[uri]))
	}
	ends := 0
	for _, n := range w.ends() {
		ends += n
	}
	open, err := w.store.OpenTasks(w.dev, 0, 100)
	w.must(err)
	for i := range open {
		w.t.Errorf("task %s is left over: %s", tell(open[i].Commands), open[i].Reason)
	}
	return fmt.Sprintf("%s; %s; ends %d, bootstraps %d", strings.Join(states, ", "), strings.Join(execs, ", "), ends,
		w.sent[kindBootstrap])
}
