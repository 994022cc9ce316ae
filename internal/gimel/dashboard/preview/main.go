// Preview serves the dashboard over made-up experiments, to look at while
// working on its pages: go run ./internal/gimel/dashboard/preview
package main

import (
	"context"
	"flag"
	"log"
	"math/rand/v2"
	"net/http"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"provision/internal/gimel/dashboard"
	"provision/internal/gimel/event"
	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

func main() {
	address := flag.String("listen", "127.0.0.1:8099", "where to listen")
	flag.Parse()
	mux := http.NewServeMux()
	mux.Handle("/dashboard/", http.StripPrefix("/dashboard", dashboard.Handler(newSample(), sample{}, mayChange)))
	mux.HandleFunc("/dashboard/login", func(w http.ResponseWriter, r *http.Request) {
		dashboard.Login(w, http.StatusOK, r.URL.Query().Get("message"))
	})
	mux.HandleFunc("POST /dashboard/logout", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/dashboard/login", http.StatusSeeOther)
	})
	log.Printf("http://%s/dashboard/", *address)
	log.Fatal(http.ListenAndServe(*address, mux))
}

// mayChange makes ?viewer=1 the page of who may only look.
func mayChange(r *http.Request) bool { return !r.URL.Query().Has("viewer") }

// arm is a variant with the rates it really has, one for each goal.
type arm struct {
	label  string
	weight float64
	rates  []float64
	// kept is the share of its participants that is counted; 0 means all.
	kept float64
}

type sample struct{ details []results.Detail }

func newSample() sample {
	var s sample
	s.add("button color", 21, 2600, 20000, []string{"sign-up", "purchase"},
		arm{"grey", 1, []float64{0.052, 0.0104}, 0}, arm{"blue", 1, []float64{0.0605, 0.0106}, 0})
	s.add("checkout in one page", 45, 1900, 40000, []string{"purchase"},
		arm{"three pages", 1, []float64{0.031}, 0}, arm{"one page", 1, []float64{0.0318}, 0})
	s.add("pricing table", 30, 4200, 24000, []string{"contact"},
		arm{"three plans", 4, []float64{0.081}, 0}, arm{"two plans", 2, []float64{0.0925}, 0},
		arm{"slider", 2, []float64{0.079}, 0}, arm{"a very long label that somebody typed without thinking", 2, []float64{0.084}, 0})
	s.add("headline", 60, 900, 25000, []string{"read to the end"},
		arm{"plain", 1, []float64{0.34}, 0}, arm{"question", 1, []float64{0.322}, 0})
	s.add("lost events", 12, 3000, 0, []string{"sign-up"},
		arm{"before", 1, []float64{0.047}, 0}, arm{"after", 1, []float64{0.049}, 0.93})
	s.add("counted twice", 9, 400, 5000, []string{"click"},
		arm{"a", 1, []float64{0.6}, 0}, arm{"b", 1, []float64{0.64}, 0})
	twice := &s.details[len(s.details)-1].Results[0]
	twice.Variants[1].Successes = twice.Variants[1].Trials + 212
	s.add("first day", 1, 60, 5000, []string{"sign-up"},
		arm{"a", 1, []float64{0.1}, 0}, arm{"b", 1, []float64{0.1}, 0})
	s.add("basket", 18, 1500, 12000, []string{"revenue"},
		arm{"as it was", 1, []float64{0.06}, 0}, arm{"with pictures", 1, []float64{0.064}, 0})
	bring(&s.details[len(s.details)-1].Results[0], 41, 46)
	s.details = append(s.details, results.Detail{Summary: results.Summary{
		Namespace: dashboard.DefaultNamespace, Name: "announced", Declared: true, PlannedTrials: 12000,
		Variants: []statistics.Variant{{Label: "a", Weight: 1}, {Label: "b", Weight: 1}}}})
	s.details[0].Notes = store.Notes{
		Hypothesis: "A colour that is nowhere else on the page is found sooner, so more people sign up. If it is only looked at more often, purchases stay as they are.",
		Owner:      "Ada", Decision: "Blue for everybody from 1 December.\nThe purchases are looked at again in spring.",
		Log: []store.Entry{{At: time.Now().AddDate(0, 0, -21), Text: "Declared: variants grey (1), blue (1); goals sign-up, purchase; 20000 participants in each"},
			{At: time.Now().AddDate(0, 0, -9), Text: "The newsletter went out: more visitors than on other days"}, {At: time.Now(), Text: "Decided: blue for everybody"}},
	}
	s.details[0].Declaration = store.Declaration{Namespace: "alephbet", Experiment: "button color", Goals: []string{"sign-up", "purchase"}, Planned: 20000,
		Variants: []store.Variant{{Label: "grey", Weight: 1}, {Label: "blue", Weight: 1}}}
	s.details[0].Crossing = store.Crossing{Looked: 6100, Several: 12}
	s.details[2].Crossing = store.Crossing{Looked: 5210, Several: 160}
	s.details[1].Before = &store.Before{Planned: 60000, Goals: []string{"purchase"}, Primary: "purchase", Control: "three pages"}
	s.details[1].Declaration.Goals = []string{"purchase", "basket"}
	late := s.details[1].Results[0]
	late.Name = "basket"
	s.details[1].Results = append([]results.Goal{late}, s.details[1].Results...)
	s.details[1].PlannedTrials, s.details[1].Primary = 60000, "purchase"
	s.details[7].Results[0].Over = 3
	s.details[7].Declaration.Kinds = map[string]event.Kind{"revenue": event.Value}
	s.details[3].Archived = true
	s.details[6].Declared = false
	return s
}

// add counts an experiment day by day; the same seed gives the same counts.
func (s *sample) add(name string, days int, perDay, planned int64, goals []string, arms ...arm) {
	source := rand.NewPCG(uint64(len(s.details)), 7)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	d := results.Detail{Summary: results.Summary{Namespace: dashboard.DefaultNamespace, Name: name,
		Goals: goals, PlannedTrials: planned, Declared: true, Started: today.AddDate(0, 0, 1-days)}}
	var weights float64
	for _, a := range arms {
		d.Variants = append(d.Variants, statistics.Variant{Label: a.label, Weight: a.weight})
		weights += a.weight
	}
	for _, goal := range goals {
		d.Results = append(d.Results, results.Goal{Name: goal, Variants: append([]statistics.Variant(nil), d.Variants...)})
	}
	for day := range days {
		date := d.Started.AddDate(0, 0, day)
		for g := range d.Results {
			d.Results[g].Days = append(d.Results[g].Days, results.Day{Date: date, Variants: make([]statistics.Variant, len(arms))})
		}
		for i, a := range arms {
			visitors := distuv.Poisson{Lambda: float64(perDay) * a.weight / weights, Src: source}.Rand()
			if a.kept > 0 {
				visitors = float64(int64(visitors * a.kept))
			}
			d.Variants[i].Trials += int64(visitors)
			for g := range d.Results {
				converted := int64(distuv.Binomial{N: visitors, P: a.rates[g], Src: source}.Rand())
				d.Results[g].Days[day].Variants[i] = statistics.Variant{Label: a.label, Trials: int64(visitors), Successes: converted}
				d.Results[g].Variants[i].Trials += int64(visitors)
				d.Results[g].Variants[i].Successes += converted
			}
		}
	}
	d.Declaration = store.Declaration{Goals: goals, Planned: planned}
	for _, a := range arms {
		d.Declaration.Variants = append(d.Declaration.Variants, store.Variant{Label: a.label, Weight: a.weight})
	}
	s.details = append(s.details, d)
}

// bring gives each conversion of a variant a value, of which this is the mean.
func bring(goal *results.Goal, means ...float64) {
	goal.Kind = statistics.Value
	add := func(variants []statistics.Variant) {
		for i := range variants {
			v, spread := &variants[i], means[i]*0.6
			v.Values, v.Sum = v.Successes, float64(v.Successes)*means[i]
			v.Squares = float64(v.Successes) * (means[i]*means[i] + spread*spread)
		}
	}
	add(goal.Variants)
	for _, day := range goal.Days {
		add(day.Variants)
	}
}

// Experiments implements dashboard.Source.
func (s sample) Experiments(_ context.Context, namespace string) (found []results.Detail, _ error) {
	for _, d := range s.details {
		if d.Namespace == namespace {
			found = append(found, d)
		}
	}
	return found, nil
}

// Experiment implements dashboard.Source.
func (s sample) Experiment(_ context.Context, namespace, name string) (results.Detail, error) {
	for _, d := range s.details {
		if d.Namespace == namespace && d.Name == name {
			return d, nil
		}
	}
	return results.Detail{}, results.ErrNotFound
}

// What follows implements dashboard.Changes, and changes nothing.

func (sample) Declare(context.Context, store.Declaration) error { return nil }

func (sample) SetState(context.Context, string, string, string) error { return nil }

func (sample) Annotate(context.Context, string, string, store.Annotation) error { return nil }

func (sample) Delete(context.Context, string, string) error { return nil }

// Namespaces implements dashboard.Source.
func (s sample) Namespaces(context.Context) ([]string, error) {
	return []string{"alephbet", "shop", "newsletter"}, nil
}

// TurnedAway implements dashboard.Source.
func (s sample) TurnedAway(string) int64 { return 0 }
