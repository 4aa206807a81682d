package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"go.uber.org/zap"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/gateway/config"
	"dmgate/modempool"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// needChromium returns the path of Chromium. Where it is missing the test is skipped, or fails if DMGATE_ORACLES is set
// to "require".
func needChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("DMGATE_ORACLES") == "require" {
		t.Fatal("chromium is not installed, and DMGATE_ORACLES=require")
	}
	t.Skip("chromium is not installed")
	return ""
}

// site is a gateway in this process, with simulated modems and handsets.
type site struct {
	*gateway
	phones *handset.Fleet
	up     *upstream
	url    string
	stop   func() // ends the gateway; again does nothing
}

// newSite starts a gateway on free ports, configured with changes, and the world around it.
func newSite(
	t *testing.T, modems int, airTime time.Duration, o handset.Options, changes ...func(*config.Config),
) *site {
	t.Helper()
	o.Seed, o.Reorder = 1, true
	phones := handset.NewFleet(o)
	t.Cleanup(phones.Close)
	bank, err := modemsim.Start(modemsim.Options{Modems: modems, AirTime: airTime, Seed: 1, Network: phones})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bank.Close() })
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.Device.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Device.Drain = 100 * time.Millisecond
	c.Orders.AnswerWithin = 4 * time.Second
	c.Modems.Ports, c.Modems.Limits = portsAt(bank.Paths()), modempool.Limits{}
	for _, change := range changes {
		change(&c)
	}
	s := startSite(t, c)
	s.phones = phones
	ran := make(chan struct{})
	go func() { phones.Run(context.Background()); close(ran) }()
	t.Cleanup(func() { phones.Close(); <-ran })
	return s
}

// startSite starts the gateway of c.
func startSite(t *testing.T, c config.Config) *site {
	t.Helper()
	g, err := build(c, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	address := g.adminListen.Addr().String()
	s := &site{gateway: g, up: newUpstream(address, g.key), url: "http://" + address + "/"}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error("the gateway ended with", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// bootstrap orders the bootstrap of devices over the API, and tells the users of all their PINs.
func (s *site) bootstrap(t *testing.T, devices []storage.DeviceID, all []*handset.Handset) {
	t.Helper()
	orders, err := s.up.bootstrap(t.Context(), devices, "userpin")
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range orders {
		s.phones.Tell(all[i].MSISDN, o.PIN)
	}
}

// browser is Chromium with one page, and what that page complained about.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(needChromium(t)), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	b := &browser{t: t}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.hear))
	t.Cleanup(cancel)
	if err := chromedp.Do(b.ctx); err != nil { // starts it
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		defer cancel()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("chromium did not end well:", err)
		}
	})
	return b
}

// hear keeps what should not be: errors and warnings on the console, breaches of the page's policy (they are among the
// log's entries), requests that failed or were refused.
func (b *browser) hear(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			problem += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		problem = fmt.Sprintf("console.%s", e.Type)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelVerbose || e.Entry.Level == log.EntryLevelInfo {
			return
		}
		problem = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *network.EventResponseReceived:
		if e.Response.Status < 400 {
			return
		}
		problem = fmt.Sprintf("answer %d from %s", e.Response.Status, e.Response.URL)
	case *network.EventLoadingFailed:
		if e.Canceled { // the page has closed its stream
			return
		}
		problem = "request failed: " + e.ErrorText
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, problem)
}

// complaints returns what the page complained about since the last call.
func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.problems
	b.problems = nil
	return all
}

// do runs actions, within ten seconds.
func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// await waits until a condition holds in the page.
func (b *browser) await(condition string) { b.t.Helper(); b.awaitFor(10*time.Second, condition) }

func (b *browser) awaitFor(within time.Duration, condition string) {
	b.t.Helper()
	poll := chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(20*time.Millisecond),
		chromedp.WithPollingTimeout(within))
	ctx, cancel := context.WithTimeout(b.ctx, within+5*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, poll); err != nil {
		b.t.Fatalf("waiting for %s: %v\nthe page complains: %q\nand says:\n%s",
			condition, err, b.complaints(), b.text("body"))
	}
}

// text is what an element shows.
func (b *browser) text(css string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	script := fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", css)
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// signIn types a key into the form, as a user does.
func (b *browser) signIn(key string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS("#key")), chromedp.SendKeys(chromedp.CSS("#key"), key+"\n"))
}

// run runs a script in the page.
func (b *browser) run(script string) { b.t.Helper(); b.do(chromedp.Evaluate[chromedp.Void](script)) }

// search looks a device up by its number, with keyboard and mouse.
func (b *browser) search(number string) {
	b.t.Helper()
	b.run("document.querySelector('#msisdn').value = ''")
	b.do(chromedp.SendKeys(chromedp.CSS("#msisdn"), number), chromedp.Click(chromedp.CSS("#find button")))
}

// count is a condition: so many devices are shown to be in state s.
func count(s storage.State, n int) string {
	return fmt.Sprintf("document.querySelector('#n-%s b')?.textContent === '%d'", s, n)
}

const live = "document.querySelector('#link').textContent === 'live'"

// The page as an operator uses it, from the wrong key to signing out.
func TestPage(t *testing.T) {
	const devices = 20
	b := newBrowser(t)
	s := newSite(t, 2, 15*time.Millisecond, handset.Options{Count: devices})

	b.do(chromedp.EmulateViewport(1280, 800), chromedp.Navigate(s.url))
	b.signIn("not-the-admin-key")
	b.await("document.querySelector('#wrong').textContent === 'This is not the admin key.'")
	for _, c := range b.complaints() {
		if !strings.Contains(c, "/signin") {
			t.Errorf("the page complained: %s", c)
		}
	}
	b.signIn(s.key)
	b.await(live)
	b.await("!document.querySelector('#no-devices').hidden && document.querySelectorAll('#modems tr').length === 2")
	b.run("window.loadedOnce = true")

	// Everything from here on happens without a reload.
	all := s.phones.Handsets()
	ids, err := s.up.register(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	b.await(count(storage.Registered, devices))
	s.bootstrap(t, ids, all)
	b.await(count(storage.Registered, 0))
	b.await(count(storage.Discovered, devices))
	now, err := s.up.overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range now.Modems {
		cell := fmt.Sprintf("document.querySelectorAll('#modems tr')[%d].children[2]", i)
		b.await(fmt.Sprintf("%s.textContent === '%d'", cell, now.Modems[i].Sent))
	}

	t.Run("number", func(t *testing.T) { b.in(t).findsByNumber(s, all[7], ids[7]) })
	t.Run("modem", func(t *testing.T) { b.in(t).choosesModem(s) })
	t.Run("feed", func(t *testing.T) { b.in(t).choosesFromFeed(s) })
	t.Run("sign-out", func(t *testing.T) { b.in(t).signsOut(s) })
	for _, c := range b.complaints() {
		t.Errorf("the page complained: %s", c)
	}
	t.Run("policy", func(t *testing.T) { b.in(t).obeysPolicy() })
}

// in makes b report to the subtest t until that ends.
func (b *browser) in(t *testing.T) *browser {
	outer := b.t
	t.Cleanup(func() { b.t = outer })
	b.t = t
	return b
}

// choosesModem wants what is known of a modem, and what was last said to it.
func (b *browser) choosesModem(s *site) {
	b.run("document.querySelectorAll('#modems button')[1].click()")
	b.await("document.querySelector('#modem h3')?.textContent.startsWith('modem1')")
	shown := b.text("#modem")
	known := s.pool.Modems()[1]
	for _, want := range []string{known.ID, known.Identity.ICCID, "delivery reports", "AT+CMGS=", "+CMGS:"} {
		if !strings.Contains(shown, want) {
			b.t.Errorf("the modem's view lacks %q:\n%s", want, shown)
		}
	}
}

// findsByNumber wants all that is known of a device, looked up by its number as people write it.
func (b *browser) findsByNumber(s *site, phone *handset.Handset, id storage.DeviceID) {
	b.search(strings.Replace(phone.MSISDN, "+999", "00999 ", 1))
	b.await(fmt.Sprintf("document.querySelector('#device h3')?.textContent.startsWith('%s')", phone.MSISDN))
	known, err := s.store.Device(id)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(known.Facts) < 5 {
		b.t.Fatalf("too little is known of the device: %+v", known)
	}
	wanted := []string{
		phone.DevID(), "discovered since", "registered → ordered", "SMS:", "session opened", "session ended",
	}
	for name, value := range known.Facts {
		if name != "DevId" { // it stands for itself
			wanted = append(wanted, name)
		}
		wanted = append(wanted, value)
	}
	nodes, err := s.store.Nodes(id, "", 1000)
	if err != nil || len(nodes) == 0 {
		b.t.Fatalf("nothing is known of the device's tree: %v", err)
	}
	for _, n := range nodes {
		if n.Code == 200 && strings.Count(n.URI, "/") == 1 && !strings.Contains(n.URI, "?") {
			wanted = append(wanted, n.URI)
		}
	}
	shown := b.text("#device")
	for _, want := range wanted {
		if !strings.Contains(shown, want) {
			b.t.Errorf("the device's view lacks %q:\n%s", want, shown)
		}
	}
	b.search("+999000")
	b.await("document.querySelector('#device-note').textContent === 'No device has the number +999000.'")
}

// choosesFromFeed wants a feed that stands still under the pointer, is bounded, and shows text as text.
func (b *browser) choosesFromFeed(s *site) {
	b.do(chromedp.Click(chromedp.CSS("#feed button")))
	b.await("document.querySelector('#device').textContent.includes(document.querySelector('#feed button').textContent)")

	const markup = "<img/src=/markup>"
	in := api.NewDevice{MSISDN: "+9991234567", DevID: markup}
	var d api.Device
	if err := s.up.call(b.t.Context(), "POST", "devices", in, &d); err != nil {
		b.t.Fatal(err)
	}
	inFeed := fmt.Sprintf("document.querySelector('#feed').textContent.includes('%s')", d.ID)
	b.await(count(storage.Registered, 1))
	b.await("!document.querySelector('#held').hidden && !" + inFeed)
	b.search(in.MSISDN)
	b.await("document.querySelector('#device h3')?.textContent === '" + in.MSISDN + "'")
	b.await("document.querySelector('#held').hidden && " + inFeed)
	if shown := b.text("#device"); !strings.Contains(shown, markup) {
		b.t.Errorf("want %s to be shown as it is:\n%s", markup, shown)
	}

	b.run(`for (let i = 0; i < 500; i++) {
		const offset = seen + 1;
		addFeed({ offset, feed: [{ offset, time: new Date().toISOString(), device: 'd' + i, kind: 'order', text: i }] });
	}`)
	b.await("document.querySelector('#feed').childElementCount === feedLength")
}

// signsOut wants nothing to be left when the operator has gone.
func (b *browser) signsOut(s *site) {
	b.await("window.loadedOnce")
	b.do(chromedp.Click(chromedp.CSS("#signout")), chromedp.WaitVisible(chromedp.CSS("#gate")))
	b.await("document.querySelector('#device').textContent + document.querySelector('#feed').textContent === ''")
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.url), chromedp.WaitVisible(chromedp.CSS("#gate")))
	b.await("document.querySelector('#link').textContent === 'not signed in'")
	if text := b.text("body"); strings.Contains(text, "Devices") {
		b.t.Errorf("signed out, and still shown:\n%s", text)
	}
}

// obeysPolicy wants the browser to refuse a script that is not the page's own.
func (b *browser) obeysPolicy() {
	b.run(`document.addEventListener('securitypolicyviolation', e => { window.refused = e.effectiveDirective; });
		const script = document.createElement('script');
		script.textContent = 'window.breached = true';
		document.body.append(script);`)
	b.await("window.refused === 'script-src-elem' && !window.breached")
}

// A gateway that comes back does not know the cookies of the one before: the page asks for the key and goes on.
func TestPageOutlivesGateway(t *testing.T) {
	b := newBrowser(t)
	s := newSite(t, 1, 0, handset.Options{Count: 1})
	if _, err := s.up.register(t.Context(), s.phones.Handsets()); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(s.url + "#key=" + s.key))
	b.await(live)
	b.await("!location.hash && " + count(storage.Registered, 1))

	c := s.config
	c.Admin.Listen = s.adminListen.Addr().String()
	s.stop()
	b.await("document.querySelector('#link').className === 'lost'")

	startSite(t, c)
	b.await("document.querySelector('#wrong').textContent === 'Your sign-in has ended.'")
	b.await("document.activeElement.id === 'key'")
	b.run("location.hash = 'key=" + s.key + "'") // the link, once more
	b.await(live)
	b.await(count(storage.Registered, 1))
	for _, c := range b.complaints() {
		if strings.HasPrefix(c, "exception") || strings.HasPrefix(c, "security") {
			t.Errorf("the page complained: %s", c)
		}
	}
}
