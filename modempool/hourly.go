package modempool

import (
	"slices"
	"time"
)

// hourly counts the pushes to each number within the last hour. What is older is forgotten.
type hourly struct {
	times map[string][]time.Time // by number, ascending
	order []sentAt               // all of them, the oldest first
}

type sentAt struct {
	number string
	at     time.Time
}

// forget drops what an hour has passed since.
func (h *hourly) forget(now time.Time) {
	n := 0
	for n < len(h.order) && !now.Before(h.order[n].at.Add(time.Hour)) {
		number := h.order[n].number
		if h.times[number] = h.times[number][1:]; len(h.times[number]) == 0 {
			delete(h.times, number)
		}
		n++
	}
	if h.order = h.order[n:]; len(h.order) == 0 {
		h.order = nil
	}
}

// until is when there is room for one more of limit; zero if there is now. What is old must be forgotten before.
func (h *hourly) until(number string, limit int) time.Time {
	times := h.times[number]
	if len(times) < limit {
		return time.Time{}
	}
	return times[len(times)-limit].Add(time.Hour)
}

// add counts a push. One that comes with an earlier time than the last counts as of that.
func (h *hourly) add(number string, now time.Time) {
	if n := len(h.order); n > 0 && now.Before(h.order[n-1].at) {
		now = h.order[n-1].at
	}
	if h.times == nil {
		h.times = make(map[string][]time.Time)
	}
	h.times[number] = append(h.times[number], now)
	h.order = append(h.order, sentAt{number, now})
}

// remove takes the last push to number back.
func (h *hourly) remove(number string) {
	times := h.times[number]
	if len(times) == 0 {
		return
	}
	if h.times[number] = times[:len(times)-1]; len(times) == 1 {
		delete(h.times, number)
	}
	for i := len(h.order) - 1; i >= 0; i-- {
		if h.order[i].number == number {
			h.order = slices.Delete(h.order, i, i+1)
			return
		}
	}
}
