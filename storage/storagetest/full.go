package storagetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"dmgate/storage"
)

// FullCampaign is a commit that makes a campaign and fills every field of its record, with a target of every state
// whose fields are all filled, for tests of engines and of the encoding.
func FullCampaign(id string) *storage.CampaignCommit {
	states := []storage.TargetState{
		storage.TargetPending, storage.TargetHeld, storage.TargetBegun, storage.TargetDone, storage.TargetFailed,
		storage.TargetRefused, storage.TargetCancelled,
	}
	c := &storage.CampaignCommit{Campaign: id, Time: at(9), New: new(storage.Campaign)}
	n := 0
	fill(reflect.ValueOf(c.New).Elem(), &n)
	c.New.ID, c.New.State, c.New.Last = id, storage.CampaignHeld, uint64(len(states))
	for i, state := range states {
		var t storage.Target
		fill(reflect.ValueOf(&t).Elem(), &n)
		t.Campaign, t.Number, t.State, t.NotBefore = id, uint64(i+1), state, at(i)
		c.Targets = append(c.Targets, t)
	}
	return c
}

// WantFullCampaign checks that s holds all of FullCampaign(id).
func WantFullCampaign(t *testing.T, s storage.Store, id string) {
	t.Helper()
	c := FullCampaign(id)
	wantSame(t, "campaign", must(s.Campaign(id))(t), c.New)
	wantSame(t, "targets", must(s.Targets(id, 0, 99))(t), c.Targets)
	for i := range c.Targets[:3] {
		in := &c.Targets[i]
		wantSame(t, string(in.State), must(s.TargetsIn(id, in.State, at(9), 99))(t), []storage.Target{*in})
		wantSame(t, "by MSISDN", must(s.FindTarget(id, in.MSISDN))(t), in.Number)
	}
}

// Full is a record with every field filled.
func Full[T any]() *T {
	r, n := new(T), 0
	fill(reflect.ValueOf(r).Elem(), &n)
	return r
}

// fill sets every field of v to a value that no other has, but for truths, and puts one element into each list and map.
func fill(v reflect.Value, n *int) {
	*n++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(at(*n)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n%200 + 1))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	default:
		panic(fmt.Sprintf("a field of type %s", v.Type()))
	}
}
