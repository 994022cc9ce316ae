package main

import (
	"strings"

	"github.com/spf13/pflag"

	"provision/internal/run"
	"provision/internal/script"
)

// again returns the command to run just the hosts that did not end well once more: this
// one, with other hosts.
func (f *flags) again(e errand, results []run.Result) string {
	failed := map[string]bool{}
	for _, result := range results {
		if codeOf(result.Status) != exitGood {
			failed[result.Host] = true
		}
	}
	if len(failed) == 0 || len(failed) == len(results) {
		return ""
	}
	var hosts []string
	for i, w := range e.work {
		if failed[w.Target.Name] {
			hosts = append(hosts, e.typed[i])
		}
	}
	return rewrite(f.arguments, f.command.Flags(), hosts)
}

// rewrite returns a command line with other hosts, quoted for a shell. It reads the words
// as pflag does: which of them is a flag's value only the flags can say. The flags are
// those of the verb, and no group of letters in it has a value but at its end.
func rewrite(args []string, flags *pflag.FlagSet, hosts []string) string {
	words := []string{"provision"}
	option := "-l"
	var rest []string
	for len(args) > 0 {
		if args[0] == "--" {
			rest = args
			break
		}
		length, kept, dropped := flagWords(args, flags)
		words = append(words, kept...)
		if dropped == "hosts" {
			option = "-H"
		}
		args = args[length:]
	}
	words = append(words, option, strings.Join(hosts, ","))
	return script.QuoteAll(append(words, rest...)...)
}

// flagWords reads one flag with its value, or one argument: how many words it takes, which
// of them stay, and the name of the flag for hosts that is dropped.
func flagWords(args []string, flags *pflag.FlagSet) (length int, kept []string, dropped string) {
	word := args[0]
	length = 1
	if name, long := strings.CutPrefix(word, "--"); long {
		name, _, joined := strings.Cut(name, "=")
		flag := flags.Lookup(name)
		if flag != nil && !joined && flag.NoOptDefVal == "" {
			length = min(2, len(args))
		}
		if isHostFlag(flag) {
			return length, nil, name
		}
		return length, args[:length], ""
	}
	if !strings.HasPrefix(word, "-") || word == "-" {
		return 1, args[:1], ""
	}
	for at := 1; at < len(word); at++ {
		flag := flags.ShorthandLookup(word[at : at+1])
		if flag == nil || flag.NoOptDefVal != "" {
			continue
		}
		if at == len(word)-1 {
			length = min(2, len(args))
		}
		if !isHostFlag(flag) {
			break
		}
		if at > 1 { // letters before it: -yH web1
			kept = []string{word[:at]}
		}
		return length, kept, flag.Name
	}
	return length, args[:length], ""
}

func isHostFlag(flag *pflag.Flag) bool {
	return flag != nil && (flag.Name == "hosts" || flag.Name == "limit")
}
