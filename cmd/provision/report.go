package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"provision/internal/report"
	"provision/internal/script"
)

func newReport(f *flags, io console) *cobra.Command {
	var out string
	command := &cobra.Command{
		Use:   "report [RUN]",
		Short: "a page of a run in HTML: what changed where, and every diff",
		Long: `Makes one page of a run that you made on this machine, the last one or the one
that is named as provision runs does: who ran what, how it ended on each host,
what is not well and why, every diff, and what took how long. It is one file
that asks for nothing elsewhere; secrets are masked in it. Of the last 20 runs
there is all of that, of older ones how they ended.`,
		Example: `  provision report                      the last run, into run-ID.html
  provision report 20261129 --out friday.html
  provision report --out -              to standard output`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			return f.reportRun(io, append(args, "")[0], out)
		},
	}
	command.Flags().StringVar(&out, "out", "", "the `FILE` to write, - for standard output (default run-ID.html)")
	return command
}

func (f *flags) reportRun(io console, id, out string) error {
	past, err := pastRunsOf(f.selection)
	if err != nil {
		return err
	}
	one, err := past.find(id)
	if err != nil {
		return err
	}
	recorded, err := past.recording(one.ID)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.RunPage(&page, one, recorded); err != nil {
		return err
	}
	switch out {
	case "-":
		_, err := page.WriteTo(io.out)
		return err
	case "":
		out = "run-" + one.ID + ".html"
	}
	if err := checkOut(out); err != nil {
		return err
	}
	if err := writeOut(out, page.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(io.err, "%s: open it with a browser: xdg-open %s\n", out, script.Quote(out))
	return err
}
