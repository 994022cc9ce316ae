package script

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"provision/internal/recipe"
)

// State is the directory of the host's own memory: lock, journal, kept copies, pending
// notifications. Only root may look into it.
const State = "/var/lib/provision"

// sections of an answer. Each is announced by its name between two \x01 bytes, which no
// record begins with: paths begin with a slash, digests with a hex digit.
const (
	sectionHost       = "\x01host\x01"
	sectionPaths      = "\x01paths\x01"
	sectionDigests    = "\x01digests\x01"
	sectionPackages   = "\x01packages\x01"
	sectionLists      = "\x01lists\x01"
	sectionCandidates = "\x01candidates\x01"
	sectionUnits      = "\x01units\x01"
	sectionUsers      = "\x01users\x01"
	sectionGroups     = "\x01groups\x01"
	sectionCommands   = "\x01commands\x01"
	sectionContents   = "\x01contents\x01"
	sectionPending    = "\x01pending\x01"
	sectionEnd        = "\x01end\x01"
)

// Probe returns one script that asks all of probes, and the platform of the host. It
// starts one process for all paths, one for all digests, packages, units, users and
// groups each, whatever their number. It changes nothing.
func Probe(probes []recipe.Probe) string {
	asked := sortProbes(probes)
	var s strings.Builder
	s.WriteString("export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\ncd /\n")
	section := func(name, text string) {
		// A section's name is written with printf's own escapes, so the script stays text.
		s.WriteString("printf '" + strings.ReplaceAll(name, "\x01", `\001`) + `\000'` + "\n" + text)
	}
	list := func(name string, names []string, text func(words string) string) {
		if len(names) > 0 {
			section(name, text(QuoteAll(names...)))
		}
	}
	section(sectionHost, askHost)
	list(sectionPaths, asked.paths, func(words string) string {
		// find(1) prints a link's own attributes and its target; -printf is GNU, and
		// findutils is Essential in Debian.
		return "find " + words + ` -maxdepth 0 -printf '%p\0%y\0%m\0%u\0%g\0%l\0' 2>/dev/null` + "\n"
	})
	if len(asked.digests)+len(asked.filled) > 0 {
		section(sectionDigests, askDigests(asked))
	}
	list(sectionPackages, asked.packages, func(words string) string {
		return `dpkg-query -W -f '${Package}\t${db:Status-Abbrev}\t${Version}\n' ` + words + " 2>/dev/null\nprintf '\\000'\n"
	})
	list(sectionCandidates, asked.candidates, func(words string) string { return fmt.Sprintf(askCandidates, words) })
	if asked.lists {
		section(sectionLists, askLists)
	}
	list(sectionUnits, asked.units, func(words string) string {
		return "systemctl show -p LoadState,ActiveState,UnitFileState,NeedDaemonReload -- " + words + " 2>&1\nprintf '\\000'\n"
	})
	list(sectionUsers, asked.users, func(words string) string { return "getent passwd " + words + "\nprintf '\\000'\n" })
	list(sectionGroups, asked.groups, func(words string) string { return "getent group " + words + "\nprintf '\\000'\n" })
	if len(asked.commands) > 0 {
		section(sectionCommands, askCommands(asked.commands))
	}
	list(sectionContents, asked.contents, askContents)
	section(sectionPending, askPending)
	section(sectionEnd, "")
	return s.String()
}

const (
	// A dot command that finds no file ends the shell (POSIX.1-2017, XCU 2.8.1).
	askHost = `[ -r /etc/os-release ] && . /etc/os-release
printf '%s\000' "${ID-}" "${VERSION_ID-}" "${VERSION_CODENAME-}" "$(dpkg --print-architecture 2>/dev/null)" "$(uname -n)"
`
	// Without the caches that apt-cache would write: a question changes nothing.
	askCandidates = `apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy -- %s 2>/dev/null |
awk '/^[^ ]/ { name = substr($0, 1, length($0) - 1) } $1 == "Candidate:" && $2 != "(none)" { print name "\t" $2 }'
printf '\000'
`
	askLists = `set -- /var/lib/apt/lists/*_Packages*
[ -e "$1" ] && printf '%s\000' "$(stat -c %Y /var/lib/apt/lists)" "$(date +%s)"
`
	askPending = "for f in " + State + `/pending/*; do
[ -f "$f" ] && read -r a <"$f" && printf '%s\000' "${f##*/}" "$a"
done
`
)

// askDigests goes through find, for sha256sum would wait for ever at a FIFO.
func askDigests(asked questions) string {
	text := ""
	if len(asked.digests) > 0 {
		text = "find " + QuoteAll(asked.digests...) + " -maxdepth 0 -type f -exec sha256sum -z {} + 2>/dev/null\n"
	}
	for _, probe := range asked.filled {
		text += unfilledDigest(probe)
	}
	return text
}

// askContents leaves out what is larger than a megabyte: no configuration is, and half a
// file must not be taken for a whole one.
func askContents(words string) string {
	return "for f in " + words + `; do
[ -f "$f" ] && [ ! -L "$f" ] && [ "$(stat -c %s "$f")" -le 1048576 ] && { printf '%s\000' "$f"; base64 -w 0 "$f"; printf '\000'; }
done
`
}

// askCommands runs each guard in a shell of its own, without input, its errors unread:
// what counts is its exit status, and the start of what it prints.
func askCommands(probes []recipe.Probe) string {
	var s strings.Builder
	for _, probe := range probes {
		// eval, so that one that is no sh ends its own shell alone.
		s.WriteString("o=$(exec 2>/dev/null </dev/null; eval " + Quote(probe.Script) + "); r=$?\n")
		s.WriteString("printf '%s\\000' " + Quote(probe.Key.Name) + ` "$r" "$(printf %s "$o" | head -c 1024)"` + "\n")
	}
	return s.String()
}

// unfilledDigest prints the digest of a file in which each secret stands as its
// placeholder again, in sha256sum's own form. A file that holds the placeholder itself
// was never filled in: it gets a digest that matches nothing. awk compares whole strings
// (index, not a pattern), and reads the secret from its file, so none is in argv.
func unfilledDigest(probe recipe.Probe) string {
	placeholders := make([]string, 0, len(probe.Unfill))
	for placeholder := range probe.Unfill {
		placeholders = append(placeholders, placeholder)
	}
	sort.Strings(placeholders)
	path := Quote(probe.Key.Name)
	pipe := "cat " + path
	grep := ""
	for _, placeholder := range placeholders {
		pipe += " | " + swap(Quote(probe.Unfill[placeholder]), Quote(placeholder), false)
		grep += " -e " + Quote(placeholder)
	}
	return "if [ -f " + path + " ] && [ ! -L " + path + " ]; then\n" +
		"if grep -qF" + grep + " " + path + "; then printf 'unfilled  %s\\000' " + path + "\n" +
		"else d=$(" + pipe + " | sha256sum); printf '%s  %s\\000' \"${d%% *}\" " + path + "; fi\nfi\n"
}

// swap is an awk filter that puts the text of a secret's file in place of a placeholder
// (fill), or the placeholder in place of the text. Both are words already quoted. It is one
// line, so that a here-document can begin before it; what it prints ends with a newline.
func swap(secretPath, placeholder string, fill bool) string {
	from, to := "secret", "word"
	if fill {
		from, to = to, from
	}
	// The environment, for -v would read backslashes.
	return `P=` + placeholder + ` F=` + secretPath + ` awk '` +
		`BEGIN { file = ENVIRON["F"]; getline secret <file; word = ENVIRON["P"]; from = ` + from + `; to = ` + to + ` } ` +
		`{ out = ""; rest = $0; ` +
		`while (length(from) && (i = index(rest, from))) { out = out substr(rest, 1, i - 1) to; rest = substr(rest, i + length(from)) } ` +
		`print out rest }'`
}

// questions are probes by kind, each list sorted and without repetition.
type questions struct {
	paths, digests, packages, candidates, units, users, groups, contents []string
	commands, filled                                                     []recipe.Probe
	lists                                                                bool
}

func sortProbes(probes []recipe.Probe) questions {
	var q questions
	for _, probe := range recipe.Merge(probes) {
		name := probe.Key.Name
		switch probe.Key.Kind {
		case recipe.KindPath:
			q.paths = append(q.paths, name)
			switch {
			case len(probe.Unfill) > 0:
				q.filled = append(q.filled, probe)
			case probe.Digest:
				q.digests = append(q.digests, name)
			}
		case recipe.KindContent:
			q.contents = append(q.contents, name)
		case recipe.KindPackage:
			q.packages = append(q.packages, name)
		case recipe.KindCandidate:
			q.candidates = append(q.candidates, name)
		case recipe.KindLists:
			q.lists = true
		case recipe.KindUnit:
			q.units = append(q.units, name)
		case recipe.KindUser:
			q.users = append(q.users, name)
		case recipe.KindGroup:
			q.groups = append(q.groups, name)
		case recipe.KindCommand:
			q.commands = append(q.commands, probe)
		}
	}
	slices.Sort(q.paths)
	slices.Sort(q.digests)
	return q
}
