package api

import (
	"time"
	"unicode/utf8"

	"dmgate/storage"
)

// Answer is what a device said to one command.
type Answer struct {
	Task    uint64    `json:"task"`
	Command int       `json:"command"` // which of the task's commands, from 0
	Session string    `json:"session"`
	Time    time.Time `json:"time"`
	URI     string    `json:"uri"`
	Code    int       `json:"code"`
	Format  string    `json:"format,omitempty"`
	Type    string    `json:"type,omitempty"`
	Data    string    `json:"data,omitempty"`    // text
	Binary  []byte    `json:"binary,omitempty"`  // base64, where the data is no text
	Late    bool      `json:"late,omitempty"`    // code is the result of an Exec that was answered with 202 before
	Partial bool      `json:"partial,omitempty"` // a large object of which only the first part has come
}

// ResultPage is a page of what a device has answered.
type ResultPage struct {
	Answers []Answer `json:"answers"`
	Next    uint64   `json:"next,omitempty"` // the ?after of the next page
}

// showAnswers lists the answers in results, which hold whole tasks. The parts of a large object, each of which came in a
// message of its own, become one answer where its last part came.
func showAnswers(results []storage.Results) []Answer {
	out := []Answer{}
	var object whole
	for i := range results {
		r := &results[i]
		for k := range r.Answers {
			a := &r.Answers[k]
			shown := Answer{
				Task: r.Task, Command: a.Command, Session: r.Session, Time: r.Time, URI: string(a.URI), Code: a.Code,
				Format: string(a.Format), Type: string(a.Type), Late: a.Late,
			}
			if a.Part == 0 {
				shown.show(a.Data)
				out = append(out, shown)
				continue
			}
			if a.Part == 1 {
				out = object.flush(out)
			}
			object.add(&shown, a)
			if !a.More {
				out = object.flush(out)
			}
		}
	}
	return object.flush(out)
}

// show puts data into the answer.
func (a *Answer) show(data []byte) {
	if utf8.Valid(data) {
		a.Data = string(data)
	} else {
		a.Binary = data
	}
}

// whole is a large object being put together. A device sends one at a time.
type whole struct {
	begun  bool
	answer Answer
	data   []byte
}

func (o *whole) add(shown *Answer, a *storage.Answer) {
	first := o.answer
	begun := o.begun
	o.begun, o.answer = true, *shown
	o.answer.Partial = a.More
	if begun { // only the first part says what it is
		o.answer.URI, o.answer.Format, o.answer.Type = first.URI, first.Format, first.Type
	}
	if a.Code/100 != 2 { // what has come is of no use
		o.data = nil
		return
	}
	o.data = append(o.data, a.Data...)
}

// flush adds what there is to out.
func (o *whole) flush(out []Answer) []Answer {
	if o.begun {
		o.answer.show(o.data)
		out = append(out, o.answer)
	}
	*o = whole{}
	return out
}
