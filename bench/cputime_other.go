//go:build !unix

package main

import (
	"runtime/metrics"
	"time"
)

// cpuTime is the processor time that collections have taken, as the runtime guesses it: on a busy machine it counts the
// time that others took as well.
func cpuTime() time.Duration {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	return time.Duration(sample[0].Value.Float64() * float64(time.Second))
}
