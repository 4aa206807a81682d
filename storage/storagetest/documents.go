package storagetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"dmgate/storage"
)

func testDocuments(t *testing.T, s storage.Store) {
	_, err := s.Document("limits")
	wantError(t, "never kept", err, storage.ErrNotFound)
	for _, value := range []string{"one", "", "two"} {
		if err := s.PutDocument("limits", []byte(value)); err != nil {
			t.Fatal(err)
		}
		wantSame(t, "kept", string(must(s.Document("limits"))(t)), value)
	}
	_, err = s.Document("limit")
	wantError(t, "another one", err, storage.ErrNotFound)

	for _, name := range []string{"a/2", "b/1", "a/1", "a/3", "aa"} {
		if err := s.PutDocument(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(prefix, after string, limit int, want ...string) {
		t.Helper()
		var got []string
		for _, d := range must(s.Documents(prefix, after, limit))(t) {
			wantSame(t, d.Name, string(d.Value), d.Name)
			got = append(got, d.Name)
		}
		wantSame(t, "documents of "+prefix+" after "+after, got, want)
	}
	list("a/", "", 9, "a/1", "a/2", "a/3")
	list("a/", "a/1", 1, "a/2")
	list("a/", "a/3", 9)
	list("a/", "b", 9)
	list("a/", "", 0)
	list("c/", "", 9)

	stop := errors.New("stop")
	err = s.EditDocument("a/2", func(old []byte) ([]byte, error) {
		wantSame(t, "old", string(old), "a/2")
		return []byte("changed"), stop
	})
	wantError(t, "abandoned", err, stop)
	list("a/", "", 9, "a/1", "a/2", "a/3")
	if err := s.EditDocument("a/2", func([]byte) ([]byte, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	list("a/", "", 9, "a/1", "a/3")
}

func testConcurrentDocument(t *testing.T, s storage.Store) {
	const writers, edits = 8, 20
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range edits {
				err := s.EditDocument("count", func(old []byte) ([]byte, error) {
					n, _ := strconv.Atoi(string(old))
					return fmt.Append(nil, n+1), nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	wantSame(t, "count", string(must(s.Document("count"))(t)), strconv.Itoa(writers*edits))
}
