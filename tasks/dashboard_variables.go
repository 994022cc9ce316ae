package tasks

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"provision/internal/recipe"
)

// dashboardRanges are those that the page has.
var dashboardRanges = []string{"15m", "1h", "3h", "6h", "12h", "24h", "7d", "30d", "1y"}

func dashboardVariables() []recipe.Variable {
	return []recipe.Variable{
		{Name: "title", Type: recipe.TypeString, Default: "Dashboards", Check: text(shownText), Help: "What stands at the top of the page."},
		{
			Name: "panels", Type: recipe.TypeRecords, Fields: []string{"dashboard", "title", "target"}, Optional: []string{"unit", "style", "minimum", "maximum", "about"}, Check: checkPanels,
			Help: "Your own dashboards, before those that come with it: a panel each, in their order. The target is what Graphite's render API takes, as alias(shop.orders, 'orders'); several have commas between. " +
				"unit is bytes, bytes/s, percent, seconds, milliseconds, or what stands behind a number, as /min; style is line, area or stacked; minimum and maximum bound the axis.",
		},
		{Name: "shipped", Type: recipe.TypeBool, Default: true, Help: "The dashboards that come with it: of carbon, of statsd, and of hosts that send what collectd measures."},
		{Name: "range", Type: recipe.TypeString, Default: "1h", Choices: dashboardRanges, Help: "The time that is shown first."},
		{Name: "refresh", Type: recipe.TypeInt, Default: 30, Check: between(5, 3600), Help: "Seconds after which a page asks again, as long as somebody looks at it."},
		{Name: "annotations", Type: recipe.TypeBool, Default: true, Help: "What /events knows, as a deploy, is marked in all panels, and listed."},
	}
}

// checkDashboards wants something to show.
func checkDashboards(vars recipe.Values) (string, error) {
	if !vars.Bool("shipped") && len(vars.Records("panels")) == 0 {
		return "panels", errors.New("must have a panel where dashboard.shipped is false: there would be nothing to show")
	}
	return "", nil
}

// shownText is a text of the page: one line, with something in it.
func shownText(text string) error {
	if text == "" || text != strings.TrimSpace(text) || len(text) > 80 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%q: must be a line of 80 bytes at most, without white space at its ends", text)
	}
	return nil
}

func checkPanels(value any) error {
	seen := map[string]bool{}
	for _, panel := range value.([]map[string]string) {
		if err := checkPanel(panel); err != nil {
			return err
		}
		key := panel["dashboard"] + "\x00" + panel["title"]
		if seen[key] {
			return fmt.Errorf("panel %q of dashboard %q: is there twice", panel["title"], panel["dashboard"])
		}
		seen[key] = true
	}
	return nil
}

func checkPanel(panel map[string]string) error {
	of := func(err error) error {
		return fmt.Errorf("panel %q of dashboard %q: %w", panel["title"], panel["dashboard"], err)
	}
	for _, field := range []string{"dashboard", "title", "unit", "about"} {
		if text, there := panel[field]; there && shownText(text) != nil && (field != "about" || len(text) < 80) {
			return fmt.Errorf("%s %w", field, shownText(text))
		}
	}
	if len(panel["about"]) > 300 {
		return of(errors.New("about: is longer than 300 bytes"))
	}
	if _, err := splitTargets(panel["target"]); err != nil {
		return of(err)
	}
	if style, there := panel["style"]; there && !slices.Contains([]string{"line", "area", "stacked"}, style) {
		return of(fmt.Errorf("style %q: must be line, area or stacked", style))
	}
	var bounds []float64
	for _, field := range []string{"minimum", "maximum"} {
		text, there := panel[field]
		if !there {
			continue
		}
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(bound, 0) || math.IsNaN(bound) {
			return of(fmt.Errorf("%s %q: must be a number", field, text))
		}
		bounds = append(bounds, bound)
	}
	if len(bounds) == 2 && bounds[0] >= bounds[1] {
		return of(errors.New("minimum: must be less than maximum"))
	}
	return nil
}

// mostTarget bounds the targets of a panel: they go in one request.
const mostTarget = 4096

// splitTargets takes a panel's targets apart, at the commas that stand in no bracket and in no quotes:
// Graphite's own grammar has none there (graphite/render/grammar.py). What is not closed is refused.
func splitTargets(text string) ([]string, error) {
	if len(text) > mostTarget || strings.ContainsFunc(text, unicode.IsControl) || strings.ToValidUTF8(text, "") != text {
		return nil, fmt.Errorf("target %.80q: must be a line of %d bytes at most", text, mostTarget)
	}
	var targets []string
	var open []rune // what has to be closed, the innermost last
	closes := map[rune]rune{'(': ')', '{': '}', '[': ']'}
	start, quoted, escaped := 0, rune(0), false
	for at, r := range text + "," {
		switch {
		case escaped:
			escaped = false
		case quoted != 0:
			escaped = r == '\\'
			if r == quoted && !escaped {
				quoted = 0
			}
		case r == '\'' || r == '"':
			quoted = r
		case closes[r] != 0:
			open = append(open, closes[r])
		case strings.ContainsRune(")}]", r):
			if len(open) == 0 || open[len(open)-1] != r {
				return nil, fmt.Errorf("target %q: %c closes nothing", text, r)
			}
			open = open[:len(open)-1]
		case r == ',' && len(open) == 0:
			targets = append(targets, strings.TrimSpace(text[start:at]))
			start = at + 1
		}
	}
	switch {
	case quoted != 0:
		return nil, fmt.Errorf("target %q: a quote %c is not closed", text, quoted)
	case len(open) > 0:
		return nil, fmt.Errorf("target %q: a %c is missing", text, open[len(open)-1])
	case slices.Contains(targets, ""):
		return nil, fmt.Errorf("target %q: nothing stands before or behind a comma", text)
	}
	return targets, nil
}
