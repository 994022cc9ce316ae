package inventory

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The lines of Ansible's INI form (ansible.builtin.ini inventory).
var (
	iniSection = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	iniGroup   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
	withPort   = regexp.MustCompile(`^([^:]+|.*\][^:]*):([0-9]+)$`)
	// A range: numbers, or letters, and a step.
	ansibleRange = regexp.MustCompile(`\[([0-9]*|[a-zA-Z]):([0-9]+|[a-zA-Z])(?::([0-9]+))?\]`)
)

// ini reads an inventory in INI form.
func (a *ansible) ini(data []byte) {
	section, group := "hosts", a.group(ungrouped, Position{a.file, 1, 1})
	number := 0
	for line := range bytes.Lines(data) {
		number++
		at := Position{a.file, number, 1 + utf8.RuneCount(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])}
		text := strings.Trim(string(line), " \t\r\n\v\f")
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		if !a.isText(text, at) {
			return
		}
		found := iniSection.FindStringSubmatch(text)
		switch {
		case found != nil:
			section, group = a.section(found[1], found[2], at)
		case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
			a.refuse(at, "section "+short(text), "is not one", "write [GROUP], [GROUP:children] or [GROUP:vars], without spaces")
		case section == "vars":
			a.groupVariable(group, text, at)
		case section == "children":
			child := iniGroup.FindStringSubmatch(text)
			if child == nil {
				a.refuse(at, "group "+group.name, fmt.Sprintf("%q is no name of a group", short(text)), "under "+group.name+":children, the name of a group in each line")
				continue
			}
			group.within(child[1], at)
			a.group(child[1], at)
		case section == "hosts":
			a.hostLine(group, text, at)
		}
	}
	for _, g := range a.inOrder() {
		if len(g.vars) > 0 && !g.declared && g.name != everyHost && g.name != ungrouped {
			a.refuse(g.at, "section ["+g.name+":vars]", "there is no group "+g.name, a.meant(g.name))
		}
	}
}

// isText refuses what no text file has.
func (a *ansible) isText(text string, at Position) bool {
	column := at.Column
	for _, r := range text {
		problem, hint := checkRune(r, utf8.RuneLen(r), r == '\t')
		if r == utf8.RuneError {
			problem, hint = "not UTF-8 text", "save the file as UTF-8"
		}
		if problem != "" {
			a.refuse(Position{at.File, at.Line, column}, "", problem, hint)
			return false
		}
		column++
	}
	return true
}

func (a *ansible) section(name, sort string, at Position) (string, *ansibleGroup) {
	g := a.group(name, at)
	switch sort {
	case "":
		sort = "hosts"
		g.declared = true
	case "children":
		g.declared = true
	case "vars":
	default:
		a.refuse(at, fmt.Sprintf("section [%s:%s]", name, sort), fmt.Sprintf("there is nothing %q of a group", sort), didYouMean(sort, []string{"children", "vars"}))
	}
	return sort, g
}

func (a *ansible) groupVariable(g *ansibleGroup, text string, at Position) {
	name, value, is := strings.Cut(text, "=")
	if !is {
		a.refuse(at, "section ["+g.name+":vars]", fmt.Sprintf("%q is no variable", short(text)), "NAME=VALUE in each line")
		return
	}
	a.set(g.vars, "group "+g.name, strings.TrimSpace(name), literal(strings.TrimSpace(value), at))
}

// hostLine reads a name or a range of names, and the variables behind it.
func (a *ansible) hostLine(g *ansibleGroup, text string, at Position) {
	words, problem := shellWords(text, true)
	if problem != "" {
		a.refuse(at, "host "+short(text), problem, "a quote that opens has to close")
		return
	}
	if len(words) == 0 {
		return
	}
	names, port, ok := a.names(words[0], at)
	if !ok {
		return
	}
	vars := map[string]*node{}
	if port != "" {
		vars["ansible_port"] = literal(port, at)
	}
	for _, word := range words[1:] {
		name, value, is := strings.Cut(word, "=")
		if !is {
			a.refuse(at, "host "+short(words[0]), fmt.Sprintf("%q is no variable", short(word)), "NAME=VALUE, without spaces around =, and a host a line")
			return
		}
		if vars[name] != nil {
			a.refuse(at, "host "+short(words[0]), name+" stands twice in the line", "remove one of the two")
			return
		}
		vars[name] = literal(value, at)
	}
	for _, name := range names {
		host := a.host(name, at)
		g.has(host)
		for key, value := range vars {
			a.set(host.vars, "host "+name, key, value)
		}
	}
}

// names are those that one of a host, or of a range of hosts, stands for, and the port behind it.
func (a *ansible) names(text string, at Position) (names []string, port string, ok bool) {
	what := fmt.Sprintf("host %q", short(text))
	pattern := text
	if found := withPort.FindStringSubmatch(text); found != nil {
		pattern, port = found[1], found[2]
	}
	if strings.HasSuffix(text, ":") {
		a.refuse(at, what, "ends with a colon", "a port stands behind it: web1:2222; a file in YAML has the name .yml or .yaml")
		return nil, "", false
	}
	names, problem := a.ranges(pattern)
	if problem != "" {
		a.refuse(at, what, problem, "[01:20], [a:f] or [1:9:2]; this is hardly the range that was meant")
		return nil, "", false
	}
	return names, port, true
}

// ranges returns the names that one stands for: www[01:50:2]-[a:c] is several ranges, the first of them the
// outermost.
func (a *ansible) ranges(pattern string) (names []string, problem string) {
	at := ansibleRange.FindStringSubmatchIndex(pattern)
	if at == nil {
		if a.limit--; a.limit < 0 {
			return nil, fmt.Sprintf("is more than %d names, with those before it", mostAnsible)
		}
		return []string{pattern}, ""
	}
	from, to, step := pattern[at[2]:at[3]], pattern[at[4]:at[5]], 1
	if at[6] >= 0 {
		step, _ = strconv.Atoi(pattern[at[6]:at[7]])
	}
	values, problem := between(from, to, step)
	for _, value := range values {
		more, wrong := a.ranges(pattern[:at[0]] + value + pattern[at[1]:])
		if wrong != "" {
			return nil, wrong
		}
		names = append(names, more...)
	}
	return names, problem
}

// between are the numbers, or the letters, of a range.
func between(from, to string, step int) (values []string, problem string) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if from == "" {
		from = "0"
	}
	first, last := strings.Index(letters, from), strings.Index(letters, to)
	show := func(n int) string { return letters[n : n+1] }
	if first < 0 || last < 0 {
		var err, errTo error
		first, err = strconv.Atoi(from)
		last, errTo = strconv.Atoi(to)
		padded := len(from) > 1 && from[0] == '0'
		switch {
		case err != nil || errTo != nil:
			return nil, "is a range of a letter and a number, or of too large a number"
		case padded && len(from) != len(to):
			return nil, "is a range whose numbers have leading zeros and are not as long as each other"
		case padded:
			show = func(n int) string { return fmt.Sprintf("%0*d", len(from), n) }
		default:
			show = strconv.Itoa
		}
	}
	switch {
	case last < first:
		return nil, "is a range that ends before it begins"
	case step < 1 || (last-first)/step >= mostOfSpan:
		return nil, fmt.Sprintf("is a range of more than %d names", mostOfSpan)
	}
	for n := first; n <= last; n += step {
		values = append(values, show(n))
	}
	return values, ""
}

// literal is a value of the INI form: as Python has it (ast.literal_eval) where it is a text in quotes, a
// number or a truth, else the text as it is.
func literal(text string, at Position) *node {
	n := &node{kind: kindString, text: text, at: at}
	quoted := len(text) > 1 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0]
	switch {
	case quoted && !strings.ContainsAny(text[1:len(text)-1], text[:1]+`\`):
		n.text = text[1 : len(text)-1]
	case text == "True" || text == "False":
		n.kind = kindBool
	case text == "None":
		n.kind = kindNull
	case whole.MatchString(text):
		n.kind = kindInt
		fmt.Sscan(text, &n.whole)
	}
	return n
}
