package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"provision/internal/report"
)

func newShow(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "show a plan that plan --out saved",
		Long: `Shows a saved plan as it was shown when it was made, every diff of it, and who
made it. It reads the file, and connects to no host. Plans that hosts have in
common are shown once.`,
		Example: `  provision show friday.plan
  provision apply friday.plan           make these changes`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			saved, err := readPlan(args[0])
			if err != nil {
				return err
			}
			return f.showSaved(io, args[0], saved)
		},
	}
}

func (f *flags) showSaved(io console, path string, saved savedPlan) error {
	var hosts []report.SavedPlan
	for _, host := range saved.Hosts {
		hosts = append(hosts, report.SavedPlan{Host: host.Name, Plan: saved.planOf(host), After: host.After})
	}
	if f.output.json {
		return report.NewJSON(io.out, nil, nil).SavedPlans(hosts, saved.Made)
	}
	options := report.Detect(io.out, os.Getenv)
	options.Verbosity = int(f.output.verbose)
	if f.output.quiet {
		options.Verbosity = -1
	}
	made := fmt.Sprintf("made %s by %s", saved.Made.Local().Format(time.DateTime), saved.By)
	if asked := saved.asked(); asked != "" {
		made += ", for " + asked
	}
	if err := saved.current(path); err != nil {
		made += "; by another provision, " + saved.Version + ": it cannot be applied with this one"
	}
	return report.SavedPlans(io.out, options, made, hosts)
}
