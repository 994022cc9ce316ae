package script

import (
	"os"
	command "os/exec" // exec is a step here
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
)

// accepted are the findings of shellcheck that are meant so: a && b || c where both failures
// mean c, ls of names that we made, cat at the head of a pipe whose next part Go adds, text for
// another shell (and quotes in it), what only steps call or read, and os-release, which is the host's.
const accepted = "SC2015,SC2012,SC2002,SC2016,SC2317,SC2034,SC1091,SC1003"

// unset are variables that only functions want that the script does not call.
const unset = ",SC2154"

// TestShellcheck shows shellcheck the scripts as hosts get them, each with what goes before it:
// one file by itself does not have the variables of the others.
func TestShellcheck(t *testing.T) {
	if _, err := command.LookPath("shellcheck"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no shellcheck here: apt-get install shellcheck")
	}
	probes := []recipe.Probe{
		{Key: recipe.PathKey("/etc/it's"), Digest: true}, {Key: recipe.ContentKey("/etc/it's")}, {Key: recipe.ContentKey("/etc/b")},
		{Key: recipe.PathKey("/etc/filled"), Digest: true, Unfill: map[string]string{"@KEY@": "/etc/key"}},
		{Key: recipe.TreeKey("/srv/it's")}, {Key: recipe.FilesKey("/srv/it's"), Same: "x"}, {Key: recipe.PackageKey("nginx")}, {Key: recipe.CandidateKey("nginx")}, {Key: recipe.RemovalKey("nginx")}, {Key: recipe.UnitKey("nginx.service")},
		{Key: recipe.ListenerKey(80), Unit: "nginx.service"}, {Key: recipe.UserKey("www-data"), Digest: true},
		{Key: recipe.MemoryKey("nginx")}, {Key: recipe.MemoriesKey()}, {Key: recipe.TouchedKey("nginx")}, {Key: recipe.OwnerKey("/etc/it's")}, {Key: recipe.EntriesKey("/etc/it's")}, {Key: recipe.GroupKey("www-data")}, {Key: recipe.CommandKey("guard"), Script: "[ -e '/a b' ]"},
		recipe.Question(recipe.Addresses), {Key: recipe.FactKey("shop.kernel"), Script: "uname -r"},
	}
	for _, script := range []struct{ name, text, accepted string }{
		{"run", Run{Holder: "it's me"}.head() + source("say") + "library=\nundoing=\n" + library() + source("runner"), accepted},
		{"undoing", library() + source("undo"), accepted + unset},
		{"rehearsal", library() + "rehearsing=yes\n" + rehearsal(recipe.Rehearse{Trees: []string{"/etc/it's"}, Check: "true"}), accepted + unset},
		{"verdict", Verdict("000001", "nginx.service", 2), accepted + unset},
		{"takeover", TakeOver("000001", time.Minute), accepted + unset},
		{"probe", Probe(probes), accepted},
		{"guards", source("ask/guard", "ask/fact"), accepted},
		{"receive", Receive("/etc/it's", "it's", 0o644, 3, "00"), accepted + unset},
		{"deliver", Deliver("/etc/it's"), accepted + unset},
		{"exec", AsUser("it's", Within(0.5, "true")), accepted + unset},
	} {
		c := command.CommandContext(t.Context(), "shellcheck", "--shell=sh", "--exclude="+script.accepted, "-")
		c.Stdin = strings.NewReader(script.text)
		if found, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script.name, err, found)
		}
	}
}
