package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"provision/internal/recipe"
)

// HostListing is what an inventory says of a host.
type HostListing struct {
	Name, Address string
	Groups, Tasks []string
	Settings      []HostSetting
}

// HostSetting is a variable, or how a host is logged in to, with where that comes from. A
// secret's value is Mark.
type HostSetting struct {
	Name  string `json:"name"`
	Value any    `json:"value"`        // nil is a secret that has none
	Of    string `json:"of"`           // "default", "all hosts", "group metrics", "host web1", "-e"
	At    string `json:"at,omitempty"` // file:line:column
}

// The records of what is listed. They do not pass the gate: nothing secret comes here.
type (
	listedTask struct {
		head
		Task      string           `json:"task"`
		Summary   string           `json:"summary"`
		About     string           `json:"about,omitempty"`
		Example   string           `json:"example,omitempty"` // a hosts.yaml that installs it
		Uses      []string         `json:"uses,omitempty"`
		Formerly  []string         `json:"formerly,omitempty"`
		Instances bool             `json:"instances,omitempty"` // a host may have several, as shop@blue
		Variables []listedVariable `json:"variables"`
		Actions   []listedAction   `json:"actions,omitempty"`
	}
	listedAction struct {
		Name      string           `json:"name"`
		Help      string           `json:"help,omitempty"`
		Drains    bool             `json:"drains,omitempty"` // the host is drained while it runs
		Arguments []listedVariable `json:"arguments"`        // as -e takes them, by their names
	}
	listedVariable struct {
		Name     string      `json:"name"`
		Type     recipe.Type `json:"type"`
		Default  any         `json:"default"`
		Needed   bool        `json:"needed,omitempty"` // it has to be set
		Choices  []string    `json:"choices,omitempty"`
		Fields   []string    `json:"fields,omitempty"`   // keys that each entry has
		Optional []string    `json:"optional,omitempty"` // keys that an entry may have
		Help     string      `json:"help"`
	}
	listedHost struct {
		head
		Address  string        `json:"address"`
		Groups   []string      `json:"groups,omitempty"`
		Tasks    []string      `json:"tasks,omitempty"`
		Settings []HostSetting `json:"settings,omitempty"`
	}
)

// Tasks writes a line for each task, with its variables.
func (j *JSON) Tasks(tasks []recipe.Task) error {
	for _, task := range tasks {
		_, instance := recipe.SplitInstance(task.Name)
		r := &listedTask{head: head{Time: newStamp(j.now()), Event: "task"}, Task: task.Name, Summary: task.Summary, About: task.About, Example: task.Example, Uses: task.Uses, Formerly: task.Formerly, Instances: task.Instances && instance == "", Variables: []listedVariable{}}
		for _, v := range task.Variables {
			r.Variables = append(r.Variables, newListedVariable(task.Name+"."+v.Name, v))
		}
		for _, action := range task.Actions {
			listed := listedAction{Name: action.Name, Help: action.Help, Drains: action.Drains, Arguments: []listedVariable{}}
			for _, v := range action.Arguments {
				listed.Arguments = append(listed.Arguments, newListedVariable(v.Name, v))
			}
			r.Actions = append(r.Actions, listed)
		}
		j.write(r)
	}
	return j.Close()
}

func newListedVariable(name string, v recipe.Variable) listedVariable {
	listed := listedVariable{name, v.Type, v.Zero(), v.Needed, v.Choices, v.Fields, v.Optional, v.Help}
	if v.Type == recipe.TypeSecret || v.Needed {
		listed.Default = nil
	}
	return listed
}

// Host writes a line for a host.
func (j *JSON) Host(h HostListing) {
	j.write(&listedHost{head{Time: newStamp(j.now()), Host: h.Name, Event: "host"}, h.Address, h.Groups, h.Tasks, h.Settings})
}

// Host writes all that an inventory says of a host: what list HOST prints.
func Host(w io.Writer, o Options, h HostListing) error {
	p := newPage(o)
	lines := p.withDetails(p.paint.strong.Render(h.Name), h.Address)
	for _, row := range []struct {
		name  string
		words []string
	}{{"groups", h.Groups}, {"tasks", h.Tasks}} {
		if len(row.words) > 0 {
			lines = append(lines, p.prose("  "+pad(row.name, 6)+"  ", strings.Join(row.words, ", "), p.paint.plain)...)
		}
	}
	if len(h.Settings) > 0 {
		lines = append(lines, "")
	}
	columns := 0
	for _, s := range h.Settings {
		columns = max(columns, width(s.Name))
	}
	for _, s := range h.Settings {
		lines = append(lines, p.hostSetting(s, columns)...)
	}
	return writeLines(w, lines)
}

// hostSetting is a value beside its name where it has room, a list of mappings below it, and
// where it comes from.
func (p page) hostSetting(s HostSetting, columns int) []string {
	from := s.Of
	if s.At != "" {
		from += ", " + s.At
	}
	line := "  " + p.paint.act.Render(pad(s.Name, columns))
	records, are := s.Value.([]map[string]string)
	if are && len(records) > 0 {
		lines := p.withDetails(line, from)
		for _, record := range records {
			lines = append(lines, p.prose("      ", p.recordText(nil, record), p.paint.plain)...)
		}
		return lines
	}
	value := cmp.Or(valueText(s.Value), "-")
	if p.width > 0 && width(line)+2+width(value) >= p.width {
		return append(p.withDetails(line, from), p.prose("      ", value, p.paint.plain)...)
	}
	return p.withDetails(line+"  "+value, from)
}

func valueText(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(value, ", ")
	case []map[string]string:
		return ""
	}
	return fmt.Sprint(value)
}
