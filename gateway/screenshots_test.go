package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"dmgate/bench/handset"
	"dmgate/storage"
)

// TestScreenshots takes pictures of the page into the folder that DMGATE_SCREENSHOTS names: half-way through a fleet in
// which every kind of trouble happens.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("DMGATE_SCREENSHOTS")
	if folder == "" {
		t.Skip("DMGATE_SCREENSHOTS is not set")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	s := newSite(t, 8, 70*time.Millisecond, handset.Options{
		Count: 300, Mistyping: 0.05, Refusing: 0.1, Off: 0.08, Late: 0.02,
		ReportAfter: 500 * time.Millisecond, OffAfter: 2500 * time.Millisecond, Reopen: 3,
	})
	b.do(chromedp.EmulateViewport(1280, 800), chromedp.Navigate(s.url+"#key="+s.key))
	b.await(live)
	all := s.phones.Handsets()
	ids, err := s.up.register(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	const unordered = 12
	s.bootstrap(t, ids[unordered:], all[unordered:])
	// The page stands still from the moment on in which most states have devices.
	b.awaitFor(30*time.Second, `(() => {
		const n = state => Number(document.querySelector('#n-' + state + ' b').textContent);
		const now = n('discovered') >= 130 && n('ordered') >= 30 && n('sent') >= 4 && n('delivered') >= 4 &&
			n('unreachable') >= 3 && n('unanswered') >= 3;
		if (now) stop();
		return now;
	})()`)
	b.shoot(folder, "light", 1280, 800, false)
	b.shoot(folder, "dark", 1280, 800, true)
	b.shoot(folder, "phone", 360, 760, false)

	b.run("start()")
	b.awaitFor(30*time.Second, "document.querySelector('#n-ordered b').textContent === '0'")
	discovered := slices.IndexFunc(ids[unordered:], func(id storage.DeviceID) bool {
		d, err := s.store.Device(id)
		nodes, failed := s.store.Nodes(id, "", 100)
		return err == nil && failed == nil && d.State == storage.Discovered && len(nodes) > 20
	})
	if discovered < 0 {
		t.Fatal("no device with objects was discovered")
	}
	b.search(all[unordered+discovered].MSISDN)
	b.await("document.querySelector('#device h3')")
	b.shoot(folder, "device", 1280, 800, false)
	b.run("document.querySelector('#modems button').click()")
	b.await("document.querySelector('#modem h3')")
	b.run("document.querySelector('#modem').scrollIntoView({ block: 'end' })")
	b.shoot(folder, "modem", 1280, 800, false)
}

// shoot writes folder/name.png: the page in a window of that size, as small as it gets.
func (b *browser) shoot(folder, name string, width, height int64, dark bool) {
	b.t.Helper()
	scheme := emulation.MediaFeature{Name: "prefers-color-scheme", Value: "light"}
	if dark {
		scheme.Value = "dark"
	}
	b.do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{&scheme},
		})
		return err
	}))
	b.await(fmt.Sprintf("innerWidth === %d && matchMedia('(prefers-color-scheme: %s)').matches", width, scheme.Value))
	b.await("document.getAnimations().length === 0")
	b.await(fmt.Sprintf("document.documentElement.scrollWidth <= %d", width))
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, paletted(picture)); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), out.Bytes(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// areas is how many colours cover whole areas and have to stay what they are.
const areas = 16

// paletted is a picture in 256 colours: those of its areas, and the most frequent of the others that can be told apart.
func paletted(from image.Image) image.Image {
	bounds := from.Bounds()
	frequency := make(map[color.NRGBA]int)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			frequency[color.NRGBAModel.Convert(from.At(x, y)).(color.NRGBA)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(frequency), func(a, b color.NRGBA) int { return frequency[b] - frequency[a] })
	to := image.NewPaletted(bounds, nil)
	for i, c := range colours {
		known := slices.ContainsFunc(to.Palette, func(p color.Color) bool { return alike(p.(color.NRGBA), c) })
		if len(to.Palette) < 256 && (i < areas || !known) {
			to.Palette = append(to.Palette, c)
		}
	}
	draw.Draw(to, bounds, from, bounds.Min, draw.Src)
	return to
}

// alike says that nobody sees a difference.
func alike(a, b color.NRGBA) bool {
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) < 12 }
	return near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B)
}
