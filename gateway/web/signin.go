package web

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	cookieName = "dmgate"
	signInFor  = 12 * time.Hour
	maxSignIns = 1000
)

// signIns are the browsers that have shown the admin key, by the hash of their cookie. There are at most maxSignIns:
// one more takes the place of the one that would end first, so that nobody with the key is ever locked out.
type signIns struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func (s *signIns) add(now time.Time) (token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = make(map[[sha256.Size]byte]time.Time)
	}
	for k, until := range s.until {
		if !now.Before(until) {
			delete(s.until, k)
		}
	}
	if len(s.until) >= maxSignIns {
		s.removeFirst()
	}
	token = rand.Text()
	s.until[sha256.Sum256([]byte(token))] = now.Add(signInFor)
	return token
}

// removeFirst removes the sign-in that would end before all others.
func (s *signIns) removeFirst() {
	var first [sha256.Size]byte
	var ends time.Time
	for k, until := range s.until {
		if ends.IsZero() || until.Before(ends) {
			first, ends = k, until
		}
	}
	delete(s.until, first)
}

func (s *signIns) has(token []byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.until[sha256.Sum256(token)]
	return ok && now.Before(until)
}

func (s *signIns) remove(token []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.until, sha256.Sum256(token))
}

// SignedIn says whether the request comes from a browser that has signed in.
func (w *Web) SignedIn(ctx *fasthttp.RequestCtx) bool {
	token := ctx.Request.Header.Cookie(cookieName)
	return len(token) > 0 && w.sessions.has(token, time.Now())
}

// signIn exchanges the admin key for a cookie that scripts can not read and other sites can not send. A GET says
// whether the browser has one that is good.
func (w *Web) signIn(ctx *fasthttp.RequestCtx) {
	switch {
	case ctx.IsGet():
		ctx.Response.Header.Set("Cache-Control", "no-store")
		ctx.SetContentType("application/json")
		if w.SignedIn(ctx) {
			ctx.SetBodyString("true\n")
		} else {
			ctx.SetBodyString("false\n")
		}
	case !ctx.IsPost():
		refuseMethod(ctx, "GET, POST")
	case !w.api.Allowed(ctx.PostArgs().Peek("key")):
		refuse(ctx, fasthttp.StatusUnauthorized, "This is not the admin key.")
	default:
		now := time.Now()
		setCookie(ctx, w.sessions.add(now), now.Add(signInFor))
		ctx.SetStatusCode(fasthttp.StatusNoContent)
	}
}

func (w *Web) signOut(ctx *fasthttp.RequestCtx) {
	if !ctx.IsPost() {
		refuseMethod(ctx, "POST")
		return
	}
	w.sessions.remove(ctx.Request.Header.Cookie(cookieName))
	setCookie(ctx, "", time.Unix(1, 0))
	ctx.SetStatusCode(fasthttp.StatusNoContent)
}

func setCookie(ctx *fasthttp.RequestCtx, token string, until time.Time) {
	var c fasthttp.Cookie
	c.SetKey(cookieName)
	c.SetValue(token)
	c.SetPath("/")
	c.SetHTTPOnly(true)
	c.SetSecure(ctx.IsTLS())
	c.SetSameSite(fasthttp.CookieSameSiteStrictMode)
	c.SetExpire(until)
	ctx.Response.Header.SetCookie(&c)
}
