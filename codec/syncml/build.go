package syncml

import (
	"encoding/base64"
	"strconv"
)

// The builders below fill a message that is to be sent. Byte slices handed in are kept as views until Append.

// AddCommand appends a command of kind k and returns it to be filled. The pointer is valid until the next AddCommand.
func (m *Message) AddCommand(k Kind) *Command {
	if len(m.Commands) < cap(m.Commands) {
		m.Commands = m.Commands[:len(m.Commands)+1]
	} else {
		m.Commands = append(m.Commands, Command{})
	}
	c := &m.Commands[len(m.Commands)-1]
	*c = Command{Kind: k}
	return c
}

// AddItem appends an item to the last command and returns it to be filled. The pointer is valid until the next AddItem.
func (m *Message) AddItem() *Item {
	c := &m.Commands[len(m.Commands)-1]
	start := len(m.items) - len(c.Items)
	if len(m.items) < cap(m.items) {
		m.items = m.items[:len(m.items)+1]
	} else {
		m.items = append(m.items, Item{})
	}
	m.items[len(m.items)-1] = Item{}
	c.Items = m.items[start:len(m.items):len(m.items)]
	return &m.items[len(m.items)-1]
}

// Code is the number in c.Data: a status code or an alert code; 0 where it is none.
func (c *Command) Code() int { return number(c.Data) }

// Format is that of the Data of it, an item of c: what its own Meta says, else what the command's does. Empty stands for
// chr.
func (c *Command) Format(it *Item) []byte {
	if len(it.Meta.Format) > 0 {
		return it.Meta.Format
	}
	return c.Meta.Format
}

// number is the value of a short decimal; 0 where b is none.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 9 {
		return 0
	}
	n := 0
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0
		}
		n = n*10 + int(d-'0')
	}
	return n
}

// Text joins parts in the message's own memory and returns a view that lives as long as the message's content.
func (m *Message) Text(parts ...string) []byte {
	start := len(m.scratch)
	for _, p := range parts {
		m.scratch = append(m.scratch, p...)
	}
	return m.scratch[start:len(m.scratch):len(m.scratch)]
}

// Base64 is Text of b in base64.
func (m *Message) Base64(b []byte) []byte {
	start := len(m.scratch)
	m.scratch = base64.StdEncoding.AppendEncode(m.scratch, b)
	return m.scratch[start:len(m.scratch):len(m.scratch)]
}

// Number is Text of n in decimal.
func (m *Message) Number(n int) []byte {
	start := len(m.scratch)
	m.scratch = strconv.AppendInt(m.scratch, int64(n), 10)
	return m.scratch[start:len(m.scratch):len(m.scratch)]
}
