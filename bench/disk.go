package main

import (
	"os"
	"path/filepath"
	"time"
)

// syncTimes are the milliseconds that each of n small writes takes until the disk has it: what a commit waits for.
func syncTimes(folder string, n int) ([]float64, error) {
	f, err := os.Create(filepath.Join(folder, "sync"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var times []float64
	for range n {
		start := time.Now()
		if _, err := f.Write(make([]byte, 512)); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		times = append(times, ms(time.Since(start)))
	}
	return times, nil
}
