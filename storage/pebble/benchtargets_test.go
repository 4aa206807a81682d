package pebble_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage"
	"dmgate/storage/pebble"
)

// BenchmarkTargets adds targets to a campaign in commits of a thousand, on a real file system, and then has them begun
// and done, which moves them in the indexes. 1,000,000 is the size of a campaign for a whole fleet.
func BenchmarkTargets(b *testing.B) {
	const page = 1000
	for _, size := range []uint64{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for range b.N {
				s, err := pebble.Open(b.TempDir(), pebble.Options{FS: vfs.Default})
				if err != nil {
					b.Fatal(err)
				}
				commit := func(c *storage.CampaignCommit) {
					if err := s.CommitCampaign(c); err != nil {
						b.Fatal(err)
					}
				}
				now := time.Unix(1_700_000_000, 0)
				commit(&storage.CampaignCommit{Campaign: "k", New: &storage.Campaign{ID: "k", State: storage.CampaignDraft}})
				targets := make([]storage.Target, page)
				start := time.Now()
				for first := uint64(1); first <= size; first += page {
					for i := range targets {
						n := first + uint64(i)
						targets[i] = storage.Target{
							Campaign: "k", Number: n, Line: n, MSISDN: fmt.Sprintf("+4917%09d", n*7919%1_000_000_007),
							IMSI: fmt.Sprintf("26201%010d", n), State: storage.TargetPending, Since: now,
						}
					}
					commit(&storage.CampaignCommit{
						Campaign: "k", Time: now, Targets: targets,
						Edit: func(c *storage.Campaign) error { c.Last += page; return nil },
					})
				}
				added := time.Since(start)
				b.ReportMetric(added.Seconds(), "s-added")
				b.ReportMetric(float64(size)/added.Seconds(), "added/s")

				moved := min(size, 100_000) // enough to tell
				start = time.Now()
				for range moved / page {
					for _, state := range []storage.TargetState{storage.TargetPending, storage.TargetBegun} {
						list, err := s.TargetsIn("k", state, now, page)
						if err != nil || len(list) != page {
							b.Fatalf("%d targets %s, %v", len(list), state, err)
						}
						for i := range list {
							list[i].State = storage.TargetBegun
							if state == storage.TargetBegun {
								list[i].State = storage.TargetDone
							}
						}
						commit(&storage.CampaignCommit{Campaign: "k", Time: now, Targets: list})
					}
				}
				b.ReportMetric(float64(2*moved)/time.Since(start).Seconds(), "moved/s")
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				b.ReportMetric(float64(mem.HeapAlloc)/(1<<20), "MiB-heap")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
