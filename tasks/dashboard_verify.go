package tasks

import (
	"encoding/json"
	"net/url"

	"provision/internal/recipe"
)

// verifyDashboard opens the page as a browser does, and asks Graphite what each of its panels asks.
// Who may not read graphs gets none of it.
func verifyDashboard(in recipe.Input) ([]recipe.Check, error) {
	content, err := dashboardsJSON(in.Vars)
	if err != nil {
		return nil, err
	}
	var made dashboards
	if err := json.Unmarshal([]byte(content), &made); err != nil {
		return nil, err
	}
	g := graphite{Input: in}
	g.Vars = in.Of("graphite")
	checks := []recipe.Check{
		g.local("the page", recipe.HTTPCheck{URL: dashboardPath, Type: "text/html", Contains: `src="app.js"`}),
		g.local("its program", recipe.HTTPCheck{URL: dashboardPath + "app.js", Contains: "dashboards.json"}),
		g.local("what draws", recipe.HTTPCheck{URL: dashboardPath + "uPlot.iife.min.js", Prefix: "/*! https://github.com/leeoniya/uPlot"}),
		g.local("its dashboards", recipe.HTTPCheck{URL: dashboardPath + dashboardsFile, Type: "application/json", Contains: `"version": "` + made.Version + `"`}),
	}
	for _, tab := range made.Dashboards {
		for _, panel := range tab.Panels {
			query := url.Values{"target": panel.Targets, "from": {"-5min"}, "format": {"json"}}
			check := g.local("Graphite answers panel "+panel.Title+" of "+tab.Name, recipe.HTTPCheck{URL: "/render?" + query.Encode(), Type: "application/json"})
			checks = append(checks, check)
		}
	}
	if g.auth() && !isLoopback(in.Address) {
		checks = append(checks, g.fromOutside("nobody sees the dashboards without the password", recipe.HTTPCheck{URL: dashboardPath + dashboardsFile, Status: 401}))
	}
	return checks, nil
}
