package inventory

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/address"
)

// What Fold writes is read as the names that were folded.
func TestFoldIsReadBack(t *testing.T) {
	for _, c := range []struct{ names, want string }{
		{"web1", "web1"},
		{"web1 web2", "web1 web2"},
		{"web1 web2 web3", "web[1:3]"},
		{"web8 web9 web10 web11", "web[8:11]"},
		{"web08 web09 web10", "web[08:10]"},
		{"web98 web99 web100", "web[98:100]"},
		{"web098 web99 web100", "web098 web99 web100"},
		{"web10 db1 web9 db2 web8 db3", "db[1:3] web[8:10]"},
		{"web1 web2 web3 web5 web6 web7 web9", "web[1:3] web[5:7] web9"},
		{"web1-a web2-a web3-a web1-b", "web[1:3]-a web1-b"},
		{"rack1-web1 rack1-web2 rack1-web3 rack2-web1", "rack1-web[1:3] rack2-web1"},
		{"root@10.0.0.9:22 root@10.0.0.10:22 root@10.0.0.11:22", "root@10.0.0.[9:11]:22"},
		{"[::1]:22 [::2]:22 [::3]:22", "[::1]:22 [::2]:22 [::3]:22"},
		{"web1 web1 web2 web3", "web[1:3]"},
		{"web0998 web0999 web1000", "web[0998:1000]"},
		{"a web1.x.org web2.x.org web3.x.org", "a web[1:3].x.org"},
		{"web1 web3 web5", "web1 web3 web5"},
		{"web09 web9 web10 web11 web12", "web[09:12] web9"},
		{"a99999999999999999999 b", "a99999999999999999999 b"},
	} {
		names := strings.Fields(c.names)
		folded := address.Fold(names)
		if got := strings.Join(folded, " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.names, got, c.want)
		}
		back, err := Expand(folded)
		slices.Sort(names)
		slices.Sort(back)
		if names = slices.Compact(names); err != nil || !slices.Equal(back, names) {
			t.Errorf("%s: read back %s, %v", c.names, back, err)
		}
	}
}
