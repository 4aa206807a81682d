package storagetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// Same compares values as records compare: times by the moment they mean, empty slices and maps as nil ones.
func Same(a, b any) bool { return Difference(a, b) == "" }

// Difference says where a and b differ, and nothing where they are the same.
func Difference(a, b any) string { return difference("", reflect.ValueOf(a), reflect.ValueOf(b)) }

func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := Difference(got, want); d != "" {
		t.Errorf("%s: got and want differ at%s", what, d)
	}
}

func difference(path string, a, b reflect.Value) string {
	differ := func() string { return fmt.Sprintf("%s: %v, %v", path, a, b) }
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		if a.IsValid() || b.IsValid() {
			return differ()
		}
		return ""
	}
	if moment, ok := a.Interface().(time.Time); ok {
		if !moment.Equal(b.Interface().(time.Time)) {
			return differ()
		}
		return ""
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return differ()
			}
			return ""
		}
		return difference(path, a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if d := difference(path+" ."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d elements, %d elements: %v, %v", path, a.Len(), b.Len(), a, b)
		}
		for i := range a.Len() {
			if d := difference(fmt.Sprintf("%s [%d]", path, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Map:
		if a.Len() != b.Len() {
			return differ()
		}
		for _, k := range a.MapKeys() {
			if d := difference(fmt.Sprintf("%s [%v]", path, k), a.MapIndex(k), b.MapIndex(k)); d != "" {
				return d
			}
		}
		return ""
	}
	if !a.Equal(b) {
		return differ()
	}
	return ""
}
