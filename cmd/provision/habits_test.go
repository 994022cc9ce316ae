package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What the tables say to type is there, and what they say it in the place of is not: else the
// row would never be seen.
func TestHabits(t *testing.T) {
	root := newRoot(&flags{}, console{os.Stdin, os.Stdout, os.Stderr})
	verbs := map[string]*cobra.Command{}
	known, everywhere := map[string]bool{}, map[string]int{}
	for _, command := range documented(root)[1:] {
		verbs[command.CommandPath()] = command
		command.InheritedFlags()
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			for _, name := range []string{flag.Name, flag.Shorthand} {
				known[name] = true
				everywhere[name]++
			}
		})
	}
	checkHint := func(hint string) {
		words := strings.Fields(strings.NewReplacer(",", "", "(", "", ")", "", ":", "", ";", "", "'", "").Replace(hint))
		for i, word := range words {
			if name, isFlag := strings.CutPrefix(word, "-"); isFlag && !known[strings.TrimPrefix(name, "-")] && word != "--" && word != "-sd" {
				t.Errorf("%s: no verb has the flag %s", hint, word)
			}
			if word == "provision" && (i+1 == len(words) || verbs["provision "+words[i+1]] == nil) {
				t.Errorf("%s: there is no such verb", hint)
			}
		}
	}
	for _, row := range otherVerbs {
		checkHint(row.hint)
		for _, word := range strings.Fields(row.words) {
			if verbs["provision "+word] != nil {
				t.Errorf("provision %s is a verb of ours", word)
			}
		}
	}
	for _, row := range otherFlags {
		checkHint(row.hint)
		for _, name := range strings.Fields(row.names) {
			if everywhere[name] == len(verbs) {
				t.Errorf("%s is a flag of every verb", name)
			}
		}
	}
	for _, row := range otherValues {
		checkHint(row.hint)
		if !known[row.flag] {
			t.Errorf("no verb has the flag --%s", row.flag)
		}
	}
}
