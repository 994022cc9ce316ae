package recipe

import (
	"reflect"
	"slices"
	"testing"
)

// hostOf is an input of which everything has to do with a word.
func hostOf(word string) Input {
	said := func() (Said, bool) { return Said{Text: word}, true }
	return Input{
		Vars: Values{"a": word}, Instance: word, System: System{Codename: word}, Release: &Release{Version: word}, Address: word, Guess: len(word) > 1,
		Of:       func(string) Values { return Values{"a": word} },
		Ask:      func(Probe, string) (Said, bool) { return said() },
		Peers:    func(string) ([]Peer, error) { return []Peer{{Listed: Listed{Name: word}}}, nil },
		Exported: func(string, string, string) (Said, bool) { return said() },
		Host: HostOf(
			Listed{Name: word, Address: word, Groups: []string{word}, Tasks: []string{word}}, Platform{Hostname: word, CPUs: len(word), MemoryMB: len(word)},
		),
	}
}

// sees reports whether a host differs from a first one in what was looked at of that.
func sees(looks []Look, other Input) bool {
	return slices.ContainsFunc(looks, func(look Look) bool { return !reflect.DeepEqual(look.At(other), look.Seen) })
}

// There is nothing in an input that a build could see unnoted: what is no call is looked at from the first on,
// what is one when it is called.
func TestNothingIsSeenUnnoted(t *testing.T) {
	one, other := reflect.ValueOf(hostOf("a")), reflect.ValueOf(hostOf("bc"))
	for i := range one.NumField() {
		name := one.Type().Field(i).Name
		differs := reflect.New(one.Type()).Elem() // from one in the field alone
		differs.Set(one)
		differs.Field(i).Set(other.Field(i))
		in := one.Interface().(Input)
		var looks []Look
		noted := reflect.ValueOf(in.Noted(func(look Look) { looks = append(looks, look) }))
		if sees(looks, in) {
			t.Fatalf("%s: an input differs from itself", name)
		}
		calls := map[string]reflect.Value{}
		switch value := noted.Field(i); {
		case value.Kind() == reflect.Func:
			calls[name] = value
		case name == "Host":
			for m := range value.NumMethod() {
				calls["Host."+value.Type().Method(m).Name] = value.Method(m)
			}
		case !sees(looks, differs.Interface().(Input)):
			t.Errorf("%s is not noted", name)
		}
		for name, call := range calls {
			before := len(looks)
			if sees(looks, differs.Interface().(Input)) {
				t.Errorf("%s is looked at before it is called", name)
			}
			arguments := make([]reflect.Value, call.Type().NumIn())
			for a := range arguments {
				arguments[a] = reflect.Zero(call.Type().In(a))
			}
			call.Call(arguments)
			if !sees(looks[before:], differs.Interface().(Input)) || sees(looks, in) {
				t.Errorf("%s is called, and that is not noted", name)
			}
			looks = looks[:before]
		}
	}
	without := hostOf("a")
	without.Peers = nil
	var looks []Look
	hostOf("a").Noted(func(look Look) { looks = append(looks, look) })
	if !sees(looks, without) {
		t.Error("it is not noted that there are peers to ask for")
	}
}
