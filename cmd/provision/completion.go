package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newCompletion(out console) *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":  (*cobra.Command).GenZshCompletion,
		"fish": func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "let the shell complete verbs, tasks, hosts, variables and flags",
		Long: `Prints a script for bash, zsh or fish, after which the tab key completes verbs,
tasks, hosts, groups, flags and, behind -e, variables. For bash the package
bash-completion has to be installed. Debian's package of provision brings all
three scripts.`,
		Example: `  . <(provision completion bash)    here, and in ~/.bashrc for all
  provision completion zsh > ~/.zfunc/_provision    a directory of $fpath
  provision completion fish > ~/.config/fish/completions/provision.fish`,
		Args:                  arguments(1, 1),
		ValidArgs:             []string{"bash", "zsh", "fish"},
		DisableFlagsInUseLine: true,
		RunE: func(command *cobra.Command, args []string) error {
			generate, known := shells[args[0]]
			if !known {
				return usage(fmt.Errorf("completion %s: there is none", args[0]), "provision completion bash, zsh or fish")
			}
			return generate(command.Root(), out.out)
		},
	}
}
