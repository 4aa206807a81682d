package fleet

import (
	"errors"
	"math"
	"time"

	"dmgate/storage"
)

const (
	// ticketKept is how long a ticket is kept after it has expired: until then its link is answered by 410, not 404.
	ticketKept = 7 * 24 * time.Hour
	// packageKept is the least time for which a package that was deleted is kept: a job that has just chosen it may
	// not be in the store yet.
	packageKept = time.Hour
)

// SweepCatalogue removes tickets that have long expired, and packages that were deleted and that no open job uses any
// more. It returns the files that are still used, by their SHA-256: those of packages and of tickets that are left.
func (f *Fleet) SweepCatalogue(now time.Time) (used map[string]bool, err error) {
	used = make(map[string]bool)
	if err := f.sweepTickets(now, used); err != nil {
		return nil, err
	}
	var removed []string
	err = f.eachPackage(func(p *storage.Package) error {
		if !p.Removed.IsZero() && now.Sub(p.Removed) >= packageKept {
			removed = append(removed, p.ID)
		}
		used[p.File.SHA256] = true
		return nil
	})
	if err != nil || len(removed) == 0 {
		return used, err
	}
	chosen, err := f.chosenPackages()
	if err != nil {
		return nil, err
	}
	for _, id := range removed {
		if chosen[id] {
			continue
		}
		if err := f.store.EditDocument(storage.PackageDocument+id, forget); err != nil {
			return nil, err
		}
	}
	return used, nil // the files of those that went go the next time
}

func forget([]byte) ([]byte, error) { return nil, nil }

func (f *Fleet) sweepTickets(now time.Time, used map[string]bool) error {
	after := ""
	for {
		page, err := f.store.Documents(storage.TicketDocument, after, catalogPage)
		if err != nil {
			return err
		}
		for i := range page {
			after = page[i].Name
			var t storage.Ticket
			if err := storage.ReadRecord(page[i].Value, &t); err != nil {
				return err
			}
			if now.Sub(t.Expires) < ticketKept {
				used[t.File.SHA256] = true
				continue
			}
			if err := f.store.EditDocument(after, forget); err != nil {
				return err
			}
		}
		if len(page) < catalogPage {
			return nil
		}
	}
}

// chosenPackages are the packages that open jobs have chosen. It reads every open job, so it is called only where a
// package is to go.
func (f *Fleet) chosenPackages() (map[string]bool, error) {
	chosen := make(map[string]bool)
	var behind storage.JobRef
	for {
		page, err := f.store.JobsDue(time.Unix(0, math.MaxInt64), behind, catalogPage)
		if err != nil {
			return nil, err
		}
		for _, ref := range page {
			behind = ref
			job, err := f.store.Job(ref.Device, ref.ID)
			if errors.Is(err, storage.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			chosen[job.What.Chosen] = true
		}
		if len(page) < catalogPage {
			return chosen, nil
		}
	}
}
