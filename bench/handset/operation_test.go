package handset

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// packages is a server that packages lie on: app-1.bin of 5000 bytes, which says that its version is 7.1, small.bin, a
// short.bin that ends too early, a broken.bin that is 500, and whatever a test adds.
type packages struct {
	url   string
	files map[string][]byte
	kinds map[string]string // Content-Type by path

	mu    sync.Mutex
	asked []string // "/app-1.bin bytes=0-1023"
}

func newPackages(t *testing.T) *packages {
	p := &packages{
		files: map[string][]byte{"/app-1.bin": bytes.Repeat([]byte("pack"), 1250), "/small.bin": []byte("small")},
		kinds: map[string]string{},
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *packages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	p.mu.Unlock()
	switch b, ok := p.files[r.URL.Path]; {
	case ok:
		if kind := p.kinds[r.URL.Path]; kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.Header().Set(headerPackageVersion, "7.1")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	case r.URL.Path == "/short.bin":
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "short")
	case r.URL.Path == "/broken.bin":
		w.WriteHeader(http.StatusInternalServerError)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// requests are what was asked for since the last time.
func (p *packages) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

// TestOperations: what an Exec leads to, in the tree and in the alert of the next session. AT stands for the package
// server's.
func TestOperations(t *testing.T) {
	packages := newPackages(t)
	rbdp := "./SCOMO/Download/RB_DP/"
	for _, test := range []struct {
		name   string
		make   *Make
		script string
		alert  string // of the second session, after "1201"
		uri    string
		value  string
	}{
		{
			"FUMO", RedBend,
			"Replace ./FUMO/PkgVersion chr 9.9\nReplace ./FUMO/DownloadAndUpdate/PkgURL chr AT/app-1.bin\n" +
				"Exec ./FUMO/DownloadAndUpdate c1",
			"1226 org.openmobilealliance.dm.firmwareupdate.downloadandupdate ./FUMO/DownloadAndUpdate=200c1",
			"./DevDetail/FwV", "9.9",
		},
		{
			"FUMO without URL", RedBend, "Exec ./FUMO/DownloadAndUpdate c1",
			"1226 org.openmobilealliance.dm.firmwareupdate.downloadandupdate ./FUMO/DownloadAndUpdate=411c1",
			"./FUMO/State", "20",
		},
		{
			"SCOMO", RedBend,
			"Replace " + rbdp + "PkgID chr com.example.sync\nReplace " + rbdp + "PkgURL chr AT/app-1.bin\n" +
				"Exec " + rbdp + "Operations/DownloadInstall c2",
			"1226 urn:oma:at:scomo:1.0:OperationComplete " + rbdp + "Operations/DownloadInstall=1200c2",
			"./SCOMO/Inventory/Deployed/C1/ID", "com.example.sync",
		},
		{
			"SCOMO remove", RedBend, "Exec ./SCOMO/Inventory/Deployed/C0/Operations/Remove c3",
			"1226 urn:oma:at:scomo:1.0:OperationComplete ./SCOMO/Inventory/Deployed/C0/Operations/Remove=1200c3",
			"./SCOMO/Inventory/Deployed", "",
		},
		{
			"SCOMO deactivate", RedBend, "Exec ./SCOMO/Inventory/Deployed/C0/Operations/Deactivate c5",
			"1226 urn:oma:at:scomo:1.0:OperationComplete ./SCOMO/Inventory/Deployed/C0/Operations/Deactivate=1200c5",
			"./SCOMO/Inventory/Deployed/C0/State", "10",
		},
		{
			"LAWMO", RedBend, "Exec ./LAWMO/Operations/PartiallyLock c4",
			"1226 urn:oma:at:lawmo:1.0:OperationComplete ./LAWMO/Operations/PartiallyLock=1200c4",
			"./LAWMO/State", "20",
		},
		{
			"SCM", S60,
			"Add ./SCM/Download/X node\nAdd ./SCM/Download/X/ID chr 0x1\nAdd ./SCM/Download/X/URI chr AT/app-1.bin\n" +
				"Add ./SCM/Download/X/Name chr Sync\nExec ./SCM/Download/X/Operations/DownloadAndInstall",
			"", "./SCM/Inventory/Deployed/C1/Name", "Sync",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTestServer(t, strings.ReplaceAll(test.script, "AT", packages.url))
			h := New(test.make, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			if last := s.statuses[len(s.statuses)-1]; !strings.HasSuffix(last, " 202") {
				t.Errorf("status %q (want 202)", last)
			}
			if v, _ := h.Lookup(test.uri); v != test.value {
				t.Errorf("%s is %q (want %q)", test.uri, v, test.value)
			}
			if !h.Ready() {
				t.Error("does not want to tell")
			}
			for range 2 { // it tells once
				s.script = nil
				if err := h.Session(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			clean(t, h)
			alerts := slices.DeleteFunc(slices.Clone(s.alerts), func(a string) bool { return a == "1201" })
			if test.alert == "" && len(alerts) > 0 || test.alert != "" && !slices.Equal(alerts, []string{test.alert}) {
				t.Errorf("alerts %q (want %q)", alerts, test.alert)
			}
		})
	}
}
