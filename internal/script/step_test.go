package script

import (
	"regexp"
	"testing"
)

func TestProcAddress(t *testing.T) {
	for listener, want := range map[string]string{
		"127.0.0.1:2003": "0100007F:07D3",
		"0.0.0.0:80":     "00000000:0050",
		":80":            ":0050",
		"[::1]:443":      ":01BB",
		"localhost:8080": ":1F90",
		"/run/x.sock":    "/run/x.sock",
	} {
		if got := procAddress(listener); got != want {
			t.Errorf("procAddress(%q) = %s, want %s", listener, got, want)
		}
	}
}

func TestStripLeavesOutOnlyCommentsAndIndentation(t *testing.T) {
	const text = "# comment\n\tif x; then # not this one\n\t\techo '#'\n\n\tfi\n"
	if got, want := strip(text), "if x; then # not this one\necho '#'\nfi\n"; got != want {
		t.Errorf("strip: %q, want %q", got, want)
	}
}

// The files of sh share one shell: the second function of a name would take the place of the
// first, also for those that call it.
func TestNoFunctionIsDefinedTwice(t *testing.T) {
	defined := regexp.MustCompile(`(?m)^(\w+)\(\)`)
	for name, text := range map[string]string{"run": source("say") + library() + source("runner"), "undoing": library() + source("undo")} {
		seen := map[string]bool{}
		for _, match := range defined.FindAllStringSubmatch(text, -1) {
			if seen[match[1]] {
				t.Errorf("%s: %s is defined twice", name, match[1])
			}
			seen[match[1]] = true
		}
		if len(seen) < 20 {
			t.Errorf("%s: found %d functions", name, len(seen))
		}
	}
}
