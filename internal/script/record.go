package script

import (
	"encoding/json"
	"fmt"

	"provision/internal/recipe"
)

// Record is a line of a run's journal. What is needed to take a step back is in it; what a
// step wrote is not, for it may be a secret: the host keeps copies.
type Record struct {
	Event    string `json:"event"` // run, plan, begin, end, finish; undo and undone by the host itself
	Step     int    `json:"step,omitempty"`
	Kind     string `json:"kind,omitempty"` // of the step: the function of sh/ that does it
	Title    string `json:"title,omitempty"`
	Resource string `json:"resource,omitempty"`
	Status   int    `json:"status,omitempty"` // of end

	Path   string `json:"path,omitempty"`   // of a step on a file
	Secret bool   `json:"secret,omitempty"` // its content is never shown

	Unit    string       `json:"unit,omitempty"` // of a step on a unit
	Verb    recipe.Verb  `json:"verb,omitempty"`
	Found   *recipe.Unit `json:"found,omitempty"` // as it was before
	Check   string       `json:"check,omitempty"`
	Listens []string     `json:"listens,omitempty"`
	Guarded bool         `json:"guarded,omitempty"` // it may have cut the connection
	Watched bool         `json:"watched,omitempty"` // it has loaded its files when a step of KindWatch is done

	// Of run: whose it is.
	Tasks   []string `json:"tasks,omitempty"`
	By      string   `json:"by,omitempty"`
	Does    string   `json:"does,omitempty"`    // install, deploy, rollback
	Of      string   `json:"of,omitempty"`      // of a rollback: the run that it takes back
	GoesOn  string   `json:"goes_on,omitempty"` // the run that this one goes on with
	Version string   `json:"version,omitempty"`
	Plan    string   `json:"plan,omitempty"` // the hash of what was planned; of plan: of another plan, made under the lock

	Outcome string `json:"outcome,omitempty"` // of finish
}

// The kinds of steps that who reads a journal tells apart.
const (
	KindDirectory = "make_directory"
	KindUpload    = "place_upload"
	KindWatch     = "watch"
)

// ForGood reports whether a step is of those of which no copy is kept, so that nothing takes it back.
func (r Record) ForGood() bool {
	return r.Kind == "execute" || r.Kind == "install_packages" || r.Kind == "remove_packages"
}

// Line returns the record as one line of JSON.
func (r Record) Line() string {
	line, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("script: record: %v", err)) // strings and numbers always marshal
	}
	return string(line)
}

// begun is the record of a step that begins.
func begun(numbered recipe.Numbered, told act) Record {
	record := Record{
		Event: "begin", Step: numbered.Number, Kind: told.function, Title: numbered.Step.Title(), Resource: numbered.Resource,
		Path: recipe.PathOf(numbered.Step), Secret: recipe.SecretOf(numbered.Step),
	}
	if told.note != nil {
		told.note(&record)
	}
	return record
}
