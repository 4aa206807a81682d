package pebble

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"dmgate/storage"
)

// The layout of the store. A key is the letter of its table and the fields of its row in order; every encoding sorts
// as the field does, so that each list of the Store interface is one bounded run of keys.
//
//	table           key                                  value
//	S  store        name (raw to the end)                format, epoch: a uvarint
//	D  device       device                               storage.Device
//	M  by MSISDN    MSISDN (raw to the end)              DeviceID
//	N  by DevID     DevID (raw to the end)               DeviceID
//	W  device due   Wait.Until, device                   -          only where Wait.For is set
//	A  account      device                               storage.Account
//	O  order        device, order (raw to the end)       storage.Order
//	T  task         device, task                         storage.Task
//	Y  open task    device, task                         -          only queued and sent
//	R  results      device, task, arrival                storage.Results
//	P  push         device, push                         storage.PushJob
//	Q  push due     priority, flow, NotBefore, push, device         -   only queued
//	U  under way    Until, push, device                  -          sending (with no time), sent and doubtful that wait
//	V  awaiting     modem, tail, known, reference, push, device     -   segments that wait for a report
//	C  checkpoint   device                               storage.Checkpoint
//	F  feed         offset                               storage.FeedEntry, its Offset left to the key
//	L  timeline     device, offset                       -          not of news that concern no device
//	K  campaign     campaign                             storage.Campaign
//	G  target       campaign, number                     storage.Target
//	H  target in    campaign, state, NotBefore, number   -          only pending, held and begun
//	J  by MSISDN    campaign, MSISDN (raw to the end)    number     all targets but those refused
//	E  document     name (raw to the end)                what is kept
//	B  node         device, URI (raw to the end)         storage.Node
//	I  job          device, job (raw to the end)         storage.Job
//	X  job due      Wait.Until, device, job (raw to the end)            -          only open
//
// device, flow, modem, tail, campaign and state are texts (see appendText), task, push, offset and number are 8 bytes,
// priority, known and reference are one, times are 12 (see appendTime). arrival is 12: 4 count the openings of the
// store, 8 the results since then; it needs no clock and no read.
const (
	tableStore       = 'S'
	tableDevice      = 'D'
	tableMSISDN      = 'M'
	tableDevID       = 'N'
	tableDeviceDue   = 'W'
	tableAccount     = 'A'
	tableOrder       = 'O'
	tableTask        = 'T'
	tableOpenTask    = 'Y'
	tableResults     = 'R'
	tablePush        = 'P'
	tablePushDue     = 'Q'
	tablePushOnWay   = 'U'
	tableAwaiting    = 'V'
	tableCheckpoint  = 'C'
	tableFeed        = 'F'
	tableTimeline    = 'L'
	tableCampaign    = 'K'
	tableTarget      = 'G'
	tableTargetIn    = 'H'
	tableTargetName  = 'J'
	tableDocument    = 'E'
	tableNode        = 'B'
	tableJob         = 'I'
	tableJobDue      = 'X'
	storeFormat      = "format"
	storeEpoch       = "epoch"
	textEnd          = 0x01 // after a 0x00: the text ends
	textZero         = 0xFF // after a 0x00: the text goes on, and this was a 0x00 of its own
	lenTime, lenUint = 12, 8

	awaitsUnknown = 0 // in a key of tableAwaiting: its reference is not known
	awaitsKnown   = 1
)

// appendText appends s so that texts sort as strings do and none is the beginning of another: 0x00 becomes 0x00 0xFF,
// and 0x00 0x01 ends it.
func appendText[S ~string](dst []byte, s S) []byte {
	for i := 0; i < len(s); i++ {
		dst = append(dst, s[i])
		if s[i] == 0 {
			dst = append(dst, textZero)
		}
	}
	return append(dst, 0, textEnd)
}

// cutText takes the text at the beginning of src.
func cutText(src []byte) (text string, rest []byte, ok bool) {
	var out []byte
	for {
		i := bytes.IndexByte(src, 0)
		if i < 0 || i+1 == len(src) {
			return "", nil, false
		}
		out = append(out, src[:i]...)
		end := src[i+1]
		src = src[i+2:]
		switch end {
		case textEnd:
			return string(out), src, true
		case textZero:
			out = append(out, 0)
		default:
			return "", nil, false
		}
	}
}

func appendUint(dst []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(dst, v) }

// appendTime appends t so that times sort as bytes do: seconds with the sign turned over, then nanoseconds. Unlike
// UnixNano it holds any time, the zero one too.
func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Unix())^1<<63)
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

// cutTime reads what appendTime wrote.
func cutTime(src []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(src)^1<<63), int64(binary.BigEndian.Uint32(src[8:]))).UTC()
}

func appendDeviceKey(dst []byte, table byte, dev storage.DeviceID) []byte {
	return appendText(append(dst, table), dev)
}

// appendNumberedKey appends the key of a row of one device: a task, a push, an entry of its timeline.
func appendNumberedKey(dst []byte, table byte, dev storage.DeviceID, n uint64) []byte {
	return appendUint(appendDeviceKey(dst, table, dev), n)
}

func appendNameKey[S ~string](dst []byte, table byte, name S) []byte {
	return append(append(dst, table), name...)
}

func appendOrderKey(dst []byte, dev storage.DeviceID, order string) []byte {
	return appendNamedKey(dst, tableOrder, dev, order)
}

func appendDeviceDueKey(dst []byte, d *storage.Device) []byte {
	return appendText(appendTime(append(dst, tableDeviceDue), d.Wait.Until), d.ID)
}

func appendResultsKey(dst []byte, r *storage.Results, epoch uint32, arrival uint64) []byte {
	dst = appendNumberedKey(dst, tableResults, r.Device, r.Task)
	return appendUint(binary.BigEndian.AppendUint32(dst, epoch), arrival)
}

// appendFlowKey appends what the queue entries of one flow begin with.
func appendFlowKey(dst []byte, f storage.Flow) []byte {
	return appendText(append(dst, tablePushDue, f.Priority), f.Name)
}

// cutFlow takes the flow of a queue entry, and leaves the rest: time, push and device.
func cutFlow(key []byte) (f storage.Flow, rest []byte, ok bool) {
	if len(key) < 2 {
		return f, nil, false
	}
	f.Priority = key[1]
	f.Name, rest, ok = cutText(key[2:])
	return f, rest, ok && len(rest) >= lenTime
}

// appendAwaitingKey appends what the entries of one number begin with that waits for reports through one modem.
func appendAwaitingKey(dst []byte, modem, number string) []byte {
	return appendText(appendText(append(dst, tableAwaiting), modem), storage.Tail(number))
}

func appendPushRef(dst []byte, p *storage.PushJob) []byte {
	return appendText(appendUint(dst, p.ID), p.Device)
}

// appendNamedKey appends the key of a row of one device that has a name: a node, a job.
func appendNamedKey[S ~string](dst []byte, table byte, dev storage.DeviceID, name S) []byte {
	return append(appendDeviceKey(dst, table, dev), name...)
}

func appendJobDueKey(dst []byte, ref storage.JobRef) []byte {
	return append(appendText(appendTime(append(dst, tableJobDue), ref.Until), ref.Device), ref.ID...)
}

// cutJobDue takes an entry of the jobs that wait apart.
func cutJobDue(key []byte) (ref storage.JobRef, ok bool) {
	if len(key) < 1+lenTime {
		return ref, false
	}
	dev, id, ok := cutText(key[1+lenTime:])
	return storage.JobRef{Until: cutTime(key[1:]), Device: storage.DeviceID(dev), ID: string(id)}, ok
}

func appendTargetKey(dst []byte, campaign string, number uint64) []byte {
	return appendUint(appendText(append(dst, tableTarget), campaign), number)
}

// appendTargetsIn appends what the entries of a campaign's targets in one state begin with.
func appendTargetsIn(dst []byte, campaign string, state storage.TargetState) []byte {
	return appendText(appendText(append(dst, tableTargetIn), campaign), state)
}

func appendTargetName(dst []byte, campaign, msisdn string) []byte {
	return append(appendText(append(dst, tableTargetName), campaign), msisdn...)
}

func appendFeedKey(dst []byte, offset uint64) []byte {
	return appendUint(append(dst, tableFeed), offset)
}

// after is the first key behind all keys that begin with prefix.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; ; i-- { // a table letter is never 0xFF
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}

// pushRef is what an index of pushes says: the push to look up.
type pushRef struct {
	device storage.DeviceID
	id     uint64
}

// cutPushRef takes the push and the device at the end of an index key.
func cutPushRef(src []byte) (pushRef, bool) {
	if len(src) < lenUint {
		return pushRef{}, false
	}
	dev, rest, ok := cutText(src[lenUint:])
	return pushRef{storage.DeviceID(dev), binary.BigEndian.Uint64(src)}, ok && len(rest) == 0
}

// cutAwaiting takes the reference to the push from an entry of tableAwaiting.
func cutAwaiting(key []byte) (ref []byte, ok bool) {
	_, rest, ok := cutText(key[1:])
	if !ok {
		return nil, false
	}
	if _, rest, ok = cutText(rest); !ok || len(rest) < 2 {
		return nil, false
	}
	return rest[2:], true
}

// cutNumbered takes device and number of a key made by appendNumberedKey, and what follows them.
func cutNumbered(key []byte) (dev storage.DeviceID, n uint64, rest []byte, ok bool) {
	text, rest, ok := cutText(key[1:])
	if !ok || len(rest) < lenUint {
		return "", 0, nil, false
	}
	return storage.DeviceID(text), binary.BigEndian.Uint64(rest), rest[lenUint:], true
}

// describe says in words what is kept under key, for errors and reports.
func describe(key []byte) string {
	unknown := fmt.Sprintf("unknown key %x", key)
	if len(key) == 0 {
		return unknown
	}
	number := func(what string) string {
		if dev, n, _, ok := cutNumbered(key); ok {
			return fmt.Sprintf("%s %d of device %q", what, n, dev)
		}
		return unknown
	}
	device := func(what string) string {
		dev, rest, ok := cutText(key[1:])
		switch {
		case !ok:
			return unknown
		case key[0] == tableOrder || key[0] == tableNode || key[0] == tableJob:
			return fmt.Sprintf("%s %q of device %q", what, rest, dev)
		}
		return fmt.Sprintf("%s %q", what, dev)
	}
	push := func(what string, rest []byte, head int) string {
		if len(rest) < head {
			return unknown
		}
		if ref, ok := cutPushRef(rest[head:]); ok {
			return fmt.Sprintf("%s of push %d of device %q", what, ref.id, ref.device)
		}
		return unknown
	}
	target := func(format string, key []byte) string {
		if campaign, rest, ok := cutText(key); ok && len(rest) == lenUint {
			return fmt.Sprintf(format, binary.BigEndian.Uint64(rest), campaign)
		}
		return unknown
	}
	switch key[0] {
	case tableStore:
		return fmt.Sprintf("store's own %q", key[1:])
	case tableDevice:
		return device("device")
	case tableMSISDN:
		return fmt.Sprintf("index entry of MSISDN %q", key[1:])
	case tableDevID:
		return fmt.Sprintf("index entry of DevID %q", key[1:])
	case tableDeviceDue:
		if len(key) < 1+lenTime {
			return unknown
		}
		if dev, _, ok := cutText(key[1+lenTime:]); ok {
			return fmt.Sprintf("due entry of device %q", dev)
		}
		return unknown
	case tableAccount:
		return device("account of device")
	case tableOrder:
		return device("order")
	case tableTask:
		return number("task")
	case tableOpenTask:
		return number("open entry of task")
	case tableResults:
		return number("results of task")
	case tablePush:
		return number("push")
	case tablePushDue:
		_, rest, _ := cutFlow(key)
		return push("due entry", rest, lenTime)
	case tablePushOnWay:
		return push("under-way entry", key, 1+lenTime)
	case tableAwaiting:
		rest, _ := cutAwaiting(key)
		return push("awaiting entry", rest, 0)
	case tableCampaign:
		return device("campaign")
	case tableTarget:
		return target("target %d of campaign %q", key[1:])
	case tableTargetIn:
		campaign, rest, _ := cutText(key[1:])
		if _, rest, ok := cutText(rest); ok && len(rest) == lenTime+lenUint {
			return fmt.Sprintf("entry of target %d of campaign %q", binary.BigEndian.Uint64(rest[lenTime:]), campaign)
		}
		return unknown
	case tableTargetName:
		if campaign, rest, ok := cutText(key[1:]); ok {
			return fmt.Sprintf("index entry of MSISDN %q in campaign %q", rest, campaign)
		}
		return unknown
	case tableDocument:
		return fmt.Sprintf("document %q", key[1:])
	case tableNode:
		return device("node")
	case tableJob:
		return device("job")
	case tableJobDue:
		if ref, ok := cutJobDue(key); ok {
			return fmt.Sprintf("due entry of job %q of device %q", ref.ID, ref.Device)
		}
		return unknown
	case tableCheckpoint:
		return device("checkpoint of device")
	case tableFeed:
		if len(key) == 1+lenUint {
			return fmt.Sprintf("feed entry %d", binary.BigEndian.Uint64(key[1:]))
		}
		return unknown
	case tableTimeline:
		return number("timeline entry")
	}
	return unknown
}
