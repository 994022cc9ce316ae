package script_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

func own(name, text string) recipe.Probe {
	return recipe.Probe{Key: recipe.FactKey(name), Script: text}
}

// What this machine says of itself is what the system says.
func TestFactsOfTheHost(t *testing.T) {
	facts := ask(t, recipe.Question(recipe.Addresses), recipe.Question(recipe.Interface), recipe.Question(recipe.Virtualization), recipe.Question(recipe.BootID)).Facts
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	if got := facts.Said(recipe.BootID); got != (recipe.Said{Text: strings.TrimSpace(string(boot))}) {
		t.Errorf("boot_id %+v", got)
	}
	for _, address := range strings.Fields(facts.Said(recipe.Addresses).Text) {
		if ip := net.ParseIP(address); ip == nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			t.Errorf("address %q", address)
		}
	}
	route, err := net.Dial("udp", "192.0.2.1:9") // it sends nothing
	if device := facts.Said(recipe.Interface).Text; err == nil {
		defer route.Close()
		from := route.LocalAddr().(*net.UDPAddr).IP.String()
		if !slices.Contains(strings.Fields(facts.Said(recipe.Addresses).Text), from) {
			t.Errorf("%s is not among %q", from, facts.Said(recipe.Addresses).Text)
		}
		if found, err := net.InterfaceByName(device); err != nil || found.Flags&net.FlagUp == 0 {
			t.Errorf("interface %q: %v", device, err)
		}
	} else if device != "" {
		t.Errorf("there is no default route (%v), and its interface is %q", err, device)
	}
	if got := facts.Said(recipe.Virtualization); got.Problem == "" && (got.Text == "" || strings.ContainsAny(got.Text, " \n")) {
		t.Errorf("virtualization %+v", got)
	}
}

// A task's own question: its answer, or why that is none.
func TestOwnQuestions(t *testing.T) {
	full := strings.Repeat("x", recipe.MostSaid)
	said := ask(t,
		own("a.plain", "echo it; echo is"), own("a.full", "printf '%s\\n\\n' "+full), own("a.more", "printf '%s\\ny' "+full),
		own("a.fails", "echo no; exit 3"), own("a.empty", ":"), own("a.bytes", "printf 'a\\377'"), own("b.quotes", `printf '%s' "it's \$HOME"`), own("b.background", "echo it; sleep 30 &"),
		own("c.input", "cat"),
	).Facts
	for name, want := range map[string]recipe.Said{
		"a.plain": {Text: "it\nis"}, "a.full": {Text: full}, "a.empty": {}, "b.quotes": {Text: "it's $HOME"}, "b.background": {Text: "it"}, "c.input": {},
	} {
		if got := said.Said(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for name, want := range map[string]string{"a.more": "says more than 1024 bytes", "a.fails": "ends with 3", "a.bytes": "is no text in UTF-8"} {
		if got := said.Said(name).Problem; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// One that does not end keeps no other from its answer.
func TestOwnQuestionThatDoesNotEnd(t *testing.T) {
	probes := []recipe.Probe{own("a", "sleep 600"), own("b", "echo b")}
	text := script.Probe(probes)
	for most := 1; ; most *= 2 { // a busy machine does not answer in a second
		short := strings.ReplaceAll(text, "ask_guards 10 ", fmt.Sprintf("ask_guards %d ", most))
		if short == text {
			t.Fatal("there is no limit")
		}
		answer, err := script.ParseAnswer(probes, run(t, short))
		if err != nil || answer.Facts.Said("a").Problem != "does not end in 10s" {
			t.Fatalf("%+v: %v", answer.Facts, err)
		}
		if answer.Facts.Said("b") == (recipe.Said{Text: "b"}) {
			return
		}
		if most > 50 {
			t.Fatalf("%+v", answer.Facts)
		}
	}
}

// What a question leaves in the background ends with it, also where that heeds no SIGTERM.
func TestOwnQuestionLeavesNothing(t *testing.T) {
	said := ask(t, own("a", "sleep 299 & echo $!"), own("b", "(trap '' TERM; exec sleep 299) & echo $!")).Facts
	for _, name := range []string{"a", "b"} {
		left := "/proc/" + said.Said(name).Text
		for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			stat, err := os.ReadFile(left + "/stat")
			if err != nil || strings.Contains(string(stat), ") Z ") { // nobody may have waited for it yet
				break
			}
			if time.Since(began) > time.Minute {
				t.Errorf("%s: %s lives on: %s", name, left, stat)
				break
			}
		}
	}
}
