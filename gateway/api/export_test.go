package api

import "time"

// SetLineWithin changes how long a client may take for one line of a file of targets.
func (a *API) SetLineWithin(d time.Duration) { a.lineWithin = d }
