package report

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// A record is an event as plain data. Its JSON is the form that programs read (json.go), so
// a field may be added, never renamed. Times are in seconds, sizes in bytes. Fields of type
// string pass the gate; the closed sets of words have types of their own and do not.
type record interface{ top() *head }

// head begins every record.
type head struct {
	Time  stamp  `json:"time"` // RFC 3339, UTC, by the controller's clock
	Host  string `json:"host,omitempty"`
	Event word   `json:"event"`
}

func (h *head) top() *head { return h }

type (
	word  string // names an event
	stamp string
)

type connecting struct {
	head
	Address string `json:"address"`
}

type asking struct{ head }

type planned struct {
	head
	Platform  platform   `json:"platform"`
	Counts    counts     `json:"counts"`
	Resources []resource `json:"resources"` // all of the recipe's, in its order
}

type platform struct {
	Release  int    `json:"release"`
	Codename string `json:"codename"`
	Arch     string `json:"arch"`
}

type counts struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Delete  int `json:"delete"`
	Act     int `json:"act"`
	Becomes int `json:"becomes"`
	Maybe   int `json:"maybe"`
	Same    int `json:"same"`
}

// changes is the number of resources that change, or may.
func (c counts) changes() int { return c.Create + c.Update + c.Delete + c.Act + c.Becomes + c.Maybe }

type resource struct {
	Resource string            `json:"resource"` // its ID: "file:/etc/nginx/nginx.conf"
	Task     string            `json:"task,omitempty"`
	Kind     recipe.ChangeKind `json:"kind"` // create, update, delete, act, becomes, maybe, same
	Summary  string            `json:"summary,omitempty"`
	Deltas   []delta           `json:"deltas,omitempty"`
	Until    string            `json:"until,omitempty"` // of becomes and maybe: what has to happen first
	At       string            `json:"at,omitempty"`    // of a task of the project: where it says so, FILE:LINE
	Content  *content          `json:"content,omitempty"`

	Asks []string `json:"-"` // its probes' keys
}

type delta struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

type applying struct {
	head
	Run string `json:"run"`
}

type stepBegan struct {
	head
	Number   int    `json:"number"`
	Title    string `json:"title"`
	Resource string `json:"resource"`
}

type stepEnded struct {
	head
	Number  int     `json:"number"`
	Title   string  `json:"title"`
	Seconds float64 `json:"seconds"`
	Failed  bool    `json:"failed"`
}

type output struct {
	head
	Line string `json:"line"`
	Raw  []byte `json:"raw,omitempty"` // of a line that is no UTF-8
}

type progress struct {
	head
	Title string `json:"title"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

type note struct {
	head
	Text string `json:"text"`
}

type changed struct {
	head
	resource
}

type restored struct {
	head
	Unit   string   `json:"unit"`
	Paths  []string `json:"paths"`
	Runs   bool     `json:"runs"`
	Undone bool     `json:"undone,omitempty"` // a change that might cut the connection, which nobody confirmed
}

type verifying struct {
	head
	Checks int `json:"checks"`
}

type checked struct {
	head
	Name    string         `json:"name"`
	From    recipe.Vantage `json:"from"`
	Seconds float64        `json:"seconds"`
	Passed  bool           `json:"passed"`
	LeftOut bool           `json:"left_out,omitempty"`
	Error   string         `json:"error,omitempty"`
	At      string         `json:"at,omitempty"` // of a task of the project: where it says so, FILE:LINE
}

type printed struct {
	head
	Line   string `json:"line"`
	Stream word   `json:"stream" words:"stdout stderr"`
	Raw    []byte `json:"raw,omitempty"`
}

// graphed is what a host's Graphite has of some targets.
type graphed struct {
	head
	From   int64    `json:"from"` // seconds since the epoch
	Until  int64    `json:"until"`
	Series []series `json:"series"`
}

type series struct {
	Name   string     `json:"name"`
	Start  int64      `json:"start"` // of the first value
	Step   int64      `json:"step"`  // seconds
	Values []*float64 `json:"values"`
}

type finished struct {
	head
	Status   engine.Status `json:"status"`
	Changed  int           `json:"changed"`
	Same     int           `json:"same"`
	Seconds  float64       `json:"seconds"`
	ExitCode int           `json:"exit_code"` // of programs' form alone
	Error    string        `json:"error,omitempty"`
	Hint     string        `json:"hint,omitempty"`
	Output   string        `json:"output,omitempty"` // all that the failed step printed
	Restored *recovery     `json:"restored,omitempty"`
	Drained  bool          `json:"drained,omitempty"` // it was taken out of service for its change, and stays so
	After    []string      `json:"after,omitempty"`
}

// recovery is what was put back after a service did not survive its change.
type recovery struct {
	Unit   string   `json:"unit"`
	Paths  []string `json:"paths"`
	Runs   bool     `json:"runs"`
	Error  string   `json:"error,omitempty"`  // why putting back failed too
	Output string   `json:"output,omitempty"` // and what it printed
}

// summary ends a run.
type summary struct {
	head
	Hosts    []hostStatus `json:"hosts"`
	Again    string       `json:"again,omitempty"`
	ExitCode int          `json:"exit_code"`
}

type hostStatus struct {
	Host     string        `json:"host"`
	Status   engine.Status `json:"status"`
	ExitCode int           `json:"exit_code"`
}

// problem is an error that no host made.
type problem struct {
	head
	Error    string `json:"error"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exit_code"`
}

func newStamp(at time.Time) stamp { return stamp(at.UTC().Format("2006-01-02T15:04:05.000Z")) }

// failed reports whether the status is one that a person has to look into.
func failed(status engine.Status) bool {
	switch status {
	case engine.StatusSame, engine.StatusChanged, engine.StatusPending, engine.StatusVerified, engine.StatusDone:
		return false
	}
	return true
}

// newRecord returns the record of an event, nil for one that is not known.
func newRecord(e engine.HostEvent, at time.Time) record {
	top := func(name word) head {
		return head{Time: newStamp(at), Host: e.Host, Event: name}
	}
	switch event := e.Event.(type) {
	case engine.Connecting:
		return &connecting{top("connecting"), event.Address}
	case engine.Asking:
		return &asking{top("asking")}
	case engine.PlanMade:
		return newPlanned(top("plan"), event.Plan)
	case engine.Applying:
		return &applying{top("applying"), event.Run}
	case engine.StepBegan:
		return &stepBegan{top("step_began"), event.Number, event.Title, event.Resource}
	case engine.StepEnded:
		return &stepEnded{top("step_ended"), event.Number, event.Title, event.Elapsed.Seconds(), event.Failed}
	case engine.Output:
		return &output{head: top("output"), Line: event.Line}
	case engine.Progress:
		return &progress{top("progress"), event.Title, event.Done, event.Total}
	case engine.Note:
		return &note{top("note"), event.Text}
	case engine.Changed:
		done := newResource(engine.Planned(event))
		done.Content = nil // the plan had it
		return &changed{top("changed"), done}
	case engine.Restored:
		return &restored{top("restored"), event.Unit, event.Paths, event.Runs, event.Undone}
	case engine.Verifying:
		return &verifying{top("verifying"), event.Checks}
	case engine.Checked:
		return &checked{top("checked"), event.Check.Name, event.Check.From, event.Elapsed.Seconds(), event.Err == nil, errors.Is(event.Err, engine.ErrLeftOut), text(event.Err), event.Check.At.Short()}
	case engine.Printed:
		stream := word("stdout")
		if event.Error {
			stream = "stderr"
		}
		return &printed{head: top("printed"), Line: event.Line, Stream: stream}
	case engine.Graphed:
		r := &graphed{head: top("graphed"), From: event.From, Until: event.Until, Series: []series{}}
		for _, one := range event.Series {
			r.Series = append(r.Series, series(one))
		}
		return r
	case engine.Finished:
		return newFinished(top("finished"), event)
	}
	return nil
}

func newPlanned(top head, plan engine.Plan) *planned {
	record := &planned{head: top, Platform: platform{plan.Platform.Release, plan.Platform.Codename, plan.Platform.Arch}, Resources: []resource{}}
	for _, item := range plan.Items {
		made := newResource(item)
		record.Resources = append(record.Resources, made)
		switch made.Kind {
		case recipe.Create:
			record.Counts.Create++
		case recipe.Update:
			record.Counts.Update++
		case recipe.Delete:
			record.Counts.Delete++
		case recipe.Act:
			record.Counts.Act++
		case recipe.Becomes:
			record.Counts.Becomes++
		case recipe.MayBe:
			record.Counts.Maybe++
		default:
			record.Counts.Same++
		}
	}
	return record
}

// newChanges is newPlanned without the resources that are the same: of these it has how many there are.
func newChanges(top head, plan engine.Plan) *planned {
	all := len(plan.Items)
	plan.Items = plan.Changes()
	record := newPlanned(top, plan)
	record.Counts.Same = all - len(plan.Items)
	return record
}

// same is the kind of a resource without a change, as JSON names it.
const same recipe.ChangeKind = "same"

func newResource(item engine.Planned) resource {
	change := item.Change
	made := resource{
		Resource: item.Item.Resource.ID(), Task: item.Item.Task, Kind: change.Kind,
		Summary: change.Summary, Until: change.Until, At: item.Item.At.Short(), Content: newContent(change.Diff),
	}
	if change.Empty() {
		made.Kind = same
	}
	for _, d := range change.Deltas {
		made.Deltas = append(made.Deltas, delta(d))
	}
	for _, key := range item.Item.Keys() {
		made.Asks = append(made.Asks, key.String())
	}
	return made
}

func newFinished(top head, event engine.Finished) *finished {
	record := &finished{head: top, Status: event.Status, Changed: event.Changed, Same: event.Same,
		Seconds: event.Elapsed.Seconds(), Error: strings.TrimPrefix(text(event.Err), top.Host+": "), Hint: event.Hint, Drained: event.Drained, After: event.After}
	var step *engine.StepError
	if errors.As(event.Err, &step) {
		record.Output = step.Output
	}
	var back *engine.RestoredError
	if errors.As(event.Err, &back) {
		record.Error = text(back.Failed)
		record.Output = back.Failed.Output
		record.Restored = &recovery{Unit: back.Restored.Unit, Paths: back.Restored.Paths, Runs: back.Restored.Runs, Error: text(back.Err)}
		if errors.As(back.Err, &step) {
			record.Restored.Output = step.Output
		}
	}
	return record
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// gate passes every text of a record through f, so that none can be forgotten.
func gate(r record, f func(string) string) { gateValue(reflect.ValueOf(r), f) }

var textType = reflect.TypeFor[string]()

func gateValue(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			gateValue(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			gateValue(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			gateValue(v.Index(i), f)
		}
	case reflect.String:
		if v.Type() == textType {
			v.SetString(f(v.String()))
		}
	}
}
