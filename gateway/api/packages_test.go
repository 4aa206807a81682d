package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dmgate/gateway/api"
)

// pack puts a package into the catalogue.
func (r *rig) pack(body string) api.Package {
	r.t.Helper()
	var p api.Package
	r.want(r.call("POST", "/v1/packages", body), 201, &p)
	return p
}

// putFile puts the file of a package.
func (r *rig) putFile(id string, body io.Reader, header ...string) reply {
	r.t.Helper()
	req, err := http.NewRequest("PUT", r.base+"/v1/packages/"+id+"/file", body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// kept are the files that there are.
func (r *rig) kept() string {
	r.t.Helper()
	entries, err := os.ReadDir(r.folder)
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestPackages(t *testing.T) {
	r := newRig(t)
	body := `{"key":"k1","name":"mail","version":"1.10","title":"Mail","client":true,"type":"application/vnd.symbian.install",
		"file_name":"mail.sis","software":"0x2001","params":"-q","values":{"install.silent":"yes"},"recipes":["scomo-*"],
		"rules":[{"fact":"Man","is":["Nokia"]},{"fact":"FwV","from":"20","before":"40"}]}`
	p := r.pack(body)
	if p.ID == "" || !p.Enabled || p.Available || p.Uploaded != nil || len(p.Rules) != 2 || p.Rules[1].Before != "40" ||
		p.Values["install.silent"] != "yes" || p.Software != "0x2001" || p.Recipes[0] != "scomo-*" || !p.Client {
		t.Errorf("%+v", p)
	}
	var again api.Package
	r.want(r.call("POST", "/v1/packages", body), 200, &again)
	if again.ID != p.ID {
		t.Errorf("the same key: %s, want %s", again.ID, p.ID)
	}
	id := p.ID
	p = api.Package{}
	r.want(r.call("PATCH", "/v1/packages/"+id, `{"enabled":false,"rules":[],"title":"Mail 2"}`), 200, &p)
	if p.Enabled || len(p.Rules) != 0 || p.Title != "Mail 2" || p.Params != "-q" {
		t.Errorf("%+v", p)
	}
	other := r.pack(`{"name":"mail","version":"2","type":"a/b","url":"https://files.test/mail2","size":7,"sha256":"` +
		strings.Repeat("ab", 32) + `"}`)
	if !other.Available {
		t.Errorf("%+v", other)
	}
	var page api.PackagePage
	r.get("/v1/packages?limit=1", &page)
	if len(page.Packages) != 1 || page.Next == "" {
		t.Fatalf("%+v", page)
	}
	first := page.Packages[0].ID
	page = api.PackagePage{}
	r.get("/v1/packages?limit=5&after="+first, &page)
	if len(page.Packages) != 1 || page.Next != "" || page.Packages[0].ID == first {
		t.Errorf("%+v", page)
	}
	r.want(r.call("DELETE", "/v1/packages/"+p.ID, ""), 200, &p)
	if p.Removed == nil {
		t.Errorf("%+v", p)
	}
	r.refused(r.call("PATCH", "/v1/packages/"+p.ID, `{"enabled":true}`), 404)
	r.refused(r.call("GET", "/v1/packages/nothing", ""), 404)
	r.refused(r.call("DELETE", "/v1/packages/nothing", ""), 404)
	r.refused(r.putFile("nothing", strings.NewReader("x")), 404)
	for _, c := range []struct{ body, field string }{
		{`{"name":"","version":"1","type":"a/b"}`, "name"},
		{`{"name":"../x","version":"1","type":"a/b"}`, "name"},
		{`{"name":"x","version":"","type":"a/b"}`, "version"},
		{`{"name":"x","version":"1\n2","type":"a/b"}`, "version"},
		{`{"name":"x","version":"1","type":""}`, "type"},
		{`{"name":"x","version":"1","type":"a/b\r\nX: y"}`, "type"},
		{`{"name":"x","version":"1","type":"a/b","sha256":"AB"}`, "sha256"},
		{`{"name":"x","version":"1","type":"a/b","size":-1}`, "size"},
		{`{"name":"x","version":"1","type":"a/b","url":"ftp://x/"}`, "url"},
		{`{"name":"x","version":"1","type":"a/b","file_name":"../x"}`, "file_name"},
		{`{"name":"x","version":"1","type":"a/b","rules":[{"fact":"Man"},{"fact":"a b"}]}`, "rules[1].fact"},
		{`{"name":"x","version":"1","type":"a/b","rules":[{"fact":"Man","is":[""]}]}`, "rules[0].is"},
		{`{"name":"x","version":"1","type":"a/b","values":{"A B":"x"}}`, "values"},
		{`{"name":"x","version":"1","type":"a/b","colour":"red"}`, "colour"},
	} {
		status := 422
		if c.field == "colour" {
			status = 400
		}
		if got := r.refused(r.call("POST", "/v1/packages", c.body), status); got.Field != c.field {
			t.Errorf("%s: field %q, want %q: %s", c.body, got.Field, c.field, got.Detail)
		}
	}
}

func TestUploadOfAPackage(t *testing.T) {
	r := newRig(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 400_000) // 6.4 MB: more than any other body may have
	sum := sha256.Sum256(data)
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	name := hex.EncodeToString(sum[:])
	p := r.pack(fmt.Sprintf(`{"name":"mail","version":"1","type":"a/b","sha256":%q,"size":%d}`, name, len(data)))
	loose := r.pack(`{"name":"mail","version":"2","type":"a/b"}`)
	linked := r.pack(`{"name":"mail","version":"3","type":"a/b","url":"http://x.test/"}`)
	wrong := append(bytes.Clone(data[:len(data)-1]), 'x')
	for _, c := range []struct {
		what          string
		id            string
		body          io.Reader
		header        []string
		status        int
		field, detail string
	}{
		{"other bytes", p.ID, bytes.NewReader(wrong), nil, 422, "sha256", "announced was " + name},
		{"fewer bytes", p.ID, bytes.NewReader(data[1:]), nil, 422, "size", "6399999 bytes, announced were 6400000"},
		{"in chunks, fewer", p.ID, struct{ io.Reader }{bytes.NewReader(data[1:])}, nil, 422, "size", "6399999 bytes"},
		{"another digest", loose.ID, bytes.NewReader(wrong), []string{"Content-Digest", digest}, 422, "Content-Digest",
			"the file that came has the SHA-256 "},
		{"no digest", loose.ID, bytes.NewReader(data), []string{"Repr-Digest", "sha-256=:x:"}, 422, "Repr-Digest", "is no sha-256"},
		{"too large", loose.ID, bytes.NewReader(make([]byte, uploadLimit+1)), nil, 413, "", "at most 8388608 bytes"},
		{"in chunks, too large", loose.ID, struct{ io.Reader }{bytes.NewReader(make([]byte, uploadLimit+1))}, nil, 413, "",
			"at most 8388608 bytes"},
		{"empty", loose.ID, strings.NewReader(""), nil, 400, "", "the file is empty"},
		{"of a link", linked.ID, strings.NewReader("x"), nil, 422, "url", "it takes no file"},
	} {
		got := r.refused(r.putFile(c.id, c.body, c.header...), c.status)
		if got.Field != c.field || !strings.Contains(got.Detail, c.detail) {
			t.Errorf("%s: field %q: %s", c.what, got.Field, got.Detail)
		}
		if kept := r.kept(); kept != "" {
			t.Fatalf("%s leaves %s", c.what, kept)
		}
	}
	for range 2 { // the same again is the same
		var shown api.Package
		r.want(r.putFile(p.ID, bytes.NewReader(data), "Content-Digest", digest), 200, &shown)
		if !shown.Available || shown.Uploaded == nil || shown.SHA256 != name || shown.Size != int64(len(data)) {
			t.Errorf("%+v", shown)
		}
	}
	if kept := r.kept(); kept != name {
		t.Errorf("kept is %s", kept)
	}
	if kept, err := os.ReadFile(filepath.Join(r.folder, name)); err != nil || !bytes.Equal(kept, data) {
		t.Errorf("%d bytes, %v", len(kept), err)
	}
	var shown api.Package
	r.want(r.putFile(loose.ID, struct{ io.Reader }{strings.NewReader("in chunks")}), 200, &shown)
	if shown.Size != 9 || shown.SHA256 == "" {
		t.Errorf("%+v", shown)
	}
	got := r.refused(r.putFile(loose.ID, strings.NewReader("others")), 422)
	if got.Field != "size" {
		t.Errorf("%+v", got)
	}
	r.refused(r.putFile(loose.ID, strings.NewReader("in chunkz")), 409)
}

// A client that dies in an upload leaves no file.
func TestUploadThatIsCutOff(t *testing.T) {
	r := newRig(t)
	p := r.pack(`{"name":"mail","version":"1","type":"a/b"}`)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /v1/packages/%s/file HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n", p.ID, adminKey)
	fmt.Fprint(conn, "Content-Length: 100000\r\n\r\n")
	if _, err := conn.Write(make([]byte, 50_000)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if !strings.Contains(string(answer), "HTTP/1.1 400") ||
		!strings.Contains(string(answer), "the file ends after 50000 bytes, before it is whole") {
		t.Errorf("%s", answer)
	}
	if kept := r.kept(); kept != "" {
		t.Errorf("it leaves %s", kept)
	}
}

func TestChoiceIsExplained(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	old := r.pack(`{"name":"mail","version":"1.9","type":"a/b","url":"http://x.test/1"}`)
	nokia := r.pack(`{"name":"mail","version":"1.10","type":"a/b","url":"http://x.test/2","rules":[{"fact":"Man","is":["Nokia"]}]}`)
	var got api.Choice
	r.get("/v1/packages/choose?name=mail&device="+string(d.ID), &got)
	want := api.Choice{Chosen: old.ID, Candidates: []api.Candidate{
		{Package: nokia.ID, Name: "mail", Version: "1.10", Why: `Man is not known, want "Nokia" (rule 1)`},
		{Package: old.ID, Name: "mail", Version: "1.9", Why: "chosen: the newest that fits, for any device"},
	}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	got = api.Choice{}
	r.get("/v1/packages/choose?name=mail&version=1.10&by=link&device="+string(d.ID), &got)
	if got.Chosen != "" || got.Candidates[1].Why != "version 1.10 is asked for" {
		t.Errorf("%+v", got)
	}
	r.refused(r.call("GET", "/v1/packages/choose?name=mail&device=nobody", ""), 404)
	for _, query := range []string{"device=" + string(d.ID), "name=mail&by=bus&device=" + string(d.ID)} {
		r.refused(r.call("GET", "/v1/packages/choose?"+query, ""), 422)
	}
}
