package server

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"regexp"
	"strconv"

	"provision/internal/gimel/store"
)

// row is one line of an export: what a counter counted on one day, or in all
// where the day is "total"; or an experiment that cannot be read, where it is
// "unreadable".
type row struct {
	Namespace  string `json:"namespace"`
	Experiment string `json:"experiment"`
	Event      string `json:"event"`
	Variant    string `json:"variant"`
	Day        string `json:"day"`
	Count      int64  `json:"count"`
	sums
}

// sums are of a goal that counts values: of what the uuids have brought, and of the
// squares of that. Of a count they are of how often each known visitor has come.
type sums struct {
	Sum     float64 `json:"sum,omitempty"`
	Squares float64 `json:"squares,omitempty"`
}

func (s sums) cells() []string {
	if s == (sums{}) {
		return []string{"", ""}
	}
	return []string{strconv.FormatFloat(s.Sum, 'f', -1, 64), strconv.FormatFloat(s.Squares, 'f', -1, 64)}
}

// export writes all counters of a namespace, or of the experiment named, as
// JSON or, with format=csv, as CSV.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	format := r.URL.Query().Get("format")
	if format != "" && format != "json" && format != "csv" {
		writeError(w, http.StatusBadRequest, "format: neither json nor csv")
		return
	}
	rows, err := s.rows(r)
	if errors.Is(err, store.ErrNotFound) {
		writeError(w, http.StatusNotFound, "no such experiment")
		return
	}
	if err != nil {
		s.unavailable(w, err)
		return
	}
	if format != "csv" {
		writeJSON(w, http.StatusOK, map[string]any{"rows": rows})
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="gimel.csv"`)
	writer := csv.NewWriter(w)
	_ = writer.Write([]string{"namespace", "experiment", "event", "variant", "day", "count", "sum", "squares"})
	for _, row := range rows {
		_ = writer.Write(append([]string{cell(row.Namespace), cell(row.Experiment), cell(row.Event), cell(row.Variant),
			row.Day, strconv.FormatInt(row.Count, 10)}, row.cells()...))
	}
	writer.Flush() // its error: the client has gone
}

// formula is what a spreadsheet takes for the beginning of one, at that of a cell;
// where decimals have a comma, a cell begins behind a semicolon too, quoted or not.
var formula = regexp.MustCompile(`(^|;)("?\s*[=+\-@＝＋－＠])`)

// cell keeps a spreadsheet from taking a visitor's text for a formula
// (https://owasp.org/www-community/attacks/CSV_Injection).
func cell(text string) string { return formula.ReplaceAllString(text, "$1'$2") }

func (s *Server) rows(r *http.Request) ([]row, error) {
	experiments, err := s.named(r.Context(), namespaceOf(r), r.URL.Query().Get("name"))
	if err != nil {
		return nil, err
	}
	days, err := s.Store.Days(r.Context(), experiments...)
	if err != nil {
		return nil, err
	}
	rows := []row{}
	for i, experiment := range experiments {
		if experiment.Problem != nil {
			rows = append(rows, row{Namespace: experiment.Namespace, Experiment: experiment.Name, Day: "unreadable"})
		}
		for _, counter := range experiment.Counters {
			line := row{Namespace: experiment.Namespace, Experiment: experiment.Name, Event: counter.Event, Variant: counter.Variant}
			for _, day := range days[i][counter] {
				line.Day, line.Count, line.sums = day.Day, day.Count, sums{day.Sum, day.Squares}
				rows = append(rows, line)
			}
			line.Day, line.Count, line.sums = "total", counter.Count, sums{counter.Values.Sum, counter.Values.Squares}
			rows = append(rows, line)
		}
	}
	return rows, nil
}

// named is one experiment, or without a name all of the namespace.
func (s *Server) named(ctx context.Context, namespace, name string) ([]*store.Experiment, error) {
	if name == "" {
		return s.Store.Experiments(ctx, namespace)
	}
	experiment, err := s.Store.Experiment(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	return []*store.Experiment{experiment}, nil
}
