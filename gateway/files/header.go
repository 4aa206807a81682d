package files

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"dmgate/storage"
)

// Headers that fasthttp has no names for.
const (
	headerDigest     = "Digest"            // RFC 3230
	headerReprDigest = "Repr-Digest"       // RFC 9530, which took its place
	headerVersion    = "X-Package-Version" // of the package
	headerSoftware   = "X-Package-ID"      // what the device's inventory is to call it
)

// describe writes what a file is into the header of an answer.
func describe(ctx *fasthttp.RequestCtx, t *storage.Ticket) {
	h := &ctx.Response.Header
	h.SetContentType(t.File.Type)
	h.Set(fasthttp.HeaderAcceptRanges, "bytes")
	h.Set(fasthttp.HeaderCacheControl, "no-store")
	h.Set(fasthttp.HeaderETag, etag(t))
	h.Set(fasthttp.HeaderContentDisposition, disposition(t))
	if sum, err := hex.DecodeString(t.File.SHA256); err == nil && len(sum) > 0 {
		text := base64.StdEncoding.EncodeToString(sum)
		h.Set(headerDigest, "SHA-256="+text)
		h.Set(headerReprDigest, "sha-256=:"+text+":")
	}
	if t.Version != "" {
		h.Set(headerVersion, t.Version)
	}
	if headerText(t.Software) {
		h.Set(headerSoftware, t.Software)
	}
}

// headerText says whether a text can stand in a header.
func headerText(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) < 0
}

// etag is a strong one: the same bytes have the same, and no others.
func etag(t *storage.Ticket) string { return `"` + t.File.SHA256 + `"` }

// opened are the types that a phone hands to a handler of its own, which "attachment" would keep it from.
var opened = []string{
	"application/x-x509-ca-cert", "application/x-pem-file", "application/pkix-cert",
	"application/vnd.wap.wtls-ca-certificate",
	"application/vnd.oma.dd+xml", "text/vnd.sun.j2me.app-descriptor", "application/java-archive",
	"application/vnd.symbian.install", "x-epoc/x-sisx-app", "application/vnd.ms-cab-compressed",
}

// disposition is what the file may be saved as. Names are checked where they are given; the default is made of what is.
func disposition(t *storage.Ticket) string {
	kind := "attachment"
	if slices.Contains(opened, t.File.Type) {
		kind = "inline"
	}
	return kind + `; filename="` + saved(t) + `"`
}

func saved(t *storage.Ticket) string {
	name := make([]byte, 0, len(t.File.Name))
	for _, c := range []byte(t.File.Name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' ||
			c == '.' && len(name) > 0 {
			name = append(name, c)
		}
	}
	if len(name) == 0 {
		return "package"
	}
	return string(name)
}
