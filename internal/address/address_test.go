package address

import "testing"

func TestString(t *testing.T) {
	for want, a := range map[string]Address{
		"h": {Host: "h"}, "u@h": {User: "u", Host: "h"}, "u@[::1]:22": {User: "u", Host: "::1", Port: 22}, "h:1": {Host: "h", Port: 1},
		"[fe80::1%eth0]": {Host: "fe80::1%eth0"},
	} {
		if got := a.String(); got != want {
			t.Errorf("%+v: %s, want %s", a, got, want)
		}
	}
}

func TestPlace(t *testing.T) {
	one := Address{User: "root", Host: "Web1.Example.", Port: 22}
	if other := (Address{Host: "web1.example"}); one.Place() != other.Place() {
		t.Errorf("%q is not %q", one.Place(), other.Place())
	}
	if other := (Address{Host: "web1.example", Port: 2222}); one.Place() == other.Place() {
		t.Errorf("another port is the same place: %q", one.Place())
	}
}

func TestParsePort(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "22": 22, "65535": 65535} {
		if port, ok := ParsePort(text); !ok || port != want {
			t.Errorf("%q: %d, %v", text, port, ok)
		}
	}
	for _, text := range []string{"", "0", "022", "65536", "99999", "123456", "-1", "+22", "22x", " 22", "22\n"} {
		if port, ok := ParsePort(text); ok {
			t.Errorf("%q is port %d", text, port)
		}
	}
}
