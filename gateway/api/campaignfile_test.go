package api

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valyala/fasthttp"

	"dmgate/gateway/fleet"
	"dmgate/gateway/targetlist"
)

// A file that never ends, as a small one can be unpacked into, is cut off; what came before is kept.
func TestFileTooLarge(t *testing.T) {
	const file = "msisdn\n+491700000001\n+491700000002\n"
	for limit := range int64(len(file) + 2) {
		in := iotest.OneByteReader(&bounded{strings.NewReader(file), limit})
		var broken *uploadError
		a := API{done: make(chan struct{})}
		b := body{conn: nil, within: 1 << 62}
		b.pushed = b.pushed.AddDate(3000, 0, 0) // no connection here
		lines := 0
		for _, err := range a.upload(&b, targetlist.CSV(in)) {
			if err == nil {
				lines++
			} else if !errors.As(err, &broken) {
				t.Fatal(err)
			}
		}
		if whole := limit >= int64(len(file)); whole != (broken == nil) {
			t.Errorf("limit %d: %v", limit, broken)
		}
		if broken == nil {
			continue
		}
		p := broken.problem(&fleet.Added{Accepted: lines})
		if p.Status != 413 || p.Kept.Accepted != lines || !strings.HasSuffix(p.Detail,
			": it has more than 1073741824 bytes; what came before is kept: send the file again") {
			t.Errorf("limit %d: %+v", limit, p)
		}
	}
	if _, err := io.ReadAll(&bounded{strings.NewReader(file), 3}); err != fasthttp.ErrBodyTooLarge {
		t.Error(err)
	}
}
