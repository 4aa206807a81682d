package handset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// odd answers the way that packages do not: with a length that is not true, in chunks, never to the end, with a Range
// that was not asked for.
func odd(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/huge":
		w.Header().Set("Content-Length", fmt.Sprint(maxPackage+1))
	case "/chunked":
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "chunks")
	case "/stalled":
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "12345")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case "/part":
		w.Header().Set("Content-Range", "bytes 5-9/10")
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, "67890")
	case "/named":
		w.Header().Set("Content-Disposition", `attachment; filename="Sync.jad"`)
		w.Header().Set(headerPackageID, "com.example.sync")
		fmt.Fprint(w, "sync")
	case "/filename":
		w.Header().Set("Content-Disposition", `attachment; filename="Sync.jad"`)
		fmt.Fprint(w, "sync")
	}
}

func TestFetch(t *testing.T) {
	packages := newPackages(t)
	other := httptest.NewServer(http.HandlerFunc(odd))
	defer other.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	w := NewWorld(Settings{Timeout: 20 * time.Millisecond})
	defer w.Close()
	digest := func(b []byte) string {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	large := bytes.Repeat([]byte("pack"), 1250)
	for _, test := range []struct {
		url     string
		inTwo   bool
		fault   fault
		size    int
		content []byte
		id      string
	}{
		{packages.url + "/app-1.bin", false, 0, 5000, large, "app-1"},
		{packages.url + "/app-1.bin", true, 0, 5000, large, "app-1"},
		{packages.url + "/small.bin", true, 0, 5, []byte("small"), "small"},
		{other.URL + "/named", true, 0, 4, []byte("sync"), "com.example.sync"}, // no Range: 200, all of it
		{other.URL + "/filename", false, 0, 4, []byte("sync"), "Sync"},
		{other.URL + "/chunked", false, 0, 6, []byte("chunks"), "chunked"},
		{url: "dl.example/app", fault: badURL},
		{url: "", fault: badURL},
		{url: gone.URL + "/x", fault: unreachable},
		{url: packages.url + "/gone", fault: missing},
		{url: packages.url + "/broken.bin", fault: refused},
		{url: packages.url + "/short.bin", fault: cutShort},
		{url: other.URL + "/stalled", fault: cutShort},
		{url: other.URL + "/huge", fault: tooLarge},
		{url: other.URL + "/part", inTwo: true, fault: cutShort},
		{url: other.URL + "/part", fault: refused},
	} {
		d, f := w.fetch(t.Context(), test.url, test.inTwo)
		if f != test.fault {
			t.Errorf("%s: %v (want %v)", test.url, f, test.fault)
		}
		if d == nil || f != 0 {
			continue
		}
		if d.size != test.size || d.digest != digest(test.content) || d.id != test.id {
			t.Errorf("%s: %+v (want %d bytes, %s)", test.url, d, test.size, test.id)
		}
	}
	want := []string{"/app-1.bin", "/app-1.bin bytes=0-1023", "/app-1.bin bytes=1024-4999", "/small.bin bytes=0-1023"}
	if got := packages.requests()[:4]; !slices.Equal(got, want) {
		t.Errorf("asked for %q (want %q)", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, f := w.fetch(ctx, packages.url+"/small.bin", false); f != unreachable {
		t.Errorf("with a context that has ended: %v", f)
	}
}

// TestNoFetch: where nobody is to be asked, what would be asked for counts as fetched.
func TestNoFetch(t *testing.T) {
	packages := newPackages(t)
	w := NewWorld(Settings{NoFetch: true})
	defer w.Close()
	const update = "./FUMO/DownloadAndUpdate"
	s := newTestServer(t, "Replace "+update+"/PkgURL chr "+packages.url+"/gone\nExec "+update)
	h := New(LDM, NewIdentity(7, 1), Temper{}, w)
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, _ := h.Lookup("./FUMO/State"); v != fumoUpdated || len(packages.requests()) > 0 {
		t.Errorf("State %s, asked for %q", v, packages.asked)
	}
}

// TestWhileItDownloads: the handset is busy, and an access point that comes by SMS meanwhile stands in the tree beside
// what was downloaded.
func TestWhileItDownloads(t *testing.T) {
	var h *Handset
	arrived := 0
	packages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived++
		if err := h.Session(r.Context()); err != ErrBusy {
			t.Errorf("a session beside the download: %v", err)
		}
		if err := h.OpenLinks(r.Context()); err != ErrBusy {
			t.Errorf("links beside the download: %v", err)
		}
		provision(t, h, pointDocument("N7", "ims"))
		fmt.Fprint(w, "package")
	}))
	defer packages.Close()
	const x = "./SCOMO/Download/X"
	s := newTestServer(t, "Add "+x+" node \nAdd "+x+"/PkgID chr a\nAdd "+x+"/PkgURL chr "+packages.URL+
		"\nExec "+x+"/Operations/DownloadInstall")
	h = New(S60SCOMO, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	for uri, want := range map[string]string{
		"./SCOMO/Inventory/Deployed": "C0/C1", "./NAP": "NAPId001/NAPId002", "./NAP/NAPId002/Addr": "ims",
	} {
		if v, _ := h.Lookup(uri); v != want {
			t.Errorf("%s is %q (want %q)", uri, v, want)
		}
	}
	if arrived != 1 {
		t.Errorf("%d downloads", arrived)
	}
}
