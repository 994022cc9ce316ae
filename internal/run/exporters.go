package run

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"provision/internal/recipe"
	"provision/internal/remote"
)

// Exporter is a host that has tasks with exports, be it one of the run or not.
type Exporter struct {
	Target  Target
	Exports map[string]recipe.Export // by exportName
}

// exportName names an export of a host.
func exportName(task, export string) string { return task + "." + export }

// exporters reads what hosts export: each once a run, when the first host wants it, and once more
// when it was changed.
type exporters struct {
	all  map[string]*exporting // by the host's name
	last Last                  // nil keeps no copies
}

// exporting is what one host exports.
type exporting struct {
	Exporter
	mu   sync.Mutex
	read bool
	said map[string]recipe.Said // by exportName
	told string                 // what whoever gets it is told
}

func newExporters(all []Exporter, dialer *remote.Dialer, last Last) *exporters {
	e := &exporters{all: map[string]*exporting{}, last: last}
	for _, one := range all {
		one.Target.dialer, one.Target.silence = dialer, silentAtMost
		e.all[one.Target.Name] = &exporting{Exporter: one}
	}
	return e
}

// copied is by which name Last keeps what a host exports.
func copied(host string) string { return host + " exports" }

// copyOf is what a host exported when it was read last.
func (e *exporters) copyOf(host, name string) (string, bool) {
	if e == nil || e.last == nil {
		return "", false
	}
	known, _ := e.last.Of(copied(host))
	text, there := known.Said[name]
	return text, there
}

// forget has a host read anew.
func (e *exporters) forget(host string) {
	if one := e.all[host]; one != nil {
		one.mu.Lock()
		defer one.mu.Unlock()
		one.read = false
	}
}

// of returns one of a host's exports, and what whoever gets it is told.
func (e *exporters) of(ctx context.Context, host, name string) (recipe.Said, string) {
	one := e.all[host]
	if one == nil {
		return recipe.Said{Problem: recipe.Unread + ": it is not known how to reach it"}, ""
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	if !one.read {
		e.ask(ctx, one)
		one.read = true
	}
	return one.said[name], one.told
}

// ask reads all that a host exports, over a connection of its own. Of one that cannot be reached it
// takes the last copies.
func (e *exporters) ask(ctx context.Context, one *exporting) {
	one.said, one.told = map[string]recipe.Said{}, ""
	facts, err := one.probe(ctx)
	copies := Known{Said: map[string]string{}}
	for name, export := range one.Exports {
		said := exported(facts, export.Path)
		if err != nil {
			said = recipe.Said{Problem: fmt.Sprintf("%s: %s", recipe.Unread, firstLine(err.Error()))}
			if text, there := e.copyOf(one.Target.Name, name); there {
				said = recipe.Said{Text: text}
				one.told = fmt.Sprintf("%s cannot be asked for what it exports (%s): a copy from before is taken", one.Target.Name, firstLine(err.Error()))
			}
		} else if said.Problem == "" {
			copies.Said[name] = said.Text
		}
		one.said[name] = said
	}
	if err == nil && e.last != nil {
		if before, _ := e.last.Of(copied(one.Target.Name)); !maps.Equal(before.Said, copies.Said) {
			e.last.Keep(copied(one.Target.Name), copies)
		}
	}
}

func (one *exporting) probe(ctx context.Context) (recipe.Facts, error) {
	connection, err := one.Target.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	var probes []recipe.Probe
	for _, name := range slices.Sorted(maps.Keys(one.Exports)) {
		path := one.Exports[name].Path
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(path), Digest: true}, recipe.Probe{Key: recipe.ContentKey(path)})
	}
	answer, err := host{target: one.Target, connection: connection}.Probe(ctx, recipe.Merge(probes))
	return answer.Facts, err
}

// exported is what other hosts see of a file: it has to be one that everybody may read, for what is
// exported gets into files that others may read.
func exported(facts recipe.Facts, path string) recipe.Said {
	found, content := facts.Path(path), facts.Content(path)
	switch text := string(content.Bytes); {
	case found.Type == recipe.PathAbsent:
		return recipe.Said{Problem: recipe.NotYet}
	case found.Type != recipe.PathFile:
		return recipe.Said{Problem: fmt.Sprintf("is a %s, and no file", found.Type)}
	case found.Mode&0o004 == 0:
		return recipe.Said{Problem: fmt.Sprintf("is not public: its mode is %04o", found.Mode)}
	case content.Size > recipe.MostExported || len(text) > recipe.MostExported:
		return recipe.Said{Problem: fmt.Sprintf("has more than %d bytes", recipe.MostExported)}
	case fmt.Sprintf("%x", sha256.Sum256(content.Bytes)) != found.SHA256:
		return recipe.Said{Problem: "changed while it was read"}
	case strings.Contains(text, "\x00"):
		return recipe.Said{Problem: "is no text"}
	default:
		return recipe.Said{Text: text}
	}
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}
