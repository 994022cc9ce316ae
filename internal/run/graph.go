package run

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/remote"
)

const (
	graphTimeout = 60 * time.Second // as nginx waits for graphite-web
	longestGraph = 64 << 20         // bytes of an answer
)

// GraphQuery is what is asked of a host's Graphite.
type GraphQuery struct {
	Targets     []string
	From, Until string            // as Graphite's render API has them: -1h, now
	Site        map[string]string // by host, where its Graphite answers on the host itself: http://127.0.0.1
}

// Graph returns the work of asking every host's Graphite, by a connection that is made on the host itself.
func Graph(query GraphQuery) Verb {
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		settings.InOrder = true
		return reading(ctx, work, settings, func(ctx context.Context, j *job) {
			if !j.connect(ctx) {
				return
			}
			j.observe(engine.Asking{})
			graphed, err := query.ask(ctx, j.Target.Name, j.host.connection)
			if err == nil {
				j.observe(graphed)
			}
			j.finish(engine.StatusDone, err)
		})
	}
}

// GraphError is a Graphite that did not answer as it should.
type GraphError struct {
	Problem string
	Advice  string
	Err     error
}

// Error implements error.
func (e *GraphError) Error() string { return e.Problem }

// Unwrap returns what is behind it.
func (e *GraphError) Unwrap() error { return e.Err }

// Hint is what to do.
func (e *GraphError) Hint() string { return e.Advice }

// ask asks one host. Requests of the host itself need no password, and its certificate is for other names.
func (q GraphQuery) ask(ctx context.Context, host string, connection *remote.Connection) (engine.Graphed, error) {
	ctx, done := context.WithTimeout(ctx, graphTimeout)
	defer done()
	fields := url.Values{"target": q.Targets, "from": {q.From}, "until": {q.Until}, "format": {"json"}, "noCache": {"1"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.Site[host]+"/render?"+fields.Encode(), nil)
	if err != nil {
		return engine.Graphed{}, err
	}
	client := http.Client{Transport: &http.Transport{
		DialContext: connection.DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	response, err := client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the whole address
		}
		return engine.Graphed{}, &GraphError{"no Graphite answers at " + q.Site[host] + " on the host: " + err.Error(),
			"provision verify graphite -H " + host + "; where it answers at another port: -e graphite.port=8080", err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestGraph+1))
	switch {
	case err != nil:
		return engine.Graphed{}, fmt.Errorf("answer of Graphite: %w", err)
	case len(body) > longestGraph:
		return engine.Graphed{}, &GraphError{Problem: "Graphite's answer is longer than 64 MiB", Advice: "ask for less: a shorter --from, or fewer series"}
	case response.StatusCode != http.StatusOK:
		return engine.Graphed{}, &GraphError{Problem: fmt.Sprintf("Graphite answered %d: %s", response.StatusCode, lastLine(string(body))), Advice: graphAdvice(response.StatusCode)}
	}
	return parseGraph(body)
}

// graphAdvice is what to look at after such an answer.
func graphAdvice(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusInternalServerError:
		return "the target, or the time, may not be as Graphite has them: https://graphite.readthedocs.io/en/latest/render_api.html"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return "graphite-web does not run, or is slow: journalctl -u graphite-web on the host"
	}
	return ""
}

// lastLine is the last line with something in it, without tags: Django tells of an error in a page.
func lastLine(text string) string {
	var last string
	for line := range strings.Lines(text) {
		plain := ""
		for part := range strings.SplitSeq(line, "<") {
			if _, after, tag := strings.Cut(part, ">"); tag {
				part = after
			}
			plain += part
		}
		if plain = strings.TrimSpace(plain); plain != "" {
			last = plain
		}
	}
	if runes := []rune(last); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return last
}

// parseGraph reads what the render API answers. The time is that of the points.
func parseGraph(body []byte) (engine.Graphed, error) {
	var answer []struct {
		Target     string
		Datapoints [][2]*json.Number
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return engine.Graphed{}, fmt.Errorf("the answer of Graphite is not as its render API has it: %w", err)
	}
	var g engine.Graphed
	for _, one := range answer {
		series := engine.Series{Name: one.Target, Step: 1, Values: []*float64{}}
		for i, point := range one.Datapoints {
			if point[1] == nil {
				return g, fmt.Errorf("the answer of Graphite has a point of %s without its time", one.Target)
			}
			at := number(point[1])
			if at == nil {
				return g, fmt.Errorf("the answer of Graphite has a point of %s at %s", one.Target, *point[1])
			}
			switch at := int64(*at); i {
			case 0:
				series.Start = at
			case 1:
				series.Step = max(at-series.Start, 1)
			}
			series.Values = append(series.Values, number(point[0]))
		}
		g.Series = append(g.Series, series)
		if len(series.Values) == 0 {
			continue
		}
		end := series.Start + int64(len(series.Values)-1)*series.Step
		if g.From == 0 || series.Start < g.From {
			g.From = series.Start
		}
		g.Until = max(g.Until, end)
	}
	return g, nil
}

// number is what can be drawn: nil is unknown, or beyond all numbers, which Graphite writes as 1e9999.
func number(text *json.Number) *float64 {
	if text == nil {
		return nil
	}
	value, err := text.Float64()
	if err != nil {
		return nil
	}
	return &value
}
