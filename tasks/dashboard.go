package tasks

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

const (
	dashboardName      = "dashboard"
	dashboardDirectory = "/usr/local/share/provision-dashboard"
	dashboardPath      = "/dashboards/"
	dashboardsFile     = "dashboards.json"

	// graphiteSiteParts is what graphite's site includes.
	graphiteSiteParts = "/etc/nginx/graphite.d"
)

// Dashboard is a page of graphs in graphite's site: files, and no daemon.
func Dashboard() recipe.Task {
	return recipe.Task{
		Name:    dashboardName,
		Summary: "dashboards over Graphite: a static page of its site, which draws and refreshes",
		About: "Puts a page with dashboards at " + dashboardPath + " of graphite's site: who may read graphs may read them, with the same password. The page asks Graphite's render API for its data and no other site for anything: " +
			"what draws the graphs (uPlot) comes with it. It has dark and light colours, keys (? tells them), and what /events knows as marks. " +
			"A panel says when there is no data, when the data is old, and what Graphite says when it fails. Three dashboards come with it, of carbon, statsd and hosts with collectd; yours are dashboard.panels.",
		Uses:      []string{"graphite", "nginx"},
		Needs:     []string{"graphite"},
		Variables: dashboardVariables(),
		Check:     checkDashboards,
		Build:     buildDashboard,
		Verify:    verifyDashboard,
		After: func(in recipe.Input) []string {
			g := graphite{Input: recipe.Input{Vars: in.Of("graphite"), Address: in.Address}}
			return []string{"the dashboards are at " + g.home() + dashboardPath[1:]}
		},
	}
}

// buildDashboard is the page, and its place in graphite's site.
func buildDashboard(in recipe.Input) (recipe.Recipe, error) {
	var r recipe.Recipe
	files, err := dashboardFiles(in.Vars)
	if err != nil {
		return r, err
	}
	r.Add(resource.Tree{Path: dashboardDirectory, Files: files})
	r.Add(resource.Directory{Path: "/etc/nginx"})
	// It notifies nginx so that the trial of what is new has it too.
	r.Add(resource.Directory{Path: graphiteSiteParts}, reload(nginxUnit)...)
	err = addFiles(&r, []filePart{{
		path: graphiteSiteParts + "/dashboard.conf", template: "dashboard/site.conf.tmpl", notifies: reload(nginxUnit),
		data: struct{ Directory string }{dashboardDirectory},
	}})
	r.Add(nginxRuns(nil, "", ""))
	return r, err
}

// dashboardFiles are the page's files, and the dashboards that it shows.
func dashboardFiles(vars recipe.Values) ([]resource.TreeFile, error) {
	content, err := dashboardsJSON(vars)
	if err != nil {
		return nil, err
	}
	page := templates.Page()
	var files []resource.TreeFile
	for _, name := range slices.Sorted(maps.Keys(page)) {
		files = append(files, resource.TreeFile{Name: name, Content: page[name]})
	}
	return append(files, resource.TreeFile{Name: dashboardsFile, Content: content}), nil
}

// The page reads these: dashboards.json.
type (
	dashboards struct {
		Version     string         `json:"version"` // of all files: another one says that the page is to be read again
		Title       string         `json:"title"`
		Refresh     int            `json:"refresh"` // seconds
		Range       string         `json:"range"`
		Annotations bool           `json:"annotations"`
		Dashboards  []dashboardTab `json:"dashboards"`
	}
	dashboardTab struct {
		Name   string           `json:"name"`
		Panels []dashboardPanel `json:"panels"`
	}
	dashboardPanel struct {
		Title   string   `json:"title"`
		Targets []string `json:"targets"`
		Unit    string   `json:"unit,omitempty"`
		Style   string   `json:"style,omitempty"`
		About   string   `json:"about,omitempty"`
		Minimum *float64 `json:"minimum,omitempty"`
		Maximum *float64 `json:"maximum,omitempty"`
	}
)

// dashboardsOf are the dashboards that the variables say: one's own first.
func dashboardsOf(vars recipe.Values) ([]dashboardTab, error) {
	records := vars.Records("panels")
	if vars.Bool("shipped") {
		records = slices.Concat(records, shippedPanels())
	}
	var tabs []dashboardTab
	for _, record := range records {
		panel, err := panelOf(record)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(tabs, func(tab dashboardTab) bool { return tab.Name == record["dashboard"] })
		if at < 0 {
			at = len(tabs)
			tabs = append(tabs, dashboardTab{Name: record["dashboard"]})
		}
		tabs[at].Panels = append(tabs[at].Panels, panel)
	}
	return tabs, nil
}

// panelOf reads a panel, which its variable has checked.
func panelOf(record map[string]string) (dashboardPanel, error) {
	targets, err := splitTargets(record["target"])
	panel := dashboardPanel{Title: record["title"], Targets: targets, Unit: record["unit"], Style: record["style"], About: record["about"]}
	for _, bound := range []struct {
		text string
		is   **float64
	}{{record["minimum"], &panel.Minimum}, {record["maximum"], &panel.Maximum}} {
		if value, err := strconv.ParseFloat(bound.text, 64); err == nil {
			*bound.is = &value
		}
	}
	return panel, err
}

// dashboardsJSON is what the page reads.
func dashboardsJSON(vars recipe.Values) (string, error) {
	tabs, err := dashboardsOf(vars)
	if err != nil {
		return "", err
	}
	made := dashboards{
		Title: vars.String("title"), Refresh: vars.Int("refresh"), Range: vars.String("range"), Annotations: vars.Bool("annotations"), Dashboards: tabs,
	}
	first, err := json.Marshal(made)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	digest.Write(first)
	page := templates.Page()
	for _, name := range slices.Sorted(maps.Keys(page)) {
		fmt.Fprintf(digest, "\x00%s\x00%s", name, page[name])
	}
	made.Version = fmt.Sprintf("%x", digest.Sum(nil)[:8])
	text, err := json.MarshalIndent(made, "", " ")
	return string(text) + "\n", err
}
