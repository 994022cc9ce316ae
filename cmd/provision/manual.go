package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newManual writes the manual pages from the same texts as --help. cobra's own generator
// would tell of each verb every flag of the root, those too that it refuses.
func newManual(io console) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "write the manual pages into a directory",
		Long: `Writes provision.1, and a page for each verb such as provision-install.1, into
a directory, which is made where it is not there.`,
		Example: `  provision man ~/.local/share/man/man1
  man provision-install`,
		Args:                  arguments(1, 1),
		DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return badDirectory(args[0], err)
			}
			f := &flags{}
			for _, command := range documented(newRoot(f, io)) {
				file := filepath.Join(args[0], pageName(command)+".1")
				if err := os.WriteFile(file, []byte(manualPage(command, f.groups())), 0o644); err != nil {
					return badDirectory(args[0], err)
				}
			}
			return nil
		},
	}
}

func badDirectory(dir string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return usage(fmt.Errorf("man %s: %w", dir, err), "name a directory that you may write to")
}

// documented are a command and all below it that help tells of.
func documented(command *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{command}
	for _, sub := range command.Commands() {
		if sub.IsAvailableCommand() {
			all = append(all, documented(sub)...)
		}
	}
	return all
}

// pageName is the name of a command's page, as git-commit(1) is of git commit.
func pageName(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// manualPage is a command's page, as man(7) has them.
func manualPage(command *cobra.Command, groups []flagGroup) string {
	var page strings.Builder
	write := func(format string, texts ...any) {
		for i := range texts {
			texts[i] = roff(texts[i].(string))
		}
		fmt.Fprintf(&page, format+"\n", texts...)
	}
	command.InitDefaultHelpFlag()
	command.InitDefaultVersionFlag()
	write(`.TH "%s" 1 "" "provision %s" "provision"`, strings.ToUpper(pageName(command)), version())
	write(".SH NAME\n%s \\- %s", pageName(command), command.Short)
	if command.HasAvailableSubCommands() {
		write(".SH SYNOPSIS\n.B %s\nCOMMAND", command.CommandPath())
	} else {
		write(".SH SYNOPSIS\n.B %s\n%s", command.CommandPath(), strings.TrimPrefix(command.UseLine(), command.CommandPath()+" "))
	}
	page.WriteString(".SH DESCRIPTION\n" + paragraphs(longest(command.Long, command.Short)))
	if command.HasAvailableSubCommands() {
		page.WriteString(".SH COMMANDS\n")
	}
	for _, sub := range command.Commands() {
		if sub.IsAvailableCommand() {
			write(".TP 12\n.B %s\n%s", sub.Name(), sub.Short)
		}
	}
	for _, group := range sections(command, groups) {
		if group.flags.HasAvailableFlags() {
			write(".SH %s", strings.ToUpper(group.title))
		}
		group.flags.VisitAll(func(flag *pflag.Flag) { page.WriteString(manualFlag(flag)) })
	}
	if !command.HasParent() {
		for _, section := range rootSections() {
			write(".SH %s\n%s", section.title, section.intro)
			for _, entry := range section.entries {
				write(".TP 4\n.B %s\n%s", entry.term, entry.meaning)
			}
		}
	}
	if command.HasExample() {
		page.WriteString(".SH EXAMPLES\n" + paragraphs(command.Example))
	}
	if pages := related(command); pages != "" {
		write(".SH SEE ALSO\n%s", pages)
	}
	return page.String()
}

func longest(text, otherwise string) string {
	if len(text) > len(otherwise) {
		return text
	}
	return otherwise
}

// paragraphs is a text of --help: what is indented there are lines to type, which stay as
// they are.
func paragraphs(text string) string {
	var out strings.Builder
	typing := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if indented := strings.HasPrefix(line, "  "); indented != typing && line != "" {
			typing = indented
			out.WriteString(map[bool]string{true: ".PP\n.EX\n", false: ".EE\n"}[typing])
		}
		switch {
		case line == "" && !typing:
			out.WriteString(".PP\n")
		default:
			out.WriteString(roff(line) + "\n")
		}
	}
	if typing {
		out.WriteString(".EE\n")
	}
	return out.String()
}

func manualFlag(flag *pflag.Flag) string {
	value, about := pflag.UnquoteUsage(flag)
	name := `\fB` + roff("--"+flag.Name) + `\fR`
	if flag.Shorthand != "" {
		name = `\fB` + roff("-"+flag.Shorthand) + `\fR, ` + name
	}
	if value != "" {
		name += ` \fI` + roff(value) + `\fR`
	}
	if !slices.Contains([]string{"", "0", "0s", "[]", "false"}, flag.DefValue) {
		about += " (default " + flag.DefValue + ")"
	}
	return ".TP 4\n" + name + "\n" + roff(about) + "\n"
}

// related are the pages above and below a command's.
func related(command *cobra.Command) string {
	var pages []string
	if command.HasParent() {
		pages = append(pages, pageName(command.Parent())+"(1)")
	}
	for _, sub := range command.Commands() {
		if sub.IsAvailableCommand() {
			pages = append(pages, pageName(sub)+"(1)")
		}
	}
	return strings.Join(pages, ", ")
}

// roff writes a line so that none of it is a request or an escape; a - is one to type and to
// copy, not a hyphen (groff_char(7)).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}
