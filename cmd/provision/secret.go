package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
)

func newSecret(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "secret",
		Short: "encrypt passwords in hosts.yaml, and change them there",
		Long: `Values in hosts.yaml are encrypted with age, for the public keys under
recipients: there. Whoever has one of the private keys can read and change
them; provision finds its own in ~/.config/provision/age.key,
~/.ssh/id_ed25519 and ~/.ssh/id_rsa, or where --key says. Comments and all
other lines of the file stay as they are.`,
		Args: cobra.ArbitraryArgs,
	}
	command.RunE = func(_ *cobra.Command, args []string) error { return verbless(command, args) }
	command.AddCommand(newEncrypt(f, io), newGenerate(f, io), newEdit(f, io), newRotate(f, io))
	return command
}

// placeFlag is where a secret stands: for all hosts, a group, or a host.
func placeFlag(command *cobra.Command) *string {
	return command.Flags().StringP("limit", "l", "all", "for a `GROUP` or host, or all of them")
}

// recipientFlag is for whom the first secret of a file is encrypted.
func recipientFlag(command *cobra.Command) *[]string {
	return command.Flags().StringArray("recipient", nil, "public `KEY` to encrypt for, age1… or ssh-ed25519 …, when the file names none")
}

func newEncrypt(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "encrypt TASK.VARIABLE",
		Short: "set a variable to an encrypted value",
		Long: `Asks for a value, or reads it from standard input, and writes it encrypted
into hosts.yaml. Where a value stands in plain text, an empty answer encrypts
that one.`,
		Example: `  provision secret encrypt graphite.password -l metrics
  pwgen 24 1 | provision secret encrypt graphite.password \
    --recipient "$(cat ~/.ssh/id_ed25519.pub)"`,
		Args: arguments(1, 1),
	}
	where, recipients := placeFlag(command), recipientFlag(command)
	command.RunE = func(_ *cobra.Command, args []string) error {
		return f.encrypt(args[0], *where, *recipients, func(doc *inventory.Document, place inventory.Place) (recipe.Secret, error) {
			return newValue(io, doc, place)
		}, func(place inventory.Place) { fmt.Fprintf(io.err, "encrypted %s\n", place) })
	}
	return command
}

// encrypt sets a variable to the encrypted form of a value, and tells where.
func (f *flags) encrypt(name, where string, recipients []string, value func(*inventory.Document, inventory.Place) (recipe.Secret, error), tell func(inventory.Place)) error {
	variable, err := f.findVariable(name)
	if err != nil {
		return err
	}
	var place inventory.Place
	err = f.rewrite(func(doc *inventory.Document) error {
		if len(recipients) > 0 {
			if err := doc.AddRecipients(recipients); err != nil {
				return err
			}
		}
		if place, err = doc.Place(where, name); err != nil {
			return err
		}
		secret, err := value(doc, place)
		if err == nil {
			err = accept(variable, place, secret)
		}
		if err == nil {
			err = forWhom(doc.EncryptValue(place, secret))
		}
		return err
	})
	if err == nil {
		tell(place)
	}
	return err
}

// forWhom says how the first recipient is named.
func forWhom(err error) error {
	var refused *inventory.Error
	if errors.As(err, &refused) && refused.What == "recipients" {
		return usage(err, `add --recipient "$(cat ~/.ssh/id_ed25519.pub)", or one of age: age-keygen -y ~/.config/provision/age.key`)
	}
	return err
}

func newEdit(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "edit TASK.VARIABLE",
		Short: "change an encrypted value in an editor",
		Long: `Decrypts a value, opens it in $VISUAL or $EDITOR, and encrypts what comes
back. Meanwhile it lies in a file in memory that only you can read. Without a
terminal the new value is read from standard input.`,
		Example: `  provision secret edit graphite.password -l metrics`,
		Args:    arguments(1, 1),
	}
	where := placeFlag(command)
	command.RunE = func(_ *cobra.Command, args []string) error {
		variable, err := f.findVariable(args[0])
		if err != nil {
			return err
		}
		keys, err := f.selection.openKeys(f.passphrase)
		if err != nil {
			return err
		}
		return f.rewrite(func(doc *inventory.Document) error {
			place, err := doc.Place(*where, args[0])
			if err != nil {
				return err
			}
			return doc.EditValue(place, keys, func(before recipe.Secret) (recipe.Secret, error) {
				after, err := edited(io, before)
				if err == nil {
					err = accept(variable, place, after)
				}
				return after, err
			})
		})
	}
	return command
}

func newRotate(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "encrypt every value anew, after recipients: has changed",
		Long: `Encrypts every value of hosts.yaml anew, for those who stand under recipients:
now. The values stay the same: what somebody must not know any more has to be
changed too, with provision secret edit and provision install.`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			keys, err := f.selection.openKeys(f.passphrase)
			if err != nil {
				return err
			}
			return f.rewrite(func(doc *inventory.Document) error {
				count, err := doc.RotateAll(keys)
				if err == nil {
					fmt.Fprintf(io.err, "encrypted %d anew\n", count)
				}
				return err
			})
		},
	}
}

func (f *flags) rewrite(change func(*inventory.Document) error) error {
	err := inventory.RewriteFile(f.selection.path(), change)
	if errors.Is(err, fs.ErrNotExist) {
		return usage(err, "a secret stands beside the hosts: write one that begins with hosts: {web1: {}}")
	}
	return err
}

// findVariable returns a variable that can hold a secret.
func (f *flags) findVariable(name string) (recipe.Variable, error) {
	task, variable, _ := strings.Cut(name, ".")
	found, err := f.findTask(task)
	if err != nil {
		return recipe.Variable{}, err
	}
	var names []string
	for _, v := range found.Variables {
		if v.Name != variable {
			names = append(names, task+"."+v.Name)
			continue
		}
		if v.Type != recipe.TypeSecret && v.Type != recipe.TypeString {
			return v, usage(fmt.Errorf("%s: is a %s, and only texts are encrypted", name, v.Type), "write it into hosts.yaml as it is")
		}
		return v, nil
	}
	hint := "provision list " + task
	if near := recipe.Nearest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return recipe.Variable{}, usage(fmt.Errorf("%q: no such variable", name), hint)
}

// accept refuses a value that the variable would not take, without repeating it.
func accept(variable recipe.Variable, place inventory.Place, value recipe.Secret) error {
	if _, err := variable.Decode(value); err != nil {
		return usage(fmt.Errorf("%s: %s", place.Variable, inventory.SecretProblem(variable, value, err, "the value is not accepted")), variable.Help)
	}
	return nil
}

// maxValue bounds a secret that is read, in bytes.
const maxValue = 64 << 10

// newValue asks for a value, or reads it; without one it is what stands there in plain text.
func newValue(console console, doc *inventory.Document, place inventory.Place) (recipe.Secret, error) {
	plain, there := doc.Plain(place)
	var text []byte
	var err error
	if console.interactive() {
		prompt := place.String() + ": "
		if there {
			prompt = place.String() + " (empty: what stands there): "
		}
		text, err = console.secret(prompt)
	} else {
		text, err = io.ReadAll(io.LimitReader(console.in, maxValue+1))
	}
	switch value := trimLineEnd(text); {
	case err != nil:
		return recipe.Secret{}, err
	case value != "":
		return recipe.NewSecret(value), nil
	case there:
		return plain, nil
	}
	return recipe.Secret{}, usage(fmt.Errorf("%s: no value", place.Variable), "it is asked for on a terminal, or read from standard input; never an argument, which everybody on this machine can read")
}

// trimLineEnd drops the end of the one line that most secrets are.
func trimLineEnd(text []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
}

// edited has a value changed in an editor, or reads the new one.
func edited(console console, before recipe.Secret) (recipe.Secret, error) {
	if !console.interactive() {
		text, err := io.ReadAll(io.LimitReader(console.in, maxValue+1))
		if err == nil && trimLineEnd(text) == "" {
			err = usage(errors.New("no value on standard input"), "run it on a terminal, for an editor")
		}
		return recipe.NewSecret(trimLineEnd(text)), err
	}
	dir, err := os.MkdirTemp(inMemory(), "provision-secret-") // mode 0700
	if err != nil {
		return before, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "value")
	if err := os.WriteFile(file, []byte(before.Reveal()+"\n"), 0o600); err != nil {
		return before, err
	}
	// A signal ends the editor and not us, who have to take the file away.
	ctx, done := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer done()
	interrupts := make(chan os.Signal, 1) // of the terminal: they are the editor's
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	run := exec.CommandContext(ctx, "/bin/sh", "-c", editor()+` "$1"`, "sh", file)
	run.Stdin, run.Stdout, run.Stderr = console.in, console.err, console.err
	if err := run.Run(); err != nil {
		return before, usage(fmt.Errorf("editor %s: %w", editor(), err), "nothing was changed")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return before, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return before, usage(errors.New("the value is empty"), "nothing was changed")
	}
	return recipe.NewSecret(trimLineEnd(text)), nil
}

// editor is the person's, which may have arguments too ("code --wait"), or Debian's (update-alternatives(1)).
func editor() string { return cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "editor") }

// inMemory returns a directory that never reaches a disk, where there is one.
func inMemory() string {
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	return os.TempDir()
}
