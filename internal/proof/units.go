package proof

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

// unit is a unit that systemd has loaded.
type unit struct {
	active     string
	invocation string   // another after each start
	restarts   string   // how often Restart= brought it back
	with       []string // units that are stopped and started together with this one
	triggers   []string // units that start it when they are asked
}

// units asks systemd for those that run something, or begin to when they are asked.
func units(ctx context.Context, host Host) (map[string]unit, error) {
	said, err := host.Run(ctx, `systemctl show -p Id,ActiveState,InvocationID,NRestarts,TriggeredBy,RequiredBy,BoundBy,ConsistsOf '*.service' '*.socket' '*.timer' '*.path'`, "")
	if err != nil {
		return nil, err
	}
	all := map[string]unit{}
	for block := range strings.SplitSeq(said, "\n\n") {
		properties := map[string]string{}
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			properties[name] = value
		}
		all[properties["Id"]] = unit{
			active: properties["ActiveState"], invocation: properties["InvocationID"], restarts: properties["NRestarts"],
			with:     strings.Fields(properties["RequiredBy"] + " " + properties["BoundBy"] + " " + properties["ConsistsOf"]),
			triggers: strings.Fields(properties["TriggeredBy"]),
		}
	}
	return all, nil
}

// unannounced tells of the units that ran before and after, as others: without that the plan said so.
func (p *prover) unannounced(before, after map[string]unit, plan engine.Plan) {
	announced := controlled(plan)
	for name, was := range before {
		is := after[name]
		if was.active != "active" || is.invocation == was.invocation && is.active == "active" || announced.has(name, before, after) {
			continue
		}
		if (Difference{Thing: Thing{"unit", name}}).in(Except("debian", "moving")) {
			continue
		}
		did := "restarted"
		if is.active != "active" {
			did = "stopped"
		}
		_, at := p.scripted(name)
		if at.File == "" {
			_, at = p.scripted(strings.TrimSuffix(name, ".service"))
		}
		p.fault(at, "let the files that it reads notify it, and write service(\""+name+"\") behind them", "%s was %s, and the plan had not announced it", name, did)
	}
}

// controls are the units that a plan starts, stops, restarts or reloads, by how.
type controls map[string]recipe.Verb

func controlled(plan engine.Plan) controls {
	all := controls{}
	for _, planned := range plan.Changes() {
		if service, ok := planned.Item.Resource.(resource.Service); ok && planned.Change.Until != "" {
			all[service.Unit] = ""
		}
		for _, step := range planned.Change.Steps {
			if control, ok := step.(recipe.ControlUnit); ok && control.Verb != recipe.VerbEnable && control.Verb != recipe.VerbDisable {
				all[control.Unit] = control.Verb
			}
		}
	}
	return all
}

// has reports whether a unit is among them, or goes together with one of them.
func (c controls) has(name string, before, after map[string]unit) bool {
	for unit := range c {
		if unit == name || slices.Contains(before[unit].with, name) || slices.Contains(after[unit].with, name) {
			return true
		}
	}
	return false
}

// wantedService is a service of the task that has to run.
type wantedService struct {
	resource.Service
	at recipe.Position
}

// running are the services of the task that have to run, but for the one by which the host is reached.
func (p *prover) running() []wantedService {
	var all []wantedService
	for _, item := range p.items() {
		service, ok := item.Resource.(resource.Service)
		if !ok || service.Absent || service.Unit == "ssh.service" || service.Unit == "ssh.socket" {
			continue
		}
		if p.services[service.Unit].active == "active" || !service.Oneshot && service.Needs == "" {
			all = append(all, wantedService{service, item.At})
		}
	}
	return all
}

// settle is how long a service has to live to count as one that stays up.
const settle = 10 * time.Second

// stayUp looks again after a while: a service may die some seconds after its start.
func (p *prover) stayUp(ctx context.Context) error {
	services := p.running()
	if len(services) == 0 {
		return skipped("it has no service")
	}
	if err := wait(ctx, time.Until(p.at.Add(settle))); err != nil {
		return err
	}
	now, err := units(ctx, p.Host)
	if err != nil {
		return err
	}
	for _, service := range services {
		is, was := now[service.Unit], p.services[service.Unit]
		if is.active == "active" && is.restarts == was.restarts && is.invocation == was.invocation {
			continue
		}
		last, err := p.Host.Run(ctx, "journalctl -q -n 3 --no-pager -o cat -u "+script.Quote(service.Unit)+" || :", "")
		if err != nil {
			return err
		}
		p.fault(service.at, "journalctl -u "+service.Unit+": "+lastLine(last), "%s does not stay up: %s after its start it is %s%s", service.Unit, settle, cmp.Or(is.active, "inactive"), counted(is.restarts))
	}
	return nil
}

func counted(restarts string) string {
	if restarts == "" || restarts == "0" {
		return ""
	}
	return fmt.Sprintf(", and was started again %s times", restarts)
}

// wait is a sleep that ends with its context.
func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}
