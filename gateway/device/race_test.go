//go:build race

package device

// raceDetector: sync.Pool throws things away at random under it, so that allocations can not be counted.
const raceDetector = true
