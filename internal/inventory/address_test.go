package inventory

import (
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	tests := map[string]Address{
		"web1":                    {Host: "web1"},
		"root@web1":               {User: "root", Host: "web1"},
		"root@web1.example.:2222": {User: "root", Host: "web1.example.", Port: 2222},
		"192.0.2.10:22":           {Host: "192.0.2.10", Port: 22},
		"[::1]":                   {Host: "::1"},
		"[::1]:22":                {Host: "::1", Port: 22},
		"a@[fe80::1%eth0]:65535":  {User: "a", Host: "fe80::1%eth0", Port: 65535},
		"www-data@my_host-1":      {User: "www-data", Host: "my_host-1"},
		"xn--bcher-kva.example":   {Host: "xn--bcher-kva.example"},
	}
	for spec, want := range tests {
		got, err := ParseHost(spec)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v; want %+v", spec, got, err, want)
		}
		if got.String() != spec {
			t.Errorf("%q: String is %q", spec, got)
		}
	}
}

func TestParseHostRefuses(t *testing.T) {
	tests := map[string]string{ // a part of the problem
		"":                        "is empty",
		"h:0":                     `"0" is not a port`,
		"h:70000":                 `"70000" is not a port`,
		"h:22x":                   `"22x" is not a port`,
		"h:":                      `"" is not a port`,
		"h:+22":                   `"+22" is not a port`,
		"h:022":                   `"022" is not a port`,
		"h:99999999999999999999":  "is not a port",
		"::1":                     "needs brackets",
		"2001:db8::1:22":          "needs brackets",
		"[::1":                    "bracket is not closed",
		"[::1]22":                 `"22" after the bracket`,
		"[web1]:22":               `"web1" is not an IPv6 address`,
		"[192.0.2.1]:22":          "is not an IPv6 address",
		"[fe80::1%]":              "is not a network interface",
		"[fe80::1%e;id]":          "is not a network interface",
		"-oProxyCommand=id":       "starts with -",
		"root@-oProxyCommand=id":  "starts with -",
		"-l@h":                    "starts with -",
		"h;id":                    "is not a host name",
		"$(id)":                   "is not a host name",
		"`id`":                    "is not a host name",
		"a b":                     "is not a host name",
		" h":                      "is not a host name",
		"h\n":                     "is not a host name",
		"h\x00":                   "is not a host name",
		"a/b":                     "is not a host name",
		"h..example":              "is not a host name",
		"h-.example":              "is not a host name",
		"bücher.example":          "is not a host name",
		".":                       "the host's name is missing",
		":22":                     "the host's name is missing",
		"@h":                      `"" is not a user name`,
		"root@":                   "the host's name is missing",
		"root;id@h":               `"root;id" is not a user name`,
		"ro ot@h":                 "is not a user name",
		"machine$@h":              "is not a user name", // a shell would read $@
		"root\n@h":                "is not a user name",
		"a@b@h":                   "has two @",
		"web*":                    "is a pattern",
		"ssh://h":                 "is a URL",
		"300.1.1.1":               "is not an IPv4 address",
		"1.2.3":                   "is not an IPv4 address",
		"192.0.2.010":             "is not an IPv4 address",
		strings.Repeat("a", 64):   "has a part of 64 characters",
		strings.Repeat("a.", 200): "longer than any host name",
		strings.Repeat("a", 500):  "longer than any host name",
	}
	for spec, want := range tests {
		address, err := ParseHost(spec)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v; want %q", spec, address, err, want)
		} else if strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q: the error is more than a line: %q", spec, err)
		}
	}
}

func TestParseHostNeverShowsAPassword(t *testing.T) {
	for _, spec := range []string{"root:hunter2@web1", "ssh://root:hunter2@web1", "root:hunter2@web1:22x", "root:hunter2@-x"} {
		_, err := ParseHost(spec)
		if err == nil || strings.Contains(err.Error()+hintOf(err), "hunter2") {
			t.Errorf("%q: got %v, hint %q", spec, err, hintOf(err))
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, spec := range []string{"root@web1:22", "[fe80::1%eth0]:22", "::1", "-o", "a;b@c", "h:70000", "[]", "@", "a:b@c"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		address, err := ParseHost(spec)
		if err != nil {
			return
		}
		for _, part := range []string{address.User, address.Host} {
			if strings.HasPrefix(part, "-") || strings.ContainsAny(part, " ;$`&|<>(){}'\"\\/\n\r\t\x00*?!#~") {
				t.Errorf("%q: %q would not be safe in a command", spec, part)
			}
		}
		if address.Host == "" || address.Port < 0 || address.Port > 65535 {
			t.Errorf("%q: got %+v", spec, address)
		}
		if again, err := ParseHost(address.String()); err != nil || again != address {
			t.Errorf("%q: %q reads as %+v, %v", spec, address, again, err)
		}
	})
}
