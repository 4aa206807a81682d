package files

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"time"

	"go.uber.org/zap"

	"dmgate/codec/byterange"
	"dmgate/storage"
)

// Sizes of what is written at a time.
const (
	chunk = 64 << 10
	// heldBack is the end of an answer, which leaves only when it is durable that all of the file was sent: promise 1 of
	// the house, for files.
	heldBack = 1 << 10
)

// file is what is served: a file of the store, or the bytes of a ticket.
type file interface {
	io.Reader
	io.Closer
}

// memory is a file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// open opens the file of a ticket at an offset.
func (s *Server) open(t *storage.Ticket, at int64) (file, error) {
	if len(t.Body) > 0 {
		return memory{bytes.NewReader(t.Body[at:])}, nil
	}
	f, err := s.store.Open(t.File.SHA256)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// body is an answer on its way, in pieces of which each has to be taken in time: a file takes no more memory than one
// of them, and where the system can send it by itself, none.
type body struct {
	server   *Server
	ticket   *storage.Ticket
	download *download
	file     file
	conn     net.Conn
	left     byterange.Span
}

// WriteTo implements io.WriterTo, by which fasthttp writes a body where it can.
func (b *body) WriteTo(w io.Writer) (written int64, err error) {
	buffer, _ := w.(*bufio.Writer)
	for b.left.Size() > 0 {
		n := min(chunk, b.left.Size())
		if rest := b.left.Size() - heldBack; rest > 0 {
			n = min(n, rest)
		}
		piece := byterange.Span{From: b.left.From, To: b.left.From + n}
		last := piece.To == b.left.To
		if last { // counted before it leaves, and given back to nobody: the client asks again for what it lacks
			if err := b.count(piece); err != nil {
				return written, err
			}
		}
		b.conn.SetWriteDeadline(time.Now().Add(b.server.opt.Stall)) // fails where the connection has: so does the write
		sent, err := io.CopyN(w, b.file, n)
		written += sent
		b.server.counts.bytes.AddInt64(sent)
		if err == nil && buffer != nil {
			err = buffer.Flush()
		}
		if err != nil {
			return written, err
		}
		if !last {
			if err := b.count(piece); err != nil {
				return written, err
			}
		}
		b.left.From = piece.To
	}
	return written, nil
}

// count counts a piece, and where the file is whole with it, the use.
func (b *body) count(piece byterange.Span) error {
	whole, asked, sent := b.download.add(piece)
	if !whole {
		return nil
	}
	if err := b.server.fleet.TicketFetched(b.ticket, asked, sent); err != nil {
		b.download.restore(asked, sent)
		b.server.opt.Log.Error("download not recorded", zap.String("ticket", b.ticket.ID), zap.Error(err))
		return err // the connection ends, and the client asks for the rest again
	}
	return nil
}

// Read implements io.Reader, for a writer that does not know WriteTo. There is none.
func (b *body) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Close implements io.Closer. fasthttp calls it when the answer was written or has failed.
func (b *body) Close() error {
	b.server.downloads.end(b.download, b.server.opt.Clock())
	return b.file.Close()
}
