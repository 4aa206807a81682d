package pebble

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestFence puts the fence up and then changes all that can be changed: Pebble hears of success, and the disk stays
// as it was.
func TestFence(t *testing.T) {
	disk := vfs.NewMem()
	raised := make(chan struct{})
	f := newFence(disk, "db", func() { close(raised) })
	if err := disk.MkdirAll("db", 0o700); err != nil {
		t.Fatal(err)
	}
	const category = vfs.WriteCategoryUnspecified
	create := func(name string) vfs.File {
		file, err := f.Create(name, category)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	file := create("db/old")
	if _, err := file.Write([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	table := create("db/000007.sst")
	reason := errors.New("disk full")
	f.raise(reason)
	f.raise(errors.New("a later reason"))
	<-raised
	if f.err() != reason {
		t.Errorf("the fence is up because of %v, want the first reason", f.err())
	}

	if err := table.Close(); err != nil {
		t.Error(err)
	}
	if _, err := disk.Stat("db/000007.sst"); err == nil {
		t.Error("a table that was not whole takes up room")
	}
	_, err := file.Write([]byte(" and more"))
	for _, err := range []error{
		err, file.Sync(), file.SyncData(), file.Preallocate(0, 1), file.Close(),
		f.Remove("db/old"), f.RemoveAll("db/old"), f.Rename("db/old", "db/new"), f.Link("db/old", "db/link"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, open := range []func() (vfs.File, error){
		func() (vfs.File, error) { return f.Create("db/created", category) },
		func() (vfs.File, error) { return f.ReuseForWrite("db/old", "db/reused", category) },
		func() (vfs.File, error) { return f.OpenReadWrite("db/opened", category) },
		func() (vfs.File, error) { return f.OpenDir("db") },
	} {
		file, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := file.Write([]byte("lost")); n != 4 || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		if full, err := file.SyncTo(4); full || err != nil {
			t.Errorf("sync to: %v, %v", full, err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
	if names, err := disk.List("db"); err != nil || !slices.Equal(names, []string{"old"}) {
		t.Errorf("the directory holds %q, %v", names, err)
	}
	old, err := disk.Open("db/old")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(old); err != nil || string(data) != "kept" {
		t.Errorf("the file holds %q, %v", data, err)
	}

	// Other directories are none of its business.
	if err := f.MkdirAll("backup", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := create("backup/file").Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Stat("backup/file"); err != nil {
		t.Error(err)
	}
}
