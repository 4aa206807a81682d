package handset

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"dmgate/codec/auth"
)

// exchange sends the message and waits for the answer. Whatever goes wrong, the same bytes go out again: the server
// must take them for the same message (section 4).
func (s *session) exchange(ctx context.Context) error {
	s.in.Reset()
	s.lost = nil
	for attempt := 1; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		status, err := s.post()
		if err == nil && status == fasthttp.StatusOK {
			if s.loses(attempt) {
				s.lost = append([]byte{}, s.reply...)
				s.lostHMAC = string(s.replyHMAC)
				s.repeats("answer lost")
				continue
			}
			return s.accept()
		}
		reason := fmt.Sprintf("HTTP status %d", status)
		if err != nil {
			reason = err.Error()
		}
		s.checkStatus(status, err)
		if attempt >= s.world.Attempts {
			return fmt.Errorf("%w: %s after %d attempts", ErrUnreachable, reason, attempt)
		}
		s.repeats(reason)
		if err := s.world.Wait(ctx, s.pause(attempt, status)); err != nil {
			return err
		}
	}
}

// repeats counts a message that is to go out again.
func (s *session) repeats(reason string) {
	s.h.mu.Lock()
	s.h.result.Repeats++
	s.h.note(MessageRepeated, reason)
	s.h.unlock()
}

// loses says whether this answer gets lost. A message loses one answer at most.
func (s *session) loses(attempt int) bool {
	if s.world.Losing == 0 || s.lost != nil {
		return false
	}
	r := rand.New(rand.NewPCG(s.h.Seed, uint64(s.h.sessionID)<<32|uint64(s.msgID)))
	return r.Float64() < s.world.Losing && attempt < s.world.Attempts
}

// maxDoublings bounds the back-off where MaxBackOff does not: a shift must not overflow.
const maxDoublings = 16

// pause is the back-off after an attempt: doubled each time, with a quarter of jitter. Retry-After comes first.
func (s *session) pause(attempt, status int) time.Duration {
	if status == fasthttp.StatusServiceUnavailable {
		after, err := strconv.Atoi(string(s.resp.Header.Peek(fasthttp.HeaderRetryAfter)))
		if err == nil && after >= 0 {
			return min(time.Duration(after)*time.Second, s.world.MaxBackOff)
		}
	}
	d := min(s.world.BackOff<<min(attempt-1, maxDoublings), s.world.MaxBackOff)
	r := rand.New(rand.NewPCG(s.h.Seed, uint64(attempt)))
	return d + time.Duration(r.Int64N(int64(d)/4+1))
}

// post makes one attempt. The answer's body is in reply.
func (s *session) post() (status int, err error) {
	s.reply = s.reply[:0]
	s.req.Reset()
	s.resp.Reset()
	contentType := s.make.ContentType()
	s.req.Header.SetMethod(fasthttp.MethodPost)
	s.req.SetRequestURI(s.url)
	s.req.Header.SetContentType(contentType)
	s.req.Header.Set(fasthttp.HeaderAccept, contentType)
	s.req.Header.Set(fasthttp.HeaderAcceptCharset, "utf-8")
	s.req.Header.Set(fasthttp.HeaderCacheControl, "no-store")
	if len(s.hmac) > 0 {
		s.req.Header.SetBytesV(auth.HeaderHMAC, s.hmac)
	}
	s.req.SetBodyRaw(s.body)
	s.count(func(r *Result) { r.BytesSent += len(s.body) })
	s.resp.StreamBody = true // so that Content-Length stays what was sent
	if err := s.world.client.DoTimeout(s.req, s.resp, s.world.Timeout); err != nil {
		return 0, err
	}
	defer s.resp.CloseBodyStream()
	s.replyHMAC = append(s.replyHMAC[:0], s.resp.Header.Peek(auth.HeaderHMAC)...)
	if stream := s.resp.BodyStream(); stream != nil {
		buf := bytes.NewBuffer(s.reply)
		_, err = buf.ReadFrom(io.LimitReader(stream, maxBody))
		s.reply = buf.Bytes()
	} else {
		s.reply = append(s.reply, s.resp.Body()...)
	}
	s.count(func(r *Result) { r.BytesReceived += len(s.reply) })
	return s.resp.StatusCode(), err
}

// count changes what the handset has counted.
func (s *session) count(change func(*Result)) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	change(&s.h.result)
}

// accept checks an answer as HTTP and decides whether it can be read.
func (s *session) accept() error {
	s.count(func(r *Result) { r.Messages++ })
	if s.lost != nil && (!bytes.Equal(s.lost, s.reply) || s.lostHMAC != string(s.replyHMAC)) {
		s.blame(RuleRepeat, "message %d sent again is answered in another way", s.msgID)
	}
	return s.checkHTTP()
}
