package proof

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

// drift changes the mode of files, so that nothing reads another content: the owner's leave to write
// is none that root needs.
const drift = `for f; do if [ -n "$(find "$f" -perm -200)" ]; then chmod u-w "$f"; else chmod u+w "$f"; fi; done`

// restarts lets all files drift that notify a unit. The plan has to announce what then restarts, and
// nothing else may; what it announces has to occur.
func (p *prover) restarts(ctx context.Context) error {
	if !p.converged {
		return skipped("the install did not come to its end")
	}
	var drifted []string
	for _, item := range p.items() {
		if file, ok := item.Resource.(resource.File); ok && !file.Absent && len(item.Notifies) > 0 {
			drifted = append(drifted, script.Quote(file.Path))
		}
	}
	if len(drifted) == 0 {
		return skipped("no file notifies a service")
	}
	if _, err := p.Host.Run(ctx, "set -- "+strings.Join(drifted, " ")+"\n"+drift, ""); err != nil {
		return err
	}
	before, err := units(ctx, p.Host)
	if err != nil {
		return err
	}
	shown := do(ctx, p.Task.Plan)
	r := do(ctx, p.Task.Install)
	if p.failed(ctx, "after the modes of files had changed, install", r) {
		p.converged = false
		return nil
	}
	p.asPlanned(shown.plan, r)
	after, err := units(ctx, p.Host)
	if err != nil {
		return err
	}
	p.unannounced(before, after, shown.plan)
	for name, verb := range controlled(shown.plan) {
		if verb == recipe.VerbRestart && before[name].active == "active" && after[name].invocation == before[name].invocation {
			p.fault(p.serviceAt(name), "", "the plan announced a restart of %s, and there was none", name)
		}
	}
	p.services, p.at = after, time.Now()
	return nil
}

func (p *prover) serviceAt(unit string) recipe.Position {
	for _, service := range p.running() {
		if service.Unit == unit {
			return service.at
		}
	}
	return recipe.Position{}
}

// reads restarts each service and looks which of the task's files it opens meanwhile: a change of one
// has to reach it, or it goes on with what it has.
func (p *prover) reads(ctx context.Context) error {
	services := slices.DeleteFunc(p.running(), func(s wantedService) bool {
		return !strings.HasSuffix(s.Unit, ".service") || p.services[s.Unit].active != "active"
	})
	if len(services) == 0 {
		return skipped("it has no service that runs")
	}
	reread := Except("reread")
	for _, service := range services {
		opened, err := p.openedBy(ctx, "systemctl restart "+script.Quote(service.Unit)+"\n"+listening(service)+"sleep 0.5")
		if err != nil {
			return err
		}
		suspect := slices.DeleteFunc(p.unreached(service.Unit, opened), func(item recipe.Item) bool {
			return (Difference{Thing: Thing{"file", placeOf(item)}}).in(reread)
		})
		if len(suspect) == 0 {
			continue
		}
		anyway, err := p.openedAnyway(ctx)
		if err != nil {
			return err
		}
		for _, item := range suspect {
			if place := placeOf(item); !anyway[place] {
				p.fault(item.At, `notify = restart("`+service.Unit+`"), or reload(…) where that is enough`,
					"%s reads %s when it starts, and a change of that does not restart it", service.Unit, place)
			}
		}
	}
	return nil
}

// unreached are the items that a unit opened, its own file among them, and whose change does not come to it.
func (p *prover) unreached(unit string, opened map[string]bool) []recipe.Item {
	return slices.DeleteFunc(p.items(), func(item recipe.Item) bool {
		if _, released := item.Resource.(resource.Artifact); released {
			return true // its directory has the release's name: another is at another place, and the link to it notifies
		}
		place := placeOf(item)
		return place == "" || !opened[place] && place != "/etc/systemd/system/"+unit || p.reaches(item, unit)
	})
}

// placeOf is the path of an item that has one.
func placeOf(item recipe.Item) string {
	if placed, ok := item.Resource.(recipe.Placed); ok {
		return placed.Place()
	}
	return ""
}

// openedAnyway are the files that are opened while nothing restarts: a page that a health check of
// each second is answered with, and no configuration. What starts slowly is waited for first.
func (p *prover) openedAnyway(ctx context.Context) (map[string]bool, error) {
	if _, err := p.Host.Run(ctx, "sleep 5", ""); err != nil {
		return nil, err
	}
	return p.openedBy(ctx, "sleep 3")
}

// reaches reports whether a change of an item comes to a unit: by a notification of it, or of one
// that it is restarted with.
func (p *prover) reaches(item recipe.Item, unit string) bool {
	for _, n := range item.Notifies {
		if n.Unit == unit || slices.Contains(p.services[n.Unit].with, unit) {
			return true
		}
	}
	return false
}

// listening waits until a unit that was restarted listens where it should: until then a slow one still reads,
// and what it reads would count as the next one's. What it reads else it reads soon after it was started.
func listening(service wantedService) string {
	var wait strings.Builder
	for _, endpoint := range recipe.Endpoints(service.Listens) {
		fmt.Fprintf(&wait, "tries=0; until ss -Hlnt 'sport = :%d' | grep -q . || [ \"$tries\" -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done\n", endpoint.Port)
	}
	return wait.String()
}

// openedBy runs a script and returns which of the task's files were opened meanwhile.
func (p *prover) openedBy(ctx context.Context, script string) (map[string]bool, error) {
	watch, err := newWatch()
	if err != nil {
		return nil, err
	}
	defer watch.close()
	for _, item := range p.items() {
		if place := placeOf(item); place != "" {
			if err := watch.add(p.Host.Root(), path.Clean(place)); err != nil {
				return nil, err
			}
		}
	}
	if _, err := p.Host.Run(ctx, script, ""); err != nil {
		return nil, err
	}
	return watch.opened()
}
