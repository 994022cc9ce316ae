package script_test

import (
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// Of a conffile of this machine the owner, its package's digest, and whether it is as that has it are told.
func TestProbeOfAConffile(t *testing.T) {
	text, err := exec.Command("dpkg-query", "-W", "-f", "${Package}\n${Conffiles}\n").Output()
	if err != nil {
		t.Skipf("no dpkg: %v", err)
	}
	owner := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 1 {
			owner = words[0]
		}
		if len(words) != 2 || !strings.HasPrefix(line, " ") {
			continue
		}
		content, err := os.ReadFile(words[0])
		if err != nil {
			continue
		}
		want := recipe.Owner{Package: owner, Conffile: true, Digest: words[1], Shipped: fmt.Sprintf("%x", md5.Sum(content)) == words[1]}
		other := recipe.OwnerKey("/usr/bin/dpkg")
		answer := ask(t, recipe.Probe{Key: recipe.OwnerKey(words[0])}, recipe.Probe{Key: other})
		if got := answer.Facts.Owner(words[0]); got != want {
			t.Errorf("%s: %+v, want %+v", words[0], got, want)
		}
		if got := answer.Facts.Owner("/usr/bin/dpkg"); got != (recipe.Owner{Package: "dpkg"}) {
			t.Errorf("dpkg: %+v", got)
		}
		return
	}
	t.Skip("no conffile on this machine")
}
