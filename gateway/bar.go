package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// bar draws the demo's progress: in place on a terminal, a line for each tenth elsewhere.
type bar struct {
	drawn bool
	tenth int
}

const barWidth = 30

func (b *bar) draw(now *api.Overview, since time.Duration) {
	if now.Devices == 0 {
		return
	}
	done := 0
	for _, s := range []storage.State{storage.Discovered, storage.Unanswered, storage.Unreachable, storage.Failed} {
		done += now.States[s]
	}
	filled := barWidth * done / now.Devices
	line := fmt.Sprintf("[%s%s] %3d%%  ordered %d  sent %d  delivered %d  connected %d  discovered %d  %4.1f s",
		strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), 100*done/now.Devices,
		now.States[storage.Ordered], now.States[storage.Sent], now.States[storage.Delivered], now.States[storage.Connected],
		now.States[storage.Discovered], since.Seconds())
	if onTerminal() {
		fmt.Printf("\r\x1b[K%s", line)
		b.drawn = true
	} else if tenth := 10 * done / now.Devices; tenth > b.tenth || !b.drawn {
		fmt.Println(line)
		b.tenth, b.drawn = tenth, true
	}
}

func (b *bar) end() {
	if b.drawn && onTerminal() {
		fmt.Println()
	}
}

func onTerminal() bool {
	info, err := os.Stdout.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
