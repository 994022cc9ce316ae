package lab

import (
	"bufio"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// archives is where a machine gets Debian from.
type archives struct {
	main     string
	security string // empty when unknown
}

// source is one entry of apt's sources (sources.list(5)), in either format.
type source struct {
	types, uris, suites, components []string
	signedBy                        string
}

// machineSources reads the sources of this machine.
func machineSources(etc string) []source {
	var sources []source
	lists, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.list"))
	for _, file := range append([]string{filepath.Join(etc, "sources.list")}, lists...) {
		if data, err := os.ReadFile(file); err == nil {
			sources = append(sources, parseOneLine(string(data))...)
		}
	}
	deb822, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*.sources"))
	for _, file := range deb822 {
		if data, err := os.ReadFile(file); err == nil {
			sources = append(sources, parseDeb822(string(data))...)
		}
	}
	return sources
}

// parseOneLine reads `deb [option=value ...] URI SUITE COMPONENT...` lines.
func parseOneLine(text string) []source {
	var sources []source
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		kind, rest, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")), " ")
		rest = strings.TrimSpace(rest)
		var entry source
		if options, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(rest, "[") {
			for option := range strings.FieldsSeq(options[1:]) {
				if key, value, _ := strings.Cut(option, "="); strings.EqualFold(key, "signed-by") {
					entry.signedBy = value
				}
			}
			rest = after
		}
		fields := strings.Fields(rest)
		if len(fields) < 3 {
			continue
		}
		entry.types, entry.uris, entry.suites, entry.components = []string{kind}, fields[:1], fields[1:2], fields[2:]
		sources = append(sources, entry)
	}
	return sources
}

// parseDeb822 reads stanzas of fields; a line that begins with a space goes on
// with the field before it.
func parseDeb822(text string) []source {
	var sources []source
	fields := map[string]string{}
	name := ""
	flush := func() {
		if len(fields) > 0 && !strings.EqualFold(fields["enabled"], "no") {
			sources = append(sources, source{
				types:      strings.Fields(fields["types"]),
				uris:       strings.Fields(fields["uris"]),
				suites:     strings.Fields(fields["suites"]),
				components: strings.Fields(fields["components"]),
				signedBy:   strings.TrimSpace(fields["signed-by"]),
			})
		}
		fields, name = map[string]string{}, ""
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			fields[name] += "\n" + line
		default:
			key, value, _ := strings.Cut(line, ":")
			name = strings.ToLower(strings.TrimSpace(key))
			fields[name] = strings.TrimSpace(value)
		}
	}
	flush()
	return sources
}

// debianArchives picks Debian's own archives out of a machine's sources, whose
// release has that codename. Many vendors name their suites and components as
// Debian does (`https://apt.vendor.example bookworm main`): an entry that is
// signed by another key is never taken, one that says nothing only if there is
// none that is signed by Debian's.
func debianArchives(sources []source, codename string) archives {
	var found archives
	for _, accept := range []func(source) bool{signedByDebian, unsigned} {
		for _, entry := range sources {
			if !accept(entry) || !slices.Contains(entry.types, "deb") || !slices.Contains(entry.components, "main") {
				continue
			}
			uri, ok := httpURI(entry.uris)
			if !ok {
				continue
			}
			for _, suite := range entry.suites {
				switch release, part, _ := strings.Cut(suite, "-"); {
				case !isRelease(release, codename, uri):
				case part == "security" && found.security == "":
					found.security = uri
				case (part == "" || part == "updates") && found.main == "":
					found.main = uri
				}
			}
		}
	}
	return found
}

func signedByDebian(s source) bool { return strings.Contains(s.signedBy, "debian-archive-") }

func unsigned(s source) bool { return s.signedBy == "" }

// isRelease also takes the archive's moving names, which vendors like to use
// as well (`stable main`): then the path has to say that it is Debian's.
func isRelease(release, codename, uri string) bool {
	if release == codename && codename != "" {
		return true
	}
	moving := slices.Contains([]string{"stable", "testing", "unstable", "sid", "oldstable"}, release)
	return moving && strings.HasPrefix(path.Base(uri), "debian")
}

// httpURI returns the first URI that debootstrap and a host can fetch from.
func httpURI(uris []string) (string, bool) {
	for _, uri := range uris {
		parsed, err := url.Parse(uri)
		if err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host != "" {
			return strings.TrimSuffix(uri, "/"), true
		}
	}
	return "", false
}
