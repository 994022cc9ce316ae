package dashboard

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"provision/internal/gimel/event"
	"provision/internal/gimel/results"
	"provision/internal/gimel/store"
)

// declareView keeps what was typed, so that a mistake can be mended.
type declareView struct {
	Namespace, Name   string
	Known             bool // declared before: the name stays
	Variants          []variantField
	Goals             []goalField
	Planned           string
	Hypothesis, Owner string
	Problem           string
	Ask               []string // what a change under traffic brings: really?
}

type variantField struct{ Label, Weight string }

type goalField struct {
	Name string
	Kind event.Kind
	Max  string
	From string // "key": from a server that has one
}

// emptyRows that a form has beyond those that are filled in.
const (
	emptyRows  = 2
	mostRows   = 100
	fewestRows = 4
)

// newDeclareView is an empty form, with what the calculator has found.
func newDeclareView(namespace string, query url.Values) declareView {
	view := declareView{Namespace: namespace, Name: query.Get("name"), Planned: query.Get("planned")}
	count, _ := strconv.Atoi(query.Get("variants"))
	for range min(max(count, fewestRows), mostRows) {
		view.Variants = append(view.Variants, variantField{Weight: "1"})
	}
	view.Goals = make([]goalField, emptyRows+1)
	view.Goals[0].Kind = event.Kind(query.Get("kind"))
	return view
}

// declareViewOf is what an experiment was declared to be, or seems to be.
func declareViewOf(d results.Detail) declareView {
	view := declareView{Namespace: d.Namespace, Name: d.Name, Known: d.Declared}
	declared := d.Declaration
	if !d.Declared {
		declared = store.Declaration{Goals: d.Goals}
		for _, v := range d.Variants {
			declared.Variants = append(declared.Variants, store.Variant{Label: v.Label, Weight: 1})
		}
	}
	for _, variant := range declared.Variants {
		view.Variants = append(view.Variants, variantField{variant.Label, strconv.FormatFloat(variant.Weight, 'g', -1, 64)})
	}
	for _, goal := range declared.Goals {
		view.Goals = append(view.Goals, goalFieldOf(declared, goal))
	}
	for range emptyRows {
		view.Variants = append(view.Variants, variantField{Weight: "1"})
		view.Goals = append(view.Goals, goalField{})
	}
	if declared.Planned > 0 {
		view.Planned = strconv.FormatInt(declared.Planned, 10)
	}
	view.Hypothesis, view.Owner = d.Notes.Hypothesis, d.Notes.Owner
	return view
}

func goalFieldOf(d store.Declaration, goal string) goalField {
	field := goalField{Name: goal, Kind: d.Kinds[goal]}
	if most, bounded := d.Max[goal]; bounded {
		field.Max = strconv.FormatFloat(most, 'f', -1, 64)
	}
	if d.Keyed[goal] {
		field.From = "key"
	}
	return field
}

func declareViewFrom(form url.Values) declareView {
	view := declareView{
		Namespace: strings.TrimSpace(form.Get("namespace")), Name: strings.TrimSpace(form.Get("name")), Known: form.Has("known"),
		Planned: strings.TrimSpace(form.Get("planned")), Hypothesis: paragraphs(form.Get("hypothesis")), Owner: paragraphs(form.Get("owner")),
	}
	for i, label := range form["variant"] {
		view.Variants = append(view.Variants, variantField{strings.TrimSpace(label), strings.TrimSpace(nth(form["weight"], i))})
	}
	for i, goal := range form["goal"] {
		view.Goals = append(view.Goals, goalField{Name: strings.TrimSpace(goal), Kind: event.Kind(nth(form["kind"], i)),
			Max: strings.TrimSpace(nth(form["max"], i)), From: nth(form["from"], i)})
	}
	return view
}

// nth is "" where there are fewer.
func nth(texts []string, i int) string {
	if i < len(texts) {
		return texts[i]
	}
	return ""
}

// declaration is what the form says; rows without a name are left out.
func (v declareView) declaration() (store.Declaration, error) {
	d := store.Declaration{Namespace: v.Namespace, Experiment: v.Name}
	if err := cmp.Or(checkName("the experiment", v.Name), checkName("the namespace", v.Namespace)); err != nil {
		return d, err
	}
	labels := map[string]bool{}
	for _, field := range v.Variants {
		if field.Label == "" {
			continue
		}
		if err := checkName("variant “"+field.Label+"”", field.Label); err != nil {
			return d, err
		}
		if labels[field.Label] {
			return d, fmt.Errorf("variant “%s” is there twice", field.Label)
		}
		labels[field.Label] = true
		weight, err := strconv.ParseFloat(field.Weight, 64)
		variant := store.Variant{Label: field.Label, Weight: weight}
		if err != nil || !variant.Possible() {
			return d, fmt.Errorf("the weight of “%s” must be a number above 0, and at most a million", field.Label)
		}
		d.Variants = append(d.Variants, variant)
	}
	if len(d.Variants) == 1 {
		return d, errors.New("a comparison needs a second variant")
	}
	if err := v.addGoals(&d); err != nil {
		return d, err
	}
	if v.Planned != "" {
		planned, err := strconv.ParseInt(strings.ReplaceAll(v.Planned, ",", ""), 10, 64)
		if err != nil || planned < 1 {
			return d, errors.New("the planned size must be a whole number above 0, or empty")
		}
		d.Planned = planned
	}
	return d, nil
}

func (v declareView) addGoals(d *store.Declaration) error {
	known := map[string]bool{}
	for _, goal := range v.Goals {
		if goal.Name == "" {
			continue
		}
		if err := checkName("goal “"+goal.Name+"”", goal.Name); err != nil {
			return err
		}
		if known[goal.Name] || goal.Name == event.Participate {
			return fmt.Errorf("goal “%s” is there twice: participants are always counted", goal.Name)
		}
		known[goal.Name] = true
		d.Goals = append(d.Goals, goal.Name)
		if goal.From == "key" {
			put(&d.Keyed, goal.Name, true)
		}
		switch {
		case goal.Kind == "" || goal.Kind == event.Unique: // what is not said
		case !event.IsKind(goal.Kind):
			return fmt.Errorf("goal “%s” is of no kind that is known", goal.Name)
		default:
			put(&d.Kinds, goal.Name, goal.Kind)
		}
		if goal.Max == "" {
			continue
		}
		most, err := strconv.ParseFloat(strings.ReplaceAll(goal.Max, ",", ""), 64)
		if err != nil || !(most > 0) {
			return fmt.Errorf("the largest value of goal “%s” must be a number above 0, or empty", goal.Name)
		}
		put(&d.Max, goal.Name, most)
	}
	return nil
}

// put makes a map that there is not yet.
func put[V any](into *map[string]V, name string, value V) {
	if *into == nil {
		*into = map[string]V{}
	}
	(*into)[name] = value
}

// checkName puts what is wrong with a name into words; how long one may be is
// the server's to say.
func checkName(what, name string) error {
	switch event.CheckName(name, math.MaxInt) {
	case event.MissingParameter:
		return fmt.Errorf("%s needs a name", what)
	case event.Colon:
		return fmt.Errorf("%s: a name has no colon", what)
	case event.BadCharacter:
		return fmt.Errorf("%s: has characters that cannot be shown", what)
	}
	return nil
}

// declareForm shows the form: empty, or for an experiment that is there.
func (h handler) declareForm(w http.ResponseWriter, r *http.Request) {
	namespace, query := namespaceOf(r), r.URL.Query()
	view := newDeclareView(namespace, query)
	if name := query.Get("name"); name != "" {
		detail, err := h.source.Experiment(r.Context(), namespace, name)
		if err == nil {
			view = declareViewOf(detail)
		} else if !errors.Is(err, results.ErrNotFound) {
			h.failed(w, r, err)
			return
		}
	}
	h.showDeclare(w, r, http.StatusOK, view)
}

func (h handler) showDeclare(w http.ResponseWriter, r *http.Request, status int, view declareView) {
	title := "Declare an experiment"
	if view.Known {
		title = "Change “" + view.Name + "”"
	}
	h.render(w, r, status, "declare", page{Title: title, Section: "experiments", Namespace: view.Namespace, Content: view})
}

func (h handler) declare(w http.ResponseWriter, r *http.Request) {
	view := declareViewFrom(r.PostForm)
	refuse := func(err error) {
		view.Problem = sentence(err.Error())
		h.showDeclare(w, r, http.StatusUnprocessableEntity, view)
	}
	d, err := view.declaration()
	if err != nil {
		refuse(err)
		return
	}
	before, err := h.source.Experiment(r.Context(), d.Namespace, d.Experiment)
	known := err == nil
	if err != nil && !errors.Is(err, results.ErrNotFound) {
		h.failed(w, r, err)
		return
	}
	if known && before.Declared && !view.Known {
		refuse(errors.New("there is an experiment of that name already: open it to change it, or take another name"))
		return
	}
	if known && !r.PostForm.Has("sure") {
		var problem error
		if view.Ask, problem = consequences(before, d); problem != nil {
			refuse(problem)
			return
		}
	}
	if err = h.changes.Declare(r.Context(), d); err == nil {
		err = h.changes.Annotate(r.Context(), d.Namespace, d.Experiment, store.Annotation{Hypothesis: &view.Hypothesis, Owner: &view.Owner})
	}
	if mistake, isMistake := errors.AsType[Mistake](err); isMistake {
		refuse(mistake)
		return
	}
	if err != nil {
		h.failed(w, r, err)
		return
	}
	seeOther(w, "experiment", d.Namespace, d.Experiment)
}

// consequences are those of a change after participants have come.
func consequences(before results.Detail, d store.Declaration) (all []string, problem error) {
	if said := replans(before, d); said != "" {
		all = append(all, said+" What suits the numbers that are there already proves nothing, so verdicts go by what was declared before participants came. A new experiment would be judged by this plan.")
		problem = errors.New("the plan changes while participants come")
	}
	if ramps(before, d) {
		all = append(all, "No verdict will be given of this experiment any more: which conversions belong to which weights is not known. A new experiment would have one.")
		problem = errors.New("the weights change while participants come")
	}
	return all, problem
}

// ramps says whether a declaration gives another share of the traffic to a
// variant, after participants have come: the store notes that for good.
func ramps(before results.Detail, d store.Declaration) bool {
	if before.Ramped || participants(before.Variants) == 0 {
		return false
	}
	share := func(variants []store.Variant, label string) float64 {
		sum, own := 0.0, 0.0
		for _, v := range variants {
			sum += v.Weight
			if v.Label == label {
				own = v.Weight
			}
		}
		return own / max(sum, math.SmallestNonzeroFloat64)
	}
	for _, v := range before.Declaration.Variants {
		if math.Abs(share(before.Declaration.Variants, v.Label)-share(d.Variants, v.Label)) > 1e-9 {
			return true
		}
	}
	return false
}
