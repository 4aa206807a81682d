package api

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"dmgate/gateway/files"
	"dmgate/gateway/fleet"
)

const packageFilePath = "/v1/packages/{id}/file"

// Uploads is where files of packages go.
type Uploads struct {
	Store *files.Store
	Limit int64 // bytes of one
}

// putPackageFile takes the file of a package as it comes. It is kept only if it is what was announced: with the
// package, by Content-Length, by Content-Digest. The same file again is the same.
func (a *API) putPackageFile(r *request) (any, error) {
	digest, err := r.contentDigest()
	if err != nil {
		return nil, err
	}
	length := int64(r.Request.Header.ContentLength()) // -1 in chunks
	if length > a.Uploads.Limit {
		return nil, fmt.Errorf("%w: at most %d bytes", files.ErrTooLarge, a.Uploads.Limit)
	}
	if length >= 0 {
		if err := a.fleet.Announced(r.id, "", length); err != nil {
			return nil, err
		}
	}
	body := newBody(r.RequestCtx)
	body.within = a.lineWithin
	sum, size, err := a.Uploads.Store.Put(&paced{body, a.done}, a.Uploads.Limit, func(sum string, size int64) error {
		if digest != "" && sum != digest {
			return &fleet.FieldError{Field: "Content-Digest", Reason: "the file that came has the SHA-256 " + sum}
		}
		return a.fleet.Announced(r.id, sum, size)
	})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		text := fmt.Sprintf("the file ends after %d bytes, before it is whole", size)
		return nil, &problem{Title: "bad request", Status: 400, Detail: text}
	}
	if timedOut(err) {
		return nil, &problem{Title: "bad request", Status: 408, Detail: "the file did not come in time"}
	}
	if err != nil {
		return nil, err
	}
	p, err := a.fleet.SetPackageFile(r.id, sum, size)
	if err != nil {
		return nil, err
	}
	return showPackage(p), nil
}

// paced is a body whose every piece has to come in time, and that ends with the gateway.
type paced struct {
	*body
	done <-chan struct{}
}

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	select {
	case <-p.done:
		return 0, errEnding
	default:
	}
	p.await()
	return p.body.Read(b)
}

// contentDigest is the SHA-256 that the request says its body has, in hex; empty where it does not. Source: RFC 9530.
func (r *request) contentDigest() (string, error) {
	for _, header := range []string{"Content-Digest", "Repr-Digest"} {
		for entry := range strings.SplitSeq(string(r.Request.Header.Peek(header)), ",") {
			algorithm, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
			if !strings.EqualFold(algorithm, "sha-256") {
				continue
			}
			sum, err := base64.StdEncoding.DecodeString(strings.Trim(value, ":"))
			if err != nil || len(sum) != 32 {
				return "", &fleet.FieldError{Field: header, Reason: fmt.Sprintf("%.80q is no sha-256=:base64:", entry)}
			}
			return hex.EncodeToString(sum), nil
		}
	}
	return "", nil
}
