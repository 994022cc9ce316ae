package script_test

import (
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/script"
)

func guard(name, text string) recipe.Probe {
	return recipe.Probe{Key: recipe.CommandKey(name), Script: text}
}

// A guard ends when its command has, whatever that left in the background.
func TestGuardThatLeavesSomethingInTheBackground(t *testing.T) {
	began := time.Now()
	answer := ask(t,
		guard("background", `echo said; (sleep 120; echo late) & exit 3`),
		guard("detached", `setsid sleep 120 & printf 'no newline'`),
		guard("lines", `printf 'a\n\n'; echo b >&2; cat`),
		guard("nothing", `return 4`),
		guard("much", `head -c 100000 /dev/zero | tr '\0' x`),
		guard("no sh", `echo "`),
		guard("long", `: `+strings.Repeat("x", 200_000)+"\necho long"),
	)
	if elapsed := time.Since(began); elapsed > 100*time.Second {
		t.Errorf("it took %s", elapsed)
	}
	for name, want := range map[string]recipe.Command{
		"background": {Exit: 3, Output: "said"}, "detached": {Output: "no newline"}, "lines": {Output: "a"}, "nothing": {Exit: 4},
		"much": {Output: strings.Repeat("x", 1024)}, "no sh": {Exit: 2}, "long": {Output: "long"},
	} {
		if got := answer.Facts.Command(name); got.Exit != want.Exit || got.Output != want.Output {
			t.Errorf("%s: %d %q, want %d %q", name, got.Exit, got.Output, want.Exit, want.Output)
		}
	}
}

// One that does not end is named, in bounded time.
func TestGuardThatDoesNotEnd(t *testing.T) {
	probes := []recipe.Probe{guard("before", "true"), guard("it waits", "sleep 100"), guard("later", "true")}
	text := script.Probe(probes)
	short := strings.Replace(text, "ask_guards 60 ", "ask_guards 1 ", 1)
	if short == text {
		t.Fatal("there is no limit")
	}
	_, err := script.ParseAnswer(probes, run(t, short))
	if err == nil || !strings.Contains(err.Error(), `the guard of "it waits" does not end`) {
		t.Errorf("error %v", err)
	}
}
