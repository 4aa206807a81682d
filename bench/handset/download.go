package handset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
)

// What a download's answer says of the package, where the server's tree has no place for it.
const (
	headerPackageID      = "X-Package-ID"
	headerPackageVersion = "X-Package-Version"
)

const (
	maxPackage     = 64 << 20 // bytes of a package
	maxCertificate = 64 << 10 // bytes of a certificate, which is kept
	firstPart      = 1 << 10  // bytes of the first part, where a make downloads in two
	patience       = 10       // a download takes so many times Settings.Timeout at most
	typeCACert     = "application/x-x509-ca-cert"
)

// fault is why a download failed. Each family has codes of its own for it; 0 is none.
type fault uint8

// Faults.
const (
	badURL      fault = 1 + iota
	unreachable       // nobody answers
	missing           // 4xx: not there, or not any more
	refused           // another answer than 200
	cutShort          // another length than Content-Length said
	tooLarge
	faults
)

var faultNames = [faults]string{
	"", "no URL", "no answer", "not there", "refused", "another length than announced", "too large",
}

func (f fault) String() string { return faultNames[f] }

// download is a package that was fetched. Its bytes are not kept.
type download struct {
	size        int
	digest      string // SHA-256 in hex; empty where Settings.NoFetch is set
	id, version string // as the answer says, or its name does
	certificate []byte // DER, where that is what came
}

// fetch gets the package at url, where in two says so with a Range for its first KiB and one for the rest.
func (w *World) fetch(ctx context.Context, url string, inTwo bool) (*download, fault) {
	if !isAbsolute(url) {
		return nil, badURL
	}
	if w.NoFetch {
		return &download{id: stem(path.Base(url))}, 0
	}
	ctx, cancel := context.WithTimeout(ctx, patience*w.Timeout)
	defer cancel()
	d := &download{}
	sum := sha256.New()
	span, total := "", 0
	if inTwo {
		span = fmt.Sprintf("bytes=0-%d", firstPart-1)
	}
	for part := 1; ; part++ {
		var f fault
		if total, f = w.part(ctx, d, url, span, sum); f != 0 {
			return nil, f
		}
		if d.size >= total || part == 2 {
			break
		}
		span = fmt.Sprintf("bytes=%d-%d", d.size, total-1)
	}
	if d.size != total {
		return nil, cutShort
	}
	d.digest = hex.EncodeToString(sum.Sum(nil))
	return d, 0
}

// part gets the bytes of url that span names, all of them where it is empty, and says how many there are in all.
func (w *World) part(ctx context.Context, d *download, url, span string, sum hash.Hash) (total int, f fault) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, badURL
	}
	if span != "" {
		req.Header.Set("Range", span)
	}
	resp, err := w.web.Do(req)
	if err != nil {
		return 0, unreachable
	}
	defer resp.Body.Close()
	from := d.size
	switch {
	case resp.StatusCode == http.StatusPartialContent && span != "":
		last := 0
		_, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &last, &total)
		if err != nil || from != d.size {
			return 0, cutShort
		}
	case resp.StatusCode == http.StatusOK && from == 0:
		total = int(resp.ContentLength) // -1: chunked, and then the end is where it ends
	case resp.StatusCode/100 == 4:
		return 0, missing
	default:
		return 0, refused
	}
	if total > maxPackage {
		return 0, tooLarge
	}
	d.describe(resp)
	var to io.Writer = sum
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == typeCACert {
		to = io.MultiWriter(sum, &certificateWriter{d})
	}
	n, err := io.Copy(to, io.LimitReader(resp.Body, int64(maxPackage-d.size+1)))
	d.size += int(n)
	switch {
	case d.size > maxPackage:
		return 0, tooLarge
	case err != nil:
		return 0, cutShort
	case total < 0:
		total = d.size
	}
	return total, 0
}

// describe takes the package's id and version from the headers, or from what the file is called.
func (d *download) describe(resp *http.Response) {
	d.version = resp.Header.Get(headerPackageVersion)
	d.id = resp.Header.Get(headerPackageID)
	if d.id != "" {
		return
	}
	name := path.Base(resp.Request.URL.Path)
	if _, p, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil && p["filename"] != "" {
		name = p["filename"]
	}
	d.id = stem(name)
}

// stem is a file's name without its extension.
func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

// certificateWriter keeps what it is given with d, up to the size of any certificate.
type certificateWriter struct{ d *download }

func (c *certificateWriter) Write(b []byte) (int, error) {
	room := maxCertificate - len(c.d.certificate)
	c.d.certificate = append(c.d.certificate, b[:min(len(b), room)]...)
	return len(b), nil
}
