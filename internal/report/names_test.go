package report

import (
	"strings"
	"testing"
)

func TestShortList(t *testing.T) {
	for names, want := range map[string]string{
		"":                                   "",
		"web1":                               "web1",
		"web1 web2":                          "web1,web2",
		"web1 web2 web3":                     "web[1:3]",
		"web08 web09 web10 db1":              "web[08:10],db1",
		"web8 web9 web10":                    "web[8:10]",
		"web98 web99 web100":                 "web[98:100]",
		"web098 web099 web100":               "web[098:100]",
		"web0998 web0999 web1000":            "web[0998:1000]",
		"web08 web9 web10":                   "web08,web9,web10",
		"a web1.x.org web2.x.org web3.x.org": "a,web[1:3].x.org",
		"web1 web3 web5":                     "web1,web3,web5",
		"10.0.0.1 10.0.0.2 10.0.0.3":         "10.0.0.[1:3]",
		"web99999999999999999999 b":          "web99999999999999999999,b",
		"web09 web9 web10 web11 web12":       "web09,web[9:12]",
	} {
		if got := shortList(strings.Fields(names)); got != want {
			t.Errorf("%s: %s, want %s", names, got, want)
		}
	}
}
