package pebble_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"dmgate/storage"
	"dmgate/storage/pebble"
	"dmgate/storage/storagetest"
)

// TestInUse opens a store twice, in this process and in another one.
func TestInUse(t *testing.T) {
	if dir := os.Getenv("DMGATE_TEST_STORE"); dir != "" { // this is the other one
		_, err := pebble.Open(dir, pebble.Options{})
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := open(t, dir, pebble.Options{})
	_, err := pebble.Open(dir, pebble.Options{})
	if err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), dir) {
		t.Errorf("in this process: %v", err)
	}
	other := exec.Command(os.Args[0], "-test.run=^TestInUse$")
	other.Env = append(os.Environ(), "DMGATE_TEST_STORE="+dir)
	out, err := other.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte(dir+": it is in use, by another process")) {
		t.Errorf("in another process: %v, %s", err, out)
	}
	goesOn(t, s)
}

func TestOpenElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pebble.Open(file, pebble.Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file for a directory: %v", err)
	}
}

// TestPrivate checks that nobody else can look into the store: it holds passwords.
func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "store")
	open(t, dir, pebble.Options{})
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%s: %v, %v; want 0700", dir, info.Mode(), err)
	}
}

func TestBackup(t *testing.T) {
	s := open(t, t.TempDir(), pebble.Options{})
	if err := s.Commit(storagetest.FullCommit("alpha")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "backup")
	if err := s.Backup(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(numbered("later", 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(dir); err == nil {
		t.Error("a backup over another one: no error")
	}
	backup := open(t, dir, pebble.Options{})
	storagetest.WantFullCommit(t, backup, "alpha")
	if _, err := backup.Device("later"); err != storage.ErrNotFound {
		t.Errorf("a device made after the backup: %v", err)
	}
	newLedger().check(t, backup)
	goesOn(t, backup)
}

// TestBackupInside is a backup that would become part of what it saves.
func TestBackupInside(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, pebble.Options{})
	for _, to := range []string{filepath.Join(dir, "backup"), filepath.Join(dir, "a", "b"), dir} {
		if err := s.Backup(to); err == nil {
			t.Errorf("backup to %s: no error", to)
		}
	}
	goesOn(t, s)
}

// TestLog checks that what the engine says about itself reaches the log, at a level that does not disturb.
func TestLog(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	s := open(t, t.TempDir(), pebble.Options{Log: zap.New(core)})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if logs.Len() == 0 {
		t.Error("nothing was logged")
	}
	for _, line := range logs.All() {
		if line.Level > zap.InfoLevel {
			t.Errorf("%s: %s", line.Level, line.Message)
		}
	}
}
